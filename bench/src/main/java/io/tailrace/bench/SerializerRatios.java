// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.io.Output;
import io.tailrace.bench.RatioTable.Pace;
import io.tailrace.codec.fory.ForyCodecs;
import io.tailrace.codec.java.JavaCodecs;
import io.tailrace.codec.kryo.KryoCodecs;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.wire.ValueCodec;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.ObjectInputFilter;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import org.apache.fory.Fory;
import org.apache.fory.memory.MemoryBuffer;

/** The group of {@link Ratios} that asks what other serializers lose or gain by writing into chunks. */
final class SerializerRatios {

    private static final int BUFFER_BYTES = 64 << 10;

    /** As often as {@link JavaCodecs} resets. */
    private static final int RESET_EVERY = 512;

    /** Java's own serialisation is that much slower. */
    private static final int FEWER = 10;

    private final RatioTable table;
    private final Encoding encoding;
    private final NullSink dropping = new NullSink();

    private SerializerRatios(RatioTable table, Encoding encoding) {
        this.table = table;
        this.encoding = encoding;
    }

    /** Each element by element on both sides: bare bytes into its own buffer or stream, and frames with checksums. */
    static void print(Pace pace, int count) throws Exception {
        RatioTable table = new RatioTable(pace, "thousand values", 0);
        try (Encoding encoding = Encoding.plain()) {
            SerializerRatios ratios = new SerializerRatios(table, encoding);
            for (String workload : List.of("rows", "lineitem", "lines")) {
                table.amount(count / 1e3);
                ratios.ofKryo("Kryo", workload, Values.named(workload, count), kryo -> {});
                ratios.ofFory(workload, Values.named(workload, count));
                table.amount(count / 1e3 / FEWER);
                ratios.ofJava(workload, Values.named(workload, count / FEWER));
            }
            table.amount(count / 1e3);
            ratios.ofKryo("Kryo", "rows as beans", beans(count), kryo -> {});
            for (String workload : List.of("rows", "lineitem")) {
                Values<?> values = Values.named(workload, count);
                ratios.ofKryo("Kryo by hand", workload, values, kryo -> KryoSerializers.register(kryo, values.type()));
            }
            table.run("Other serializers into chunks, beside their own streams");
        }
    }

    /** What Kryo's own serializer of fields is made for; that of records goes by reflection, and boxes every number. */
    @SuppressWarnings("UnusedVariable") // Kryo reads them
    private static final class Bean {
        long id;
        double price;
        int quantity;
        long time;
        String symbol = "";
        String comment = "";
    }

    private static Values<Bean> beans(int count) {
        List<Bean> beans = new ArrayList<>(count);
        for (Workloads.Row row : Workloads.rows(count)) {
            Bean bean = new Bean();
            bean.id = row.id();
            bean.price = row.price();
            bean.quantity = row.quantity();
            bean.time = row.time();
            bean.symbol = row.symbol();
            bean.comment = row.comment();
            beans.add(bean);
        }
        return new Values<>(Bean.class, List.of(beans));
    }

    private interface Own {
        long encode() throws IOException;
    }

    private <E> void beside(String name, Own own, ValueCodec<Iterator<E>> codec, List<E> values) throws IOException {
        ResultSummary summary = into(codec, values);
        long bytes = own.encode();
        if (summary.payloadBytes() < bytes || summary.payloadBytes() > bytes + 8L * values.size() + 100) {
            throw new IllegalStateException(name + ": " + bytes + " bytes, into chunks " + summary.payloadBytes());
        }
        String floor = name + ", its own";
        table.floor(floor, own::encode);
        table.contender(name + ", into chunks", () -> into(codec, values).wireBytes(), floor);
    }

    private <E> ResultSummary into(ValueCodec<Iterator<E>> codec, List<E> values) throws IOException {
        return encoding.encoder().encode(TypedResult.ID, codec, values.iterator(), dropping);
    }

