// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A client whose server breaks the rules: the connection ends, its results are lost and their chunks come back. */
final class HostileServerTest {

    private static final int CHUNK = 4_096;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private static byte[] longs(long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long value : values) {
            bytes.putLong(value);
        }
        return bytes.array();
    }

    private static FrameBytes frames() {
        return FrameBytes.multiplexed();
    }

    /** Its chunk is RawPeer's: 512. */
    private static Map<String, FrameBytes> violations() {
        Map<String, FrameBytes> broken = new LinkedHashMap<>();
        broken.put("credit is not positive", frames().control(0x11, longs(0, -512)));
        broken.put("credit is not positive: 0", frames().control(0x11, longs(0, 0)));
        broken.put("credit is not in whole chunks", frames().control(0x11, longs(0, 513)));
        broken.put(
                "more credit than a number holds: 2^63",
                frames().control(0x11, longs(0, Long.MAX_VALUE - 511)).control(0x11, longs(0, 512)));
        broken.put("the last entry is cut", frames().control(0x11, new byte[24]));
        broken.put("unknown verdict", frames().control(0x17, new byte[] {9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}));
        broken.put("results are not from 1 to", frames().control(0x17, new byte[] {1, 0, 0, 0}));
        broken.put("stream id 0", frames().control(0x17, new byte[12]).bodyAt(0, (byte) 1));
        broken.put(
                "reason is too long",
                frames().control(0x17, new byte[4_000]).bodyAt(0, (byte) 1, (byte) 0, (byte) 0, (byte) 9));
        broken.put("unexpected frame of the connection: HELLO", frames().control(0x10, new byte[60]));
        broken.put("unexpected frame of the connection: PROOF", frames().control(0x15, new byte[32]));
        broken.put("unexpected frame of the connection: BACKLOG", frames().control(0x16, longs(1, 0, 0)));
        broken.put("unexpected frame of the connection: OPEN", frames().open());
        broken.put(
                "unexpected frame of the connection: END",
                frames().frame(4, new byte[40]).streamId(1));
        broken.put("unknown frame kind", frames().control(0x12, new byte[8]));
        broken.put("header checksum", frames().control(0x13, new byte[8]).headerChecksum(1));
        broken.put("body checksum", frames().control(0x13, new byte[8]).bodyChecksum(1));
        broken.put("too short", frames().control(0x13, new byte[7]));
        return broken;
    }

    /** A client and a server's port that a test answers at. */
    private final class Ends implements AutoCloseable {
        final ServerSocket port = new ServerSocket(0, 50, Site.loopback());
        final ChunkPool pool = audit.pool(CHUNK, 64 * CHUNK);
        final ResultClient client;

        Ends(int chunkBytes) throws IOException {
            client = Site.client(chunkBytes == CHUNK ? pool : audit.pool(chunkBytes, 64L * chunkBytes))
                    .secret(Site.SECRET)
                    .connectLimit(Duration.ofSeconds(5))
                    .connect(port.getLocalSocketAddress());
        }

        /** The next connection, greeted and proved to. */
        RawPeer accept() throws IOException {
            RawPeer server = RawPeer.of(port.accept());
            server.readGreeting();
            byte[] hello = RawPeer.hello(true, true, 2);
            server.send(RawPeer.PREAMBLE, hello);
            server.readUntil(() -> server.peersProof.length > 0);
            server.send(RawPeer.proof(Site.SECRET, true, server.peersHello, hello));
            return server;
        }

        @Override
        public void close() throws IOException {
            client.close();
            port.close();
        }
    }

    @Test
    void violationsEndTheConnectionAndLoseItsResults() throws Exception {
        Map<String, FrameBytes> violations = violations();
        try (Ends ends = new Ends(512)) {
            int task = 0;
            for (Map.Entry<String, FrameBytes> each : violations.entrySet()) {
                try (RawPeer server = ends.accept()) {
                    ResultId id = new ResultId("job", 1, task++, 0);
                    CompletableFuture<ResultFate> fate =
                            ends.client.submit(id, new ManyResultsTest.Longs(), new long[] {1, 20});
                    server.send(each.getValue());
                    server.awaitEnd();
                    assertEquals(ByeReason.PROTOCOL_BROKEN, server.bye, each.getKey());
                    String reason = each.getKey().replaceAll(": (0|2\\^63)$", "");
                    assertTrue(server.byeText.contains(reason), () -> server.byeText + " instead of " + reason);
                    assertEquals(Verdict.LOST, fate.get(5, TimeUnit.SECONDS).verdict());
                }
            }
            audit.cases(violations.size());
        }
    }

    @Test
    void whatConcernsResultsThatAreNotThereIsIgnored() throws Exception {
        try (Ends ends = new Ends(512);
                RawPeer server = ends.accept()) {
            server.send(frames().control(0x11, longs(77, 512, 78, 1_024))
                    .control(0x17, FrameBytes.join(List.of(new byte[] {2, 0, 0, 0}, longs(77, 78))))
                    .control(0x14, new byte[8])
                    .control(0xC0, new byte[8])
                    .sequence(5)
                    .control(0x13, new byte[8]));
            server.readUntil(() -> server.told.contains("PONG"));
            assertNull(server.bye);
            assertTrue(ends.client.isConnected());
        }
    }

    @Test
    void serverWithSmallerChunksIsLeft() throws Exception {
        try (Ends ends = new Ends(CHUNK);
                RawPeer server = RawPeer.of(ends.port.accept())) {
            server.readGreeting();
            server.send(RawPeer.PREAMBLE, RawPeer.hello(true, true, 2));
            server.awaitEnd();
            assertEquals(ByeReason.LIMIT, server.bye);
            assertTrue(server.byeText.startsWith("chunks of 4096 bytes; the receiver takes 512"), server.byeText);
        }
    }

    @Test
    void serverThatCannotProveItselfGetsNothing() throws Exception {
        try (Ends ends = new Ends(512)) {
            refused(ends, false, (server, hello) -> new byte[0]);
            refused(ends, true, (server, hello) -> RawPeer.proof(new byte[32], true, server.peersHello, hello));
            // the client's own, sent back
            refused(ends, true, (server, hello) -> RawPeer.proof(Site.SECRET, false, server.peersHello, hello));
        }
    }

    @FunctionalInterface
    private interface Answer {
        byte[] to(RawPeer server, byte[] hello);
    }

    private static void refused(Ends ends, boolean proves, Answer answer) throws Exception {
        try (RawPeer server = RawPeer.of(ends.port.accept())) {
            server.readGreeting();
            byte[] hello = RawPeer.hello(true, proves, 2);
            server.send(RawPeer.PREAMBLE, hello);
            if (proves) {
                server.readUntil(() -> server.peersProof.length > 0);
                server.send(answer.to(server, hello));
            }
            server.awaitEnd();
            assertEquals(ByeReason.NOT_AUTHENTICATED, server.bye);
            assertTrue(!server.told.contains("OPEN") && !ends.client.isConnected());
        }
    }

    @Test
    void garbageIsNamedToWhoeverWantsToSend() throws Exception {
        try (ServerSocket port = new ServerSocket(0, 50, Site.loopback());
                ResultClient client = Site.client(audit.pool(CHUNK, 64 * CHUNK))
                        .connectLimit(Duration.ofSeconds(1))
                        .connect(port.getLocalSocketAddress())) {
            CompletableFuture<Void> answering = CompletableFuture.runAsync(
                    () -> {
                        try (RawPeer web = RawPeer.of(port.accept())) {
                            web.send("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                            web.awaitEnd();
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    },
                    audit.executor());
            UndeliveredResultException lost = assertThrows(
                    UndeliveredResultException.class, () -> client.open(new ResultId("job", 1, 1, 1), "longs/1"));
            assertTrue(lost.fate().reason().contains("(HTTP)"), lost::toString);
            answering.get(5, TimeUnit.SECONDS);
        }
    }

    @Test
    void resultWithoutFateIsLostWithItsConnection() throws Exception {
        try (Ends ends = new Ends(512);
                RawPeer server = ends.accept();
                ResultWriter writer = ends.client.open(new ResultId("job", 1, 1, 1), "longs/1")) {
            writer.payload().writeLong(1);
            server.leave();
            UndeliveredResultException lost = assertThrows(UndeliveredResultException.class, writer::finish);
            assertEquals(Verdict.LOST, lost.fate().verdict());
            assertTrue(lost.retriable());
        }
    }
}
