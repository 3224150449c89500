// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.TruncatedResultException;
import io.tailrace.core.wire.WireInput;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a caller of the reader need not do: read all, read in order, or read on after a failure. */
final class SkippingTest {

    private static final int PAYLOAD = 5_000;
    private static final int TRAILER = 1_500;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ChunkPool pool;
    private byte[] three;

    @BeforeEach
    void build() {
        pool = audit.pool(Streams.CHUNK, 8 * Streams.CHUNK);
        FrameBytes stream = FrameBytes.connection();
        for (int i = 0; i < 3; i++) {
            stream.identity("etl", 3, i, 0).whole(filled(PAYLOAD, i), filled(TRAILER, 100 + i));
        }
        three = stream.toBytes();
    }

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private ResultReader reader(ReadableByteChannel channel) throws IOException {
        return ResultReader.builder(pool).window(1).open(channel);
    }

    private ResultReader reader(byte[] stream) throws IOException {
        return reader(Channels.newChannel(new ByteArrayInputStream(stream)));
    }

    private ResultReader readerAhead(byte[] stream) throws IOException {
        return ResultReader.builder(pool)
                .window(2)
                .readingOn(audit.executor())
                .open(Channels.newChannel(new ByteArrayInputStream(stream)));
    }

    @Test
    void resultsMayBePassedOverUnread() throws IOException {
        try (ResultReader reader = reader(three)) {
            for (int i = 0; i < 3; i++) {
                assertTrue(reader.nextResult());
                assertEquals(i, reader.id().task());
            }
            assertFalse(reader.nextResult());
            assertFalse(reader.nextResult(), "and again");
            assertThrows(IllegalStateException.class, reader::id);
        }
    }

    @Test
    void anyPartOfAResultMayBeReadBeforeTheNext() throws IOException {
        Random random = audit.random();
        int cases = 2_000;
        for (int c = 0; c < cases; c++) {
            try (ResultReader reader = c % 4 == 0 ? readerAhead(three) : reader(three)) {
                for (int i = 0; i < 3; i++) {
                    assertTrue(reader.nextResult());
                    assertEquals(i, reader.id().task());
                    readSome(reader, i, random);
                }
                assertFalse(reader.nextResult());
            }
        }
        audit.cases(cases);
    }

    private static void readSome(ResultReader reader, int i, Random random) throws IOException {
        if (random.nextBoolean()) {
            readSome(reader.payload(), PAYLOAD, i, random);
        }
        if (random.nextBoolean()) {
            readSome(reader.trailer(), TRAILER, 100 + i, random);
        }
        if (random.nextBoolean()) {
            assertEquals(PAYLOAD, reader.finish().payloadBytes());
            if (random.nextBoolean()) {
                assertEquals(TRAILER, reader.finish().trailerBytes(), "finished again");
            }
            assertTrue(reader.payload().exhausted());
            assertTrue(reader.trailer().exhausted());
        }
    }

    private static void readSome(WireInput in, int length, int value, Random random) throws IOException {
        int some = random.nextInt(3) == 0 ? length : random.nextInt(length);
        for (byte each : in.readByteArray(some)) {
            assertEquals((byte) value, each);
        }
        assertEquals(some, in.position());
        if (some == length) {
            assertTrue(in.exhausted());
            assertThrows(MalformedDataException.class, in::readByte);
        }
    }

    @Test
    void trailerIsReadWithoutTheData() throws IOException {
        try (ResultReader reader = reader(three)) {
            assertTrue(reader.nextResult());
            assertEquals((byte) 100, reader.trailer().readByte());
            assertTrue(reader.payload().exhausted(), "it is behind");
            assertEquals(PAYLOAD, reader.finish().payloadBytes());
        }
    }

    @Test
    void readerMayBeClosedAnywhere() throws IOException {
        Random random = audit.random();
        int cases = 500;
        for (int c = 0; c < cases; c++) {
            ResultReader reader = c % 2 == 0 ? reader(three) : readerAhead(three);
            for (int i = random.nextInt(4); i > 0; i--) {
                reader.nextResult();
                readSome(reader, (int) reader.id().task(), random);
            }
            reader.close();
            reader.close();
            audit.requireWhole();
        }
        audit.cases(cases);
    }

    @Test
    void closedReaderReadsNothingAndHoldsNothing() throws IOException {
        ResultReader reader = reader(three);
        assertTrue(reader.nextResult());
        WireInput payload = reader.payload();
        payload.readByte();
        reader.close();
        assertThrows(ResultException.class, payload::readByte);
        assertThrows(ResultException.class, reader::finish);
        assertThrows(ResultException.class, reader::nextResult);
    }

    @Test
    void inputKeptFromAnEarlierResultReadsNothingOfTheNext() throws IOException {
        try (ResultReader reader = reader(three)) {
            assertTrue(reader.nextResult());
            WireInput payload = reader.payload();
            assertTrue(reader.nextResult());
            assertThrows(IllegalStateException.class, payload::readByte);
            WireInput trailer = reader.trailer();
            trailer.readByte();
            assertTrue(reader.nextResult());
            assertThrows(IllegalStateException.class, payload::readByte);
            assertThrows(IllegalStateException.class, trailer::readByte);
            for (byte each : reader.payload().readByteArray(PAYLOAD)) {
                assertEquals(2, each);
            }
            assertEquals(PAYLOAD, reader.finish().payloadBytes());
            assertFalse(reader.nextResult());
            assertThrows(IllegalStateException.class, trailer::readByte);
        }
    }

