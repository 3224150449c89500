// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.NettyResultDecoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.NettyLoop;
import io.tailrace.core.testing.Reported;
import io.tailrace.core.testing.Reported.Terminal;
import io.tailrace.core.wire.MalformedDataException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Peers that speak something else, and bytes where none belong: a clean error at once, which names what it sees. */
final class ForeignBytesTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ChunkPool pool;
    private Reading reading;
    private byte[] good;

    @BeforeEach
    void build() {
        pool = audit.pool(Streams.CHUNK, 8 * Streams.CHUNK);
        reading = Reading.of(pool);
        good = FrameBytes.connection().whole(new byte[700], new byte[5]).toBytes();
    }

    /** What strangers say first, and what of it they are named by. */
    private static Map<String, String> strangers() {
        Map<String, String> strangers = new LinkedHashMap<>();
        strangers.put("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP");
        strangers.put("POST /results HTTP/1.1\r\n", "HTTP");
        strangers.put("HTTP/1.1 400 Bad Request\r\n", "HTTP");
        strangers.put("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP");
        strangers.put(text("16 03 01 02 00 01 00 01 fc 03 03 00 00 00 00 00"), "TLS");
        strangers.put(text("15 03 03 00 02 02 28"), "TLS");
        strangers.put("SSH-2.0-OpenSSH_9.2\r\n", "53 53 48 2d");
        strangers.put("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "00 00");
        strangers.put(text("ac ed 00 05 73 72 00 10 6a 61 76 61 2e 6c 61 6e"), "ac ed");
        strangers.put(text("89 50 4e 47 0d 0a 1a 0a 00 00 00 0d 49 48 44 52"), "89 50 4e 47");
        return strangers;
    }

    @Test
    void strangersAreRefusedAndNamedBeforeMemoryIsTaken() throws IOException {
        Map<String, String> strangers = strangers();
        for (Map.Entry<String, String> entry : strangers.entrySet()) {
            byte[] bytes = entry.getKey().getBytes(ISO_8859_1);
            for (List<Reported> reports : List.of(reading.push(bytes, Cuts.none()), reading.pull(bytes, Cuts.none()))) {
                Reported only = onlyFault(reports);
                assertTrue(only.reason().startsWith("not a Tailrace stream"), only::reason);
                assertTrue(only.reason().contains(entry.getValue()), only::reason);
            }
            assertEquals(
                    Terminal.MALFORMED,
                    onlyFault(reading.push(bytes, Cuts.bytes(bytes.length))).terminal());
        }
        assertEquals(0, pool.peakLiveBytes());
        audit.cases(3L * strangers.size());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void strangerThatKeepsItsConnectionOpenIsRefusedWithinASecond(boolean ahead) throws Exception {
        Reading read = ahead ? reading.ahead(audit.executor()) : reading;
        for (Map.Entry<String, String> entry : strangers().entrySet()) {
            long start;
            try (ServerSocketChannel server = ServerSocketChannel.open()
                            .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                    SocketChannel client = SocketChannel.open(server.getLocalAddress());
                    ResultReader reader = read.builder().open(server.accept())) {
                start = System.nanoTime();
                client.write(ByteBuffer.wrap(entry.getKey().getBytes(ISO_8859_1)));
                MalformedDataException refused = assertThrows(MalformedDataException.class, reader::nextResult);
                assertTrue(refused.reason().contains(entry.getValue()), refused::reason);
                assertTrue(client.isConnected(), "it would have waited");
            }
            requireWithinASecond(start, entry.getKey()); // the reader's close included
        }
        audit.cases(strangers().size());
    }

    @Test
    void nettysChannelIsClosedToAStrangerWithinASecond() throws Exception {
        for (Map.Entry<String, String> entry : strangers().entrySet()) {
            Recording recording = new Recording();
            try (NettyLoop loop = NettyLoop.open(
                    channel -> channel.pipeline().addLast(new NettyResultDecoder(reading.builder(), recording)))) {
                long start = System.nanoTime();
                loop.plain().write(ByteBuffer.wrap(entry.getKey().getBytes(ISO_8859_1)));
                assertTrue(loop.netty().closeFuture().await(1, TimeUnit.SECONDS), entry.getKey());
                assertEquals(-1, readToEnd(loop.plain()));
                requireWithinASecond(start, entry.getKey());
                Reported only = onlyFault(recording.reports());
                assertTrue(only.reason().contains(entry.getValue()), only::reason);
            }
        }
        audit.cases(strangers().size());
    }

    /** What is not read when a socket is closed resets its connection: for its peer an end as well. */
    private static int readToEnd(SocketChannel channel) {
        try {
            return channel.read(ByteBuffer.allocate(1));
        } catch (IOException e) {
            return -1;
        }
    }

    private static void requireWithinASecond(long start, String what) {
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(millis < 1_000, () -> millis + " ms for " + what);
    }

    @Test
    void strangerIsRefusedAtItsFirstWrongByte() throws IOException {
        for (int wrong = 0; wrong < 16; wrong++) {
            byte[] bytes = Arrays.copyOf(good, wrong + 1);
            bytes[wrong] ^= 0x20;
            Reported only = onlyFault(reading.push(bytes, Cuts.none()));
            assertEquals(
                    wrong < 8 || wrong == 15 ? Terminal.MALFORMED : Terminal.TRUNCATED, only.terminal(), "" + wrong);
        }
    }

    @Test
    void garbageInFrontOfThePreambleIsRefused() throws IOException {
        Random random = audit.random();
        for (int length = 1; length < 64; length++) {
            byte[] garbage = new byte[length];
            random.nextBytes(garbage);
            if (garbage[0] == (byte) 0x89) {
                garbage[0] = 0;
            }
            Reported only = onlyFault(reading.push(FrameBytes.join(List.of(garbage, good)), Cuts.none()));
            assertEquals(Terminal.MALFORMED, only.terminal());
        }
        audit.cases(63);
    }

    @Test
    void garbageBehindAResultIsRefusedAndTheResultStands() throws IOException {
        Random random = audit.random();
        for (int length = 1; length < 100; length++) {
            byte[] garbage = new byte[length];
            if (length % 3 != 0) {
                random.nextBytes(garbage); // else zeros: a file with a hole
            }
            byte[] stream = FrameBytes.join(List.of(good, garbage));
            for (List<Reported> reports :
                    List.of(reading.push(stream, Cuts.none()), reading.pull(stream, Cuts.halves(stream.length)))) {
                assertEquals(2, reports.size());
                assertEquals(Terminal.END, reports.get(0).terminal());
                assertEquals(
                        length < 32 ? Terminal.TRUNCATED : Terminal.MALFORMED,
                        reports.get(1).terminal());
                assertTrue(reports.get(1).connectionOver());
            }
        }
        audit.cases(2 * 99);
    }

    @Test
    void garbageInsideAResultFailsItAndEndsTheStream() throws IOException {
        Random random = audit.random();
        List<Integer> offsets = Streams.frameOffsets(good);
        for (int at : offsets.subList(2, offsets.size() - 1)) {
            byte[] garbage = new byte[40];
            random.nextBytes(garbage);
            byte[] stream = FrameBytes.join(
                    List.of(Arrays.copyOf(good, at), garbage, Arrays.copyOfRange(good, at, good.length)));
            Reported only = onlyFault(reading.push(stream, Cuts.none()));
            assertEquals(Terminal.MALFORMED, only.terminal());
            assertTrue(only.opened() != null, "it was open");
        }
    }

    @Test
    void emptyStreamIsATruncationAndAPreambleAloneIsNot() throws IOException {
        assertEquals(
                Terminal.TRUNCATED,
                onlyFault(reading.push(new byte[0], Cuts.none())).terminal());
        assertEquals(
                Terminal.TRUNCATED,
                onlyFault(reading.pull(new byte[0], Cuts.none())).terminal());
        assertEquals(List.of(), reading.push(Arrays.copyOf(good, 16), Cuts.none()));
        assertEquals(List.of(), reading.pull(Arrays.copyOf(good, 16), Cuts.none()));
        assertEquals(0, pool.peakLiveBytes());
    }

    @Test
    void secondPreambleIsRefused() throws IOException {
        List<Reported> reports = reading.push(FrameBytes.join(List.of(good, good)), Cuts.none());
        assertEquals(
                List.of(Terminal.END, Terminal.MALFORMED),
                reports.stream().map(Reported::terminal).toList());
        assertTrue(reports.get(1).connectionOver());
    }

    private static String text(String hex) {
        return new String(HexFormat.ofDelimiter(" ").parseHex(hex), ISO_8859_1);
    }

    private static Reported onlyFault(List<Reported> reports) {
        assertEquals(1, reports.size(), () -> "" + reports);
        assertTrue(reports.get(0).connectionOver());
        return reports.get(0);
    }
}
