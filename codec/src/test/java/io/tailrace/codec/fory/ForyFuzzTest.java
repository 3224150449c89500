// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import io.tailrace.codec.Payloads;
import io.tailrace.codec.fory.ForySamples.Blobs;
import io.tailrace.codec.fory.ForySamples.Colour;
import io.tailrace.codec.fory.ForySamples.Line;
import io.tailrace.codec.fory.ForySamples.Node;
import io.tailrace.codec.fory.ForySamples.Way;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;

/**
 * Elements of Fory's that the fuzzer makes, whole and broken, under heads that hold: a value or our own exception, with little
 * memory taken; what is whole comes back.
 *
 * <p>As an ordinary test it repeats the inputs kept in {@code src/test/resources/…/ForyFuzzTestInputs}. The
 * fuzzer's own guard of Unsafe, which fails in what Fory compiles, is off in this module. To fuzz:
 *
 * <pre>
 * JAZZER_FUZZ=1 mvn -pl core,codec test -Dsurefire.failIfNoSpecifiedTests=false -Dtest='ForyFuzzTest'
 * </pre>
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES) // fuzzing outlasts the usual minute
final class ForyFuzzTest {

    private static final DecoderLimits LIMITS =
            DecoderLimits.DEFAULT.withPayloadBytes(1 << 20).withValueBytes(1 << 20);

    /** Arrays of char, and null, are not for many languages. */
    private static final List<Way> WAYS = List.of(Way.COMPILED, Way.INTERPRETED, Way.REFERENCES, Way.COMPATIBLE);

    private static final Map<Way, ForyCodecs> CODECS = new EnumMap<>(Way.class);

    static {
        for (Way way : WAYS) {
            CODECS.put(way, ForyCodecs.of(way::fory));
        }
    }

    @FuzzTest(maxDuration = "10m")
    void elementsAsTheFuzzerBuildsAndBreaksThem(FuzzedDataProvider data) throws IOException {
        Way way = data.pickValue(WAYS);
        ForyCodecs codecs = CODECS.get(way);
        ValueCodec<Iterator<Object>> each = codecs.each(Object.class);
        int region = data.consumeInt(64, 600);
        int buffer = data.consumeInt(1, 600);
        int breaks = data.consumeInt(0, 4);
        byte[] payload;
        if (data.consumeBoolean()) {
            List<Object> elements = new ArrayList<>();
            for (int i = data.consumeInt(1, 3); i > 0; i--) {
                elements.add(element(way, data));
            }
            payload = Payloads.encode(each, elements.iterator(), region);
            List<Object> read = ForySamples.drained(each.decode(Payloads.input(payload, buffer, LIMITS)));
            assertEquals(told(elements), told(read));
        } else {
            byte[] element = data.consumeBytes(300);
            payload =
                    Arrays.copyOf(new byte[] {(byte) element.length, (byte) (element.length >> 8)}, 4 + element.length);
            System.arraycopy(element, 0, payload, 4, element.length);
        }
        for (int i = 0; i < breaks && payload.length > 4; i++) {
            payload = broken(payload, data);
        }
        within(each, payload, buffer);
    }

    /** Nodes are compared by what they tell. */
    private static String told(List<Object> elements) {
        StringBuilder told = new StringBuilder();
        for (Object element : elements) {
            if (element instanceof Node node) {
                told.append(node.name).append(node.more.size()).append(node.next == node);
            } else if (element instanceof Blobs blobs) {
                told.append(Arrays.hashCode(blobs.bytes))
                        .append(Arrays.hashCode(blobs.longs))
                        .append(blobs.tail);
            } else {
                told.append(element);
            }
        }
        return told.toString();
    }

    private static Object element(Way way, FuzzedDataProvider data) {
        return switch (data.consumeInt(0, 4)) {
            case 0 -> data.consumeString(200);
            case 1 ->
                new ArrayList<>(Arrays.stream(data.consumeLongs(20)).boxed().toList());
            case 2 -> line(data);
            case 3 -> {
                Node node = new Node();
                node.name = data.consumeString(20);
                node.more.add(new Node());
                node.next = way == Way.REFERENCES ? node : new Node();
                yield node;
            }
            default -> {
                Blobs blobs = new Blobs();
                blobs.bytes = new byte[data.consumeBoolean() ? 9_000 : data.consumeInt(0, 300)];
                blobs.longs = data.consumeLongs(10);
                blobs.tail = data.consumeAsciiString(10);
                yield blobs;
            }
        };
    }

    private static Line line(FuzzedDataProvider data) {
        Map<String, Long> scores = new LinkedHashMap<>();
        for (int i = data.consumeInt(0, 4); i > 0; i--) {
            scores.put(data.consumeString(9), data.consumeLong());
        }
        return new Line(
                data.consumeString(100),
                data.consumeInt(),
                data.consumeLong(),
                data.consumeDouble(),
                data.pickValue(Colour.values()),
                new ArrayList<>(Arrays.stream(data.consumeInts(9)).boxed().toList()),
                scores);
    }

    /** Breaks what is inside the first element, or makes its head lie. */
    private static byte[] broken(byte[] payload, FuzzedDataProvider data) {
        int at = data.consumeInt(data.consumeBoolean() ? 0 : 4, payload.length - 1);
        byte[] broken = payload.clone();
        switch (data.consumeInt(0, 3)) {
            case 0 -> broken[at] = data.consumeByte();
            case 1 -> broken[at] ^= (byte) (1 << data.consumeInt(0, 7));
            case 2 -> {
                byte[] run = data.consumeBytes(8);
                System.arraycopy(run, 0, broken, at, Math.min(run.length, broken.length - at));
            }
            default -> broken = Arrays.copyOf(broken, at);
        }
        return broken;
    }

    private static void within(ValueCodec<Iterator<Object>> each, byte[] payload, int buffer) throws IOException {
        long most = (8 << 20) + 512L * payload.length;
        long taken = 0;
        for (int i = 0; i < 3; i++) { // classes are loaded then, and rewritten by the fuzzer
            taken = taken(each, payload, buffer);
            if (taken <= most) {
                return;
            }
        }
        assertTrue(taken <= most, taken + " bytes of heap for " + payload.length);
    }

    private static long taken(ValueCodec<Iterator<Object>> each, byte[] payload, int buffer) throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            each.decode(Payloads.input(payload, buffer, LIMITS)).forEachRemaining(element -> {});
        } catch (UncheckedIOException e) {
            if (!(e.getCause() instanceof ResultException)) {
                throw e;
            }
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }
}
