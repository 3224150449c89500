// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.java;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import io.tailrace.codec.Payloads;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.io.ObjectInputFilter;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;

/**
 * Objects that the fuzzer puts together, written by the JDK, then broken where the fuzzer likes. Nothing comes of it but values
 * or our own exception, with little memory taken.
 *
 * <p>As an ordinary test it repeats the inputs kept in {@code src/test/resources/…/JavaFuzzTestInputs}. To fuzz:
 *
 * <pre>
 * JAZZER_FUZZ=1 mvn -pl core,codec test -Dsurefire.failIfNoSpecifiedTests=false -Dtest='JavaFuzzTest'
 * </pre>
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES) // fuzzing outlasts the usual minute
final class JavaFuzzTest {

    private static final long MOST_ALLOCATED = 64L << 20;

    record Node(
            int id,
            String name,
            @Nullable Object left,
            @Nullable Object right) implements Serializable {}

    private static final ValueCodec<Iterator<Object>> EACH = JavaCodecs.builder(
                    ObjectInputFilter.Config.createFilter("io.tailrace.codec.java.*;java.base/*"))
            .maxArrayBytes(1 << 20)
            .resetEvery(3)
            .build()
            .each(Object.class);

    private final List<Object> made = new ArrayList<>();

    @FuzzTest(maxDuration = "10m")
    void objectsThatAreBrokenOnTheWay(FuzzedDataProvider data) throws IOException {
        made.clear();
        List<Object> values = new ArrayList<>();
        for (int i = data.consumeInt(1, 6); i > 0; i--) {
            values.add(value(data, 4));
        }
        byte[] payload = Payloads.encode(EACH, values.iterator(), 4_096);
        for (int i = data.consumeInt(0, 4); i > 0 && payload.length > 0; i--) {
            payload = broken(payload, data);
        }
        int bufferBytes = data.consumeInt(1, 5_000);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        read(payload, bufferBytes);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < MOST_ALLOCATED, allocated + " bytes for " + payload.length);
    }

    private static void read(byte[] payload, int bufferBytes) {
        try {
            Iterator<Object> read = EACH.decode(Payloads.input(payload, bufferBytes, DecoderLimits.DEFAULT));
            while (read.hasNext()) {
                read.next();
            }
        } catch (ResultException e) {
            // as it should be
        } catch (UncheckedIOException e) {
            assertInstanceOf(ResultException.class, e.getCause());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] broken(byte[] payload, FuzzedDataProvider data) {
        int at = data.consumeInt(0, payload.length - 1);
        switch (data.consumeInt(0, 3)) {
            case 0 -> payload[at] = data.consumeByte();
            case 1 -> {
                int value = data.consumeInt();
                for (int i = at; i < Math.min(payload.length, at + 4); i++) {
                    payload[i] = (byte) (value >> (8 * (3 - (i - at)))); // a length lies
                }
            }
            case 2 -> {
                return Arrays.copyOf(payload, at);
            }
            default -> {
                int from = data.consumeInt(0, payload.length - 1);
                int length = Math.min(payload.length - Math.max(at, from), data.consumeInt(0, 40));
                System.arraycopy(
                        payload, from, payload, at, Math.max(0, length)); // one object's bytes in another's place
            }
        }
        return payload;
    }

    private @Nullable Object value(FuzzedDataProvider data, int depth) {
        Object value = switch (data.consumeInt(0, depth > 0 ? 12 : 6)) {
            case 0 -> null;
            case 1 -> data.consumeInt();
            case 2 -> data.consumeString(20);
            case 3 -> data.consumeLongs(10);
            case 4 -> data.consumeBytes(50);
            case 5 -> data.pickValue(List.of(Thread.State.NEW, Thread.State.RUNNABLE));
            case 6 -> made.isEmpty() ? null : made.get(data.consumeInt(0, made.size() - 1));
            case 7 -> objects(data, depth).toArray();
            case 8 -> objects(data, depth);
            case 9 -> new HashSet<>(objects(data, depth));
            case 10 -> map(data, depth);
            default ->
                new Node(data.consumeInt(), data.consumeString(5), value(data, depth - 1), value(data, depth - 1));
        };
        if (value != null) {
            made.add(value);
        }
        return value;
    }

    private List<Object> objects(FuzzedDataProvider data, int depth) {
        List<Object> objects = new ArrayList<>();
        for (int i = data.consumeInt(0, 4); i > 0; i--) {
            objects.add(value(data, depth - 1));
        }
        return objects;
    }

    private Map<Object, Object> map(FuzzedDataProvider data, int depth) {
        Map<Object, Object> map = new HashMap<>();
        for (int i = data.consumeInt(0, 4); i > 0; i--) {
            map.put(data.consumeString(5), value(data, depth - 1));
        }
        return map;
    }
}