    @Test
    void failedResultIsSkippedWhereverItsReaderWas() throws IOException {
        Random random = audit.random();
        List<Integer> frames = Streams.frameOffsets(three);
        int perResult = (frames.size() - 2) / 3;
        int cases = 0;
        for (int frame = 1 + perResult; frame < 1 + 2 * perResult; frame++) {
            byte[] damaged = three.clone();
            damaged[frames.get(frame) + 32] ^= 1; // the first byte of its body
            for (int how = 0; how < 4; how++) {
                try (ResultReader reader = reader(damaged)) {
                    assertTrue(reader.nextResult());
                    readSome(reader, 0, random);
                    failSecond(reader, how, frame == 1 + perResult);
                    assertTrue(reader.nextResult());
                    assertEquals(2, reader.id().task());
                    assertEquals(PAYLOAD, reader.finish().payloadBytes());
                    assertFalse(reader.nextResult());
                }
                cases++;
            }
        }
        audit.cases(cases);
    }

    private static void failSecond(ResultReader reader, int how, boolean openDamaged) throws IOException {
        if (openDamaged) {
            assertThrows(MalformedDataException.class, reader::nextResult);
            assertThrows(IllegalStateException.class, reader::finish, "there is none to finish");
            return;
        }
        assertTrue(reader.nextResult());
        ResultException told = switch (how) {
            case 0 -> assertThrows(MalformedDataException.class, reader::finish);
            case 1 -> assertThrows(MalformedDataException.class, () -> readAll(reader));
            case 2 ->
                assertThrows(MalformedDataException.class, () -> {
                    reader.payload().readByte();
                    reader.trailer().readByte();
                    reader.finish();
                });
            default -> null; // nobody asks
        };
        if (told != null) {
            assertSame(told, assertThrows(MalformedDataException.class, reader::finish), "and again");
            assertEquals(1, told.resultId().task());
        }
    }

    private static void readAll(ResultReader reader) throws IOException {
        reader.payload().readByteArray(PAYLOAD);
        reader.trailer().readByteArray(TRAILER);
        reader.finish();
    }

    @Test
    void errorOfTheChannelReachesTheCallerAndNothingIsLost() throws IOException {
        int cases = 0;
        for (int at = 0; at < three.length; at += 97) {
            Breaking channel = new Breaking(three, at);
            try (ResultReader reader = reader(channel)) {
                IOException thrown = assertThrows(IOException.class, () -> {
                    while (reader.nextResult()) {
                        readAll(reader);
                    }
                });
                assertEquals("reset by peer", thrown.getMessage());
                assertFalse(thrown instanceof ResultException);
            }
            audit.requireWhole();
            cases++;
        }
        audit.cases(cases);
    }

    @Test
    void readGoesOnBehindAnErrorThatPasses() throws IOException {
        for (int at = 0; at < three.length; at += 97) {
            Breaking channel = new Breaking(three, at);
            channel.times = 1;
            try (ResultReader reader = reader(channel)) {
                int failed = 0;
                int complete = 0;
                while (complete < 3) {
                    try {
                        assertTrue(reader.nextResult());
                        readAll(reader);
                        complete++;
                    } catch (ResultException e) {
                        throw new AssertionError(e);
                    } catch (IOException e) {
                        failed++;
                        complete += resumed(reader) ? 1 : 0;
                    }
                }
                assertEquals(1, failed);
                assertFalse(reader.nextResult());
            }
        }
    }

    /** The result that was being read when the channel failed can still be finished. */
    private static boolean resumed(ResultReader reader) throws IOException {
        try {
            reader.id();
        } catch (IllegalStateException e) {
            return false;
        }
        assertEquals(PAYLOAD, reader.finish().payloadBytes());
        return true;
    }

    @Test
    void truncationIsToldHoweverLittleWasRead() throws IOException {
        for (int length = 0; length < three.length; length += 31) {
            byte[] cut = Arrays.copyOf(three, length);
            boolean clean = length == 16;
            try (ResultReader reader = reader(cut)) {
                if (clean) {
                    assertFalse(reader.nextResult());
                } else {
                    assertThrows(TruncatedResultException.class, () -> {
                        while (reader.nextResult()) {
                            // not read at all
                        }
                    });
                }
            }
        }
    }

    @Test
    void readerWithoutAResultSaysSo() throws IOException {
        try (ResultReader reader = reader(three)) {
            assertThrows(IllegalStateException.class, reader::id);
            assertThrows(IllegalStateException.class, reader::codecId);
            assertThrows(IllegalStateException.class, reader::payload);
            assertThrows(IllegalStateException.class, reader::trailer);
            assertThrows(IllegalStateException.class, reader::finish);
        }
    }

    /** Fails at one place of the stream, for ever or so many times. */
    private static final class Breaking implements ReadableByteChannel {
        private final ByteBuffer bytes;
        private final int at;
        private int times = Integer.MAX_VALUE;

        Breaking(byte[] stream, int at) {
            this.bytes = ByteBuffer.wrap(stream);
            this.at = at;
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            if (bytes.position() == at && times-- > 0) {
                throw new IOException("reset by peer");
            }
            if (!bytes.hasRemaining()) {
                return -1;
            }
            int until = bytes.position() < at ? at : bytes.capacity();
            int length = Math.min(target.remaining(), until - bytes.position());
            target.put(bytes.slice(bytes.position(), length));
            bytes.position(bytes.position() + length);
            return length;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }
}
