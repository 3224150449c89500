// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.codec.fory.ForyCodecs;
import io.tailrace.codec.java.JavaCodecs;
import io.tailrace.codec.kryo.KryoCodecs;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import java.io.ObjectInputFilter;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.fory.Fory;

/** The code that the README shows of other serializers. */
final class HelloSerializers {

    private HelloSerializers() {}

    record Trade(long id, double price) implements Serializable {}

    private static final ObjectMapper mapper = new ObjectMapper();
    private static final ObjectInputFilter filter =
            ObjectInputFilter.Config.createFilter("io.tailrace.codec.HelloSerializers$Trade;!*");

    private static Kryo registered(Kryo kryo) {
        kryo.register(Trade.class);
        return kryo;
    }

    private static Fory registered(Fory fory) {
        fory.register(Trade.class);
        return fory;
    }

    // README begin
    static final ValueCodec<Iterator<Trade>> BY_KRYO =
            KryoCodecs.builder(() -> registered(new Kryo())).build().each(Trade.class);
    static final ValueCodec<Iterator<Trade>> BY_FORY = ForyCodecs.of(
                    () -> registered(Fory.builder().withXlang(false).build()))
            .each(Trade.class);
    static final ValueCodec<Iterator<Trade>> BY_JAVA =
            JavaCodecs.builder(filter).build().each(Trade.class);
    static final ValueCodec<JsonNode> BY_YOURS = Serializers.value(
            "json/1",
            (node, out) -> mapper.writeValue(out.asOutputStream(), node),
            in -> mapper.readTree(in.asInputStream()));
    // README end

    /** The sum of the prices that came through all of them. */
    static double run() throws Exception {
        double sum = 0;
        try (ChunkPool pool = ChunkPool.builder().budgetBytes(1 << 20).build()) {
            ResultEncoder encoder = ResultEncoder.builder(pool).build();
            ResultId id = new ResultId("job", 1, 42, 0);
            for (ValueCodec<Iterator<Trade>> codec : List.of(BY_KRYO, BY_FORY, BY_JAVA)) {
                MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
                List<Trade> trades = new ArrayList<>(List.of(new Trade(1, 2.5), new Trade(2, 4)));
                encoder.encode(id, Codecs.consumedListOf(codec), trades, sink);
                try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
                    reader.nextResult();
                    Iterator<Trade> read = reader.decode(codec);
                    while (read.hasNext()) {
                        sum += read.next().price();
                    }
                    reader.finish();
                }
            }
            MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
            encoder.encode(id, BY_YOURS, mapper.readTree("{\"price\": 1.5}"), sink);
            try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
                reader.nextResult();
                sum += reader.decode(BY_YOURS).get("price").asDouble();
                reader.finish();
            }
        }
        return sum;
    }
}