    /** Elements by that serializer, as it is set up here. */
    static <E> ValueCodec<Iterator<E>> each(String serializer, Class<E> type) {
        return switch (serializer) {
            case "Kryo" ->
                KryoCodecs.builder(() -> kryo(type, kryo -> {})).build().each(type);
            case "Kryo by hand" ->
                KryoCodecs.builder(() -> kryo(type, kryo -> KryoSerializers.register(kryo, type)))
                        .build()
                        .each(type);
            case "Fory" -> ForyCodecs.of(() -> fory(type)).each(type);
            case "ObjectOutputStream" ->
                JavaCodecs.builder(info -> ObjectInputFilter.Status.ALLOWED)
                        .build()
                        .each(type);
            default -> throw new IllegalArgumentException(serializer);
        };
    }

    private static Kryo kryo(Class<?> type, Consumer<Kryo> registration) {
        Kryo kryo = new Kryo();
        kryo.setReferences(false);
        kryo.register(type);
        registration.accept(kryo);
        return kryo;
    }

    private <E> void ofKryo(String name, String workload, Values<E> values, Consumer<Kryo> registration)
            throws IOException {
        List<E> elements = values.results().get(0);
        Class<E> type = values.type();
        Kryo kryo = kryo(type, registration);
        Output out = new Output(OutputStream.nullOutputStream(), BUFFER_BYTES);
        beside(
                workload + ", " + name,
                () -> {
                    for (E element : elements) {
                        kryo.writeObjectOrNull(out, element, type);
                    }
                    long bytes = out.total();
                    out.flush();
                    out.reset();
                    return bytes;
                },
                each(name, type),
                elements);
    }

    /** Compatible, or for many languages, it would write of its class with every element; fixed width is faster for numbers. */
    static Fory fory(Class<?> type) {
        Fory fory = Fory.builder()
                .withXlang(false)
                .withCompatible(false)
                .requireClassRegistration(true)
                .withRefTracking(false)
                .withNumberCompressed(false)
                .build();
        if (type != String.class) {
            fory.register(type);
        }
        return fory;
    }

    private <E> void ofFory(String workload, Values<E> values) throws IOException {
        List<E> elements = values.results().get(0);
        Fory fory = fory(values.type());
        MemoryBuffer buffer = MemoryBuffer.newHeapBuffer(2 * BUFFER_BYTES);
        beside(
                workload + ", Fory",
                () -> {
                    long bytes = 0;
                    for (E element : elements) {
                        fory.serialize(buffer, element);
                        if (buffer.writerIndex() > BUFFER_BYTES) {
                            bytes += buffer.writerIndex();
                            buffer.writerIndex(0);
                        }
                    }
                    bytes += buffer.writerIndex();
                    buffer.writerIndex(0);
                    return bytes;
                },
                each("Fory", values.type()),
                elements);
    }

    private <E> void ofJava(String workload, Values<E> values) throws IOException {
        List<E> elements = values.results().get(0);
        String name = workload + ", ObjectOutputStream";
        table.floor(name + ", into nothing", () -> objects(elements, new Counting(), false));
        beside(
                name,
                () -> objects(elements, new Counting(), true),
                each("ObjectOutputStream", values.type()),
                elements);
    }

    private static <E> long objects(List<E> elements, Counting counting, boolean buffered) throws IOException {
        ObjectOutputStream out =
                new ObjectOutputStream(buffered ? new BufferedOutputStream(counting, BUFFER_BYTES) : counting);
        int written = 0;
        for (E element : elements) {
            if (written % RESET_EVERY == 0 && written > 0) {
                out.reset();
            }
            out.writeObject(element);
            written++;
        }
        out.flush();
        return counting.bytes;
    }

    private static final class Counting extends OutputStream {
        private long bytes;

        @Override
        public void write(int value) {
            bytes++;
        }

        @Override
        public void write(byte[] source, int from, int length) {
            bytes += length;
        }
    }
}
