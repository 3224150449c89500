// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.FrameVector;
import io.tailrace.core.testing.HexText;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.ReferenceDecoder;
import io.tailrace.core.testing.Reported;
import io.tailrace.core.testing.Reported.Failure;
import io.tailrace.core.testing.Reported.Opened;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The other way round: what a vector holds, written by the encoder, is the vector. Only stream ids are random and patched. */
final class ReencodingTest {

    /** The others are cut into other frames than ours, compressed by LZ4, failed with texts of their own, or of later versions. */
    private static final Set<String> OF_OUR_SHAPE = Set.of(
            "connection-purpose",
            "empty-result",
            "extreme-identity",
            "longest-open-texts",
            "no-results",
            "shortest-open",
            "small-result",
            "stream-id-wraps",
            "trailer-only",
            "two-results");

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void vectorsOfOurShapeAreWrittenByteForByte() throws IOException {
        Set<String> same = new TreeSet<>();
        for (FrameVector vector : FrameVector.valid()) {
            byte[] written = write(vector.bytes());
            if (OF_OUR_SHAPE.contains(vector.name())) {
                assertEquals(HexText.format(vector.bytes()), HexText.format(written), vector.name());
                same.add(vector.name());
            } else {
                requireSameContent(vector, written);
            }
        }
        assertEquals(new TreeSet<>(OF_OUR_SHAPE), same);
    }

    /** Written in other frames, perhaps: but it says the same. */
    private static void requireSameContent(FrameVector vector, byte[] written) {
        List<Reported> theirs = ReferenceDecoder.decode(vector.bytes());
        List<Reported> ours = ReferenceDecoder.decode(written);
        assertEquals(theirs.size(), ours.size(), vector.name());
        for (int i = 0; i < theirs.size(); i++) {
            assertEquals(theirs.get(i).terminal(), ours.get(i).terminal(), vector.name());
            assertEquals(theirs.get(i).opened(), ours.get(i).opened(), vector.name());
            if (theirs.get(i).failure() == null) {
                assertArrayEquals(theirs.get(i).payload(), ours.get(i).payload(), vector.name());
                assertArrayEquals(theirs.get(i).trailer(), ours.get(i).trailer(), vector.name());
            }
        }
    }

    private byte[] write(byte[] vector) throws IOException {
        FrameBatch.Purpose purpose = vector[10] == 1 ? FrameBatch.Purpose.FILE : FrameBatch.Purpose.CONNECTION;
        MemorySink sink = new MemorySink(purpose);
        for (Reported reported : ReferenceDecoder.decode(vector)) {
            Opened opened = reported.opened();
            ChunkPool pool = audit.pool(opened.chunkSize(), 4L * opened.chunkSize());
            ResultEncoder encoder = ResultEncoder.builder(pool)
                    .window(4)
                    .compression(opened.compression() == 0 ? null : new NaiveBlocks())
                    .build();
            ResultId id = new ResultId(opened.job(), opened.stage(), opened.task(), opened.attempt());
            try (ResultWriter writer = encoder.open(id, opened.codecId(), sink)) {
                write(writer, reported);
            }
        }
        byte[] written = sink.toByteArray();
        return written.length == 0 ? Arrays.copyOf(vector, 16) : withStreamIdsOf(vector, written);
    }

    private static void write(ResultWriter writer, Reported reported) throws IOException {
        writer.payload().writeBytes(reported.payload(), 0, reported.payload().length);
        if (reported.trailer().length > 0) {
            writer.trailer().writeBytes(reported.trailer(), 0, reported.trailer().length);
        }
        Failure failure = reported.failure();
        if (failure == null) {
            writer.finish();
        } else {
            writer.fail(thrown(failure));
        }
    }

    private static Throwable thrown(Failure failure) {
        IllegalStateException thrown = new IllegalStateException(failure.text());
        thrown.setStackTrace(new StackTraceElement[0]);
        return thrown;
    }

    /** Gives our frames the vector's stream ids, in the order of their opening. */
    private static byte[] withStreamIdsOf(byte[] vector, byte[] written) {
        ByteBuffer theirs = ByteBuffer.wrap(vector).order(ByteOrder.LITTLE_ENDIAN);
        List<Long> ids = Streams.frameOffsets(vector).stream()
                .filter(at -> at >= 16 && at < vector.length && vector[at] == 1)
                .map(at -> theirs.getLong(at + 8))
                .toList();
        ByteBuffer ours = ByteBuffer.wrap(written).order(ByteOrder.LITTLE_ENDIAN);
        int opened = -1;
        for (int at : Streams.frameOffsets(written)) {
            if (at >= 16 && at < written.length) {
                opened += written[at] == 1 ? 1 : 0;
                ours.putLong(at + 8, ids.get(opened));
                CRC32C crc = new CRC32C();
                crc.update(written, at, 28);
                ours.putInt(at + 28, (int) crc.getValue());
            }
        }
        return written;
    }
}
