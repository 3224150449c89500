// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.kryo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.io.Output;
import io.tailrace.codec.Payloads;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ValueCodec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;

/**
 * Values that the fuzzer makes: written as Kryo writes them, broken, and read. Nothing comes of it but a value or our own
 * exception, with little memory taken.
 *
 * <p>As an ordinary test it repeats the inputs kept in {@code src/test/resources/…/KryoFuzzTestInputs}. To fuzz:
 *
 * <pre>
 * JAZZER_FUZZ=1 mvn -pl core,codec test -Dsurefire.failIfNoSpecifiedTests=false -Dtest=KryoFuzzTest
 * </pre>
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES) // fuzzing outlasts the usual minute
final class KryoFuzzTest {

    private static final DecoderLimits LIMITS =
            DecoderLimits.DEFAULT.withPayloadBytes(1 << 20).withValueBytes(1 << 20);

    private static final List<KryoCodecs> CODECS = List.of(
            KryoCodecs.builder(() -> KryoCodecsTest.kryo(false)).build(),
            KryoCodecs.builder(() -> KryoCodecsTest.kryo(true)).build());

    @FuzzTest(maxDuration = "10m")
    void valuesAsTheFuzzerBuildsAndBreaksThem(FuzzedDataProvider data) throws IOException {
        boolean references = data.consumeBoolean();
        int region = data.consumeInt(64, 300);
        int fragment = data.consumeInt(1, 70);
        int form = data.consumeInt(0, 2);
        int breaks = data.consumeInt(0, 4);
        KryoCodecs codecs = CODECS.get(references ? 1 : 0);
        if (form == 0) {
            byte[] raw = data.consumeRemainingAsBytes();
            read(codecs.value(), raw, fragment);
            read(codecs.each(KryoCodecsTest.Line.class), raw, fragment);
            return;
        }
        int[] places = data.consumeInts(2 * breaks);
        Object value = form == 1 ? thing(data, 3) : lines(data);
        Kryo kryo = KryoCodecsTest.kryo(references);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] payload;
        ValueCodec<?> codec;
        try (Output out = new Output(bytes)) {
            if (value instanceof Lines lines) {
                ValueCodec<Iterator<KryoCodecsTest.Line>> each = codecs.each(KryoCodecsTest.Line.class);
                lines.all().forEach(line -> kryo.writeObjectOrNull(out, line, KryoCodecsTest.Line.class));
                payload = Payloads.encode(each, lines.all().iterator(), region);
                codec = each;
            } else {
                kryo.writeClassAndObject(out, value);
                payload = written(codecs, value, region);
                codec = codecs.value();
            }
        }
        assertArrayEquals(bytes.toByteArray(), payload);
        if (breaks == 0) {
            Object read = drained(codec.decode(Payloads.input(payload, fragment, LIMITS)));
            assertArrayEquals(plainly(value instanceof Lines lines ? lines.all() : value), plainly(read));
        }
        for (int i = 0; i + 1 < places.length && payload.length > 0; i += 2) {
            int at = Math.floorMod(places[i], payload.length);
            payload = switch (Math.floorMod(places[i + 1], 4)) {
                case 0 -> Arrays.copyOf(payload, at);
                case 1 -> twice(payload, at);
                default -> {
                    payload[at] = (byte) (places[i + 1] >> 8);
                    yield payload;
                }
            };
        }
        read(codec, payload, fragment);
    }

    /** By Kryo alone and without references: of the same bytes when the values are alike. */
    private static byte[] plainly(@Nullable Object value) {
        Output out = new Output(1_024, -1);
        KryoCodecsTest.kryo(false).writeClassAndObject(out, value);
        return out.toBytes();
    }

    @SuppressWarnings("NullAway") // Kryo's null
    private static byte[] written(KryoCodecs codecs, @Nullable Object value, int region) throws IOException {
        return Payloads.encode(codecs.value(), value, region);
    }

    private static byte[] twice(byte[] payload, int from) {
        byte[] more = Arrays.copyOf(payload, 2 * payload.length - from);
        System.arraycopy(payload, from, more, payload.length, payload.length - from);
        return more;
    }

    private static void read(ValueCodec<?> codec, byte[] payload, int fragment) throws IOException {
        long most = (8 << 20) + 512L * payload.length;
        long taken = taken(codec, payload, fragment);
        if (taken > most) {
            taken = taken(codec, payload, fragment); // classes are loaded now, and rewritten by the fuzzer
        }
        assertTrue(taken <= most, taken + " bytes of heap for " + payload.length);
    }

    private static long taken(ValueCodec<?> codec, byte[] payload, int fragment) throws IOException {
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            drained(codec.decode(Payloads.input(payload, fragment, LIMITS)));
        } catch (ResultException e) {
            assertTrue(e.offset() <= payload.length, e.getMessage());
        } catch (UncheckedIOException e) {
            if (!(e.getCause() instanceof ResultException)) {
                throw e;
            }
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    private static @Nullable Object drained(@Nullable Object value) {
        if (value instanceof Iterator<?> elements) {
            List<@Nullable Object> all = new ArrayList<>();
            elements.forEachRemaining(all::add);
            return all;
        }
        return value;
    }

    private record Lines(List<KryoCodecsTest.Line> all) {}

    private static Lines lines(FuzzedDataProvider data) {
        List<KryoCodecsTest.Line> all = new ArrayList<>();
        while (data.remainingBytes() > 0 && all.size() < 20) {
            all.add(line(data));
        }
        return new Lines(all);
    }

    private static KryoCodecsTest.Line line(FuzzedDataProvider data) {
        return new KryoCodecsTest.Line(
                data.consumeLong(),
                data.consumeRegularDouble(),
                data.consumeInt(),
                data.consumeString(40),
                data.consumeBoolean() ? data.consumeAsciiString(80) : null);
    }

    private static @Nullable Object thing(FuzzedDataProvider data, int depth) {
        return switch (data.consumeInt(depth == 0 ? 4 : 0, 18)) {
            case 0 -> {
                List<@Nullable Object> list = new ArrayList<>();
                for (int left = data.consumeInt(0, 40); left > 0; left--) {
                    list.add(thing(data, depth - 1));
                }
                yield list;
            }
            case 1 -> {
                Map<String, @Nullable Object> map = new LinkedHashMap<>();
                for (int left = data.consumeInt(0, 5); left > 0; left--) {
                    map.put(data.consumeString(10), thing(data, depth - 1));
                }
                yield map;
            }
            case 2 -> new @Nullable Object[] {thing(data, depth - 1), thing(data, depth - 1)};
            case 3 -> new String[] {data.consumeString(5), data.consumeAsciiString(5)};
            case 4 -> data.consumeInt();
            case 5 -> data.consumeLong();
            case 6 -> data.consumeRegularDouble();
            case 7 -> data.consumeRegularFloat();
            case 8 -> data.consumeString(100);
            case 9 -> data.consumeAsciiString(100);
            case 10 -> data.consumeBytes(200);
            case 11 -> data.consumeInts(200);
            case 12 -> data.consumeLongs(200);
            case 13 -> data.consumeShorts(200);
            case 14 -> new boolean[] {data.consumeBoolean(), data.consumeBoolean()};
            case 15 -> new BigInteger(1, data.consumeBytes(40));
            case 16 -> line(data);
            case 17 -> data.pickValue(KryoCodecsTest.Colour.values());
            default -> null;
        };
    }
}
