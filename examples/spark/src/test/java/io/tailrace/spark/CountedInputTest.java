// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class CountedInputTest {

    private static final StageAttempt STAGE = new StageAttempt(1, 0);

    /** At most so many bytes at a time, as chunks end; then fails, or ends. */
    private static InputStream inPieces(byte[] bytes, int piece, IOException failure) {
        return new InputStream() {
            private final InputStream from = new ByteArrayInputStream(bytes);

            @Override
            public int read() {
                throw new UnsupportedOperationException("byte by byte");
            }

            @Override
            public int read(byte[] into, int at, int length) throws IOException {
                int read = from.readNBytes(into, at, Math.min(piece, length));
                if (read == 0 && failure != null) {
                    throw failure;
                }
                return read == 0 ? -1 : read;
            }

            /** As where a chunk ends. */
            @Override
            public int available() {
                return 0;
            }
        };
    }

    @Test
    void readsOfAllSizesGiveEveryByteOnceAndCountIt() throws IOException {
        for (long seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            byte[] bytes = new byte[random.nextInt(100_000)];
            random.nextBytes(bytes);
            StageTotals totals = new StageTotals(0, (stage, message) -> {});
            CountedInput in = new CountedInput(inPieces(bytes, 1 + random.nextInt(20_000), null), totals.open(STAGE));
            byte[] read = new byte[bytes.length];
            int done = 0;
            while (done < read.length) {
                assertEquals(done, in.count());
                int atHand = in.available();
                assertTrue(atHand > 0 && atHand <= read.length - done, "at hand: " + atHand);
                if (random.nextInt(4) == 0) {
                    int length = random.nextInt(Math.min(30_000, read.length - done) + 1);
                    done += in.read(read, done, length);
                } else {
                    read[done++] = (byte) in.read();
                }
            }
            assertArrayEquals(bytes, read, "seed " + seed);
            assertEquals(0, in.available());
            assertEquals(-1, in.read());
            assertEquals(-1, in.read(new byte[10_000], 0, 10_000));
            assertEquals(bytes.length, in.count());
            assertEquals(bytes.length, totals.bytes(STAGE));
        }
    }

    @Test
    void failureComesBehindTheBytesThatWereReadAndIsKept() throws IOException {
        IOException lost = new IOException("lost");
        CountedInput in = new CountedInput(inPieces(new byte[] {1, 2, 3}, 2, lost), StageTotals.uncounted());
        for (int i = 1; i <= 3; i++) {
            assertEquals(i, in.read());
        }
        assertSame(lost, assertThrows(IOException.class, in::read));
        assertSame(lost, in.failure());
    }

    @Test
    void bytesAboveTheLimitAreNotRead() {
        StageTotals totals = new StageTotals(5_000, (stage, message) -> {});
        CountedInput in = new CountedInput(inPieces(new byte[8_000], 8_000, null), totals.open(STAGE));
        assertSame(assertThrows(MaxResultSizeException.class, in::read), in.failure());
    }
}
