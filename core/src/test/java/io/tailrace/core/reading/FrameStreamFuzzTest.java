// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.NaiveLz4;
import io.tailrace.core.testing.ReferenceDecoder;
import io.tailrace.core.testing.Reported;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Timeout;

/**
 * Streams that the fuzzer makes, under checksums that are right, through the receiver: no exception but ours, no more memory
 * than the window, no leak, and the referee reports the same.
 *
 * <p>As an ordinary test it repeats the inputs kept in {@code src/test/resources/…/FrameStreamFuzzTestInputs}. To fuzz, one
 * method at a time; crashes are kept there:
 *
 * <pre>
 * JAZZER_FUZZ=1 mvn -pl core test -Dsurefire.failIfNoSpecifiedTests=false \
 *     -Dtest='FrameStreamFuzzTest#framesAsTheFuzzerBuildsThem'
 * </pre>
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES) // fuzzing outlasts the usual minute
final class FrameStreamFuzzTest {

    private static final int CHUNK = 512;
    private static final int WINDOW = 2;

    /** Frames from a builder: the fuzzer picks kinds, bodies, and fields to break. */
    @FuzzTest(maxDuration = "2m")
    void framesAsTheFuzzerBuildsThem(FuzzedDataProvider data) throws IOException {
        FrameBytes stream = data.consumeBoolean() ? FrameBytes.file() : FrameBytes.connection();
        stream.open();
        for (int frames = 0; data.remainingBytes() > 0 && frames < 200; frames++) {
            add(stream, data);
            if (data.consumeByte() > 100) {
                breakLast(stream, data);
            }
        }
        check(stream.toBytes(), data.consumeInt(0, 50));
    }

    /** Bytes as they are, but for the checksums, which are put right frame by frame as long as lengths make sense. */
    @FuzzTest(maxDuration = "2m")
    void bytesUnderRightChecksums(FuzzedDataProvider data) throws IOException {
        int cut = data.consumeInt(0, 50);
        boolean bodies = data.consumeBoolean();
        byte[] bytes = data.consumeRemainingAsBytes();
        repair(bytes, bodies);
        check(bytes, cut);
    }

    private static void add(FrameBytes stream, FuzzedDataProvider data) {
        switch (data.consumeInt(0, 9)) {
            case 0 -> stream.end();
            case 1 -> stream.failure(data.consumeInt(0, 255), data.consumeBoolean(), "C", data.consumeString(20), "");
            case 2 -> {
                stream.compression(data.consumeInt(0, 2));
                stream.chunkSize(data.pickValue(new int[] {512, 512, 512, 513, 511, 600, 1 << 24}));
                stream.identity(data.consumeString(8), data.consumeByte(), data.consumeByte(), data.consumeByte());
                stream.open();
            }
            case 3 -> {
                int length = data.consumeInt(14, 480);
                stream.compressed(data.consumeInt(2, 3), NaiveLz4.run(data.consumeByte(), length), length);
            }
            case 4 -> stream.compressed(data.consumeInt(1, 5), data.consumeBytes(60), data.consumeInt(0, 500));
            case 5 -> stream.frame(data.consumeInt(0x80, 0xFF), data.consumeBytes(40));
            case 6 ->
                stream.frame(data.consumeInt(0, 0xFF), data.consumeBytes(60)).streamId(data.consumeInt(0, 3));
            case 7 -> stream.trailer(data.consumeBytes(30));
            default -> stream.data(data.consumeBytes(60));
        }
    }

    private static void breakLast(FrameBytes stream, FuzzedDataProvider data) {
        switch (data.consumeInt(0, 9)) {
            case 0 -> stream.kind(data.consumeInt(0, 255));
            case 1 -> stream.flags(data.consumeInt(0, 255));
            case 2 -> stream.reserved(data.consumeInt(0, 255));
            case 3 -> stream.sequence(data.consumeInt(0, 20));
            case 4 -> stream.sequence(data.consumeInt());
            case 5 -> stream.streamId(FrameBytes.FIRST_STREAM_ID + data.consumeInt(-1, 3));
            case 6 -> stream.wireLength(data.consumeInt(0, 600));
            case 7 -> stream.rawLength(data.consumeInt(0, 600));
            case 8 -> stream.rawLength(data.consumeInt());
            default -> stream.body(data.consumeBytes(80));
        }
    }

    private static void repair(byte[] bytes, boolean bodies) {
        byte[] preamble = FrameBytes.connection().preamble();
        System.arraycopy(preamble, 0, bytes, 0, Math.min(preamble.length, bytes.length));
        ByteBuffer fields = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        CRC32C crc = new CRC32C();
        for (long at = preamble.length; at + 32 <= bytes.length; ) {
            int header = (int) at;
            bytes[header + 3] = 0;
            long length = Integer.toUnsignedLong(fields.getInt(header + 16));
            if (bodies && at + 32 + length <= bytes.length) {
                crc.reset();
                crc.update(bytes, header + 32, (int) length);
                fields.putInt(header + 24, (int) crc.getValue());
            }
            crc.reset();
            crc.update(bytes, header, 28);
            fields.putInt(header + 28, (int) crc.getValue());
            at += 32 + length;
        }
    }

    private static void check(byte[] stream, int cut) throws IOException {
        try (ChunkPool pool =
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(8 * CHUNK).build()) {
            Reading reading = Reading.of(pool).window(WINDOW);
            List<Reported> reports = reading.push(stream, every(cut, stream.length));
            assertEquals(Reading.outlines(ReferenceDecoder.decode(stream, CHUNK)), Reading.outlines(reports));
            assertTrue(pool.peakLiveBytes() <= WINDOW * CHUNK, () -> "peak of " + pool.peakLiveBytes());
            assertEquals(pool.budgetBytes(), pool.freeBytes(), pool::report);
        }
    }

    private static Cuts every(int bytes, int length) {
        int step = bytes == 0 ? length + 1 : bytes;
        return new Cuts(
                "each " + bytes,
                java.util.stream.IntStream.iterate(step, at -> at < length, at -> at + step)
                        .toArray());
    }
}
