// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Bytes of a sender that means no good: each reading ends in a value or in one of our exceptions, and allocates little. */
final class HostilePayloadTest {

    private static final int PAYLOADS = 20_000;

    private interface Reading {
        Object from(WireInput in) throws IOException;
    }

    /** Counts come from the payload itself, as they do in codecs. */
    private static final List<Reading> READINGS = List.of(
            WireInput::readByte,
            WireInput::readBoolean,
            WireInput::readShort,
            WireInput::readChar,
            WireInput::readInt,
            WireInput::readLong,
            WireInput::readFloat,
            WireInput::readDouble,
            WireInput::readVarInt,
            WireInput::readVarLong,
            WireInput::readZigZagInt,
            WireInput::readZigZagLong,
            WireInput::readUtf8,
            in -> in.readByteArray(in.readVarInt()),
            in -> in.borrowBytes(in.readVarInt()),
            in -> in.readBooleans(in.readInt()),
            in -> in.readShorts(in.readVarInt()),
            in -> in.readChars(in.readVarInt()),
            in -> in.readInts(in.readVarInt()),
            in -> in.readLongs(in.readVarInt()),
            in -> in.readFloats(in.readVarInt()),
            in -> in.readDoubles(in.readVarInt()),
            in -> {
                long count = in.readLong();
                in.skip(count);
                return count;
            });

    @Test
    void randomPayloadIsValuesThenOneOfOurExceptions() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long most = 0;
        for (long seed = 0; seed < PAYLOADS; seed++) {
            Random random = new Random(seed);
            byte[] payload = new byte[random.nextInt(200)];
            random.nextBytes(payload);
            if (random.nextBoolean()) {
                // Small numbers, so that counts are often honest and readings go on.
                for (int i = 0; i < payload.length; i++) {
                    payload[i] &= (byte) (random.nextInt(8) == 0 ? 0xFF : 0x03);
                }
            }
            ReadableRegions regions = new ReadableRegions(payload, () -> 1 + random.nextInt(64));
            long before = threads.getCurrentThreadAllocatedBytes();
            ResultException e = assertThrows(
                    ResultException.class,
                    () -> {
                        while (true) {
                            READINGS.get(random.nextInt(READINGS.size())).from(regions.in);
                        }
                    },
                    "seed " + seed);
            most = Math.max(most, threads.getCurrentThreadAllocatedBytes() - before);
            assertTrue(e.offset() >= 0 && e.offset() <= payload.length, "seed " + seed);
            assertEquals(ReadableRegions.ID, e.resultId(), "seed " + seed);
            regions.audit();
        }
        // One mebibyte ahead, and the test's own buffers and traces.
        assertTrue(most < 2 << 20, most + " bytes allocated for one payload");
    }
}
