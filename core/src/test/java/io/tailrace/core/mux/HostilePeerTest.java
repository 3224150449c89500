// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static io.tailrace.core.mux.Tapped.CHUNK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameSealer;
import io.tailrace.core.frame.Preamble;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Sound frames at the wrong time: they end their connection, with the cause told, and harm nobody else. */
final class HostilePeerTest {

    private static final ResultFate FATE = new ResultFate(Verdict.ACCEPTED, "", false);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final ChunkPool pool = audit.pool(CHUNK, 64L * CHUNK);
    private final Lenient host = new Lenient();

    /** Lets all in. */
    private static final class Lenient implements Host {
        final List<Arriving> decoded = new ArrayList<>();
        int share = 8;

        @Override
        public boolean admit(Arriving result) {
            return true;
        }

        @Override
        public void decode(Arriving result) {
            decoded.add(result);
            result.start();
        }

        @Override
        public void lost(Arriving result) {}

        @Override
        public int takeShare(int chunks) {
            share -= chunks;
            return chunks;
        }

        @Override
        public void giveShare(int chunks) {
            share += chunks;
        }
    }

    static List<Arguments> whatNoClientMaySend() {
        return List.of(
                wrong("unexpected frame of the connection: HELLO", into -> Tapped.hello(into, false, false, CHUNK)),
                wrong("unexpected frame of the connection: PROOF", into -> ControlWriter.proof(into, new byte[32])),
                wrong("unexpected frame of the connection: CREDIT", into -> Tapped.credit(into, 0, CHUNK)),
                wrong("unexpected frame of the connection: CREDIT", into -> Tapped.credit(into, 7, 1)),
                wrong(
                        "unexpected frame of the connection: FATE",
                        into -> ControlWriter.fate(into, FATE, new long[] {7}, 1)),
                wrong(
                        "backlog of a result that is not open: stream 9",
                        into -> ControlWriter.backlog(into, 9, 0, true)),
                wrong(
                        "frame of a result that is not open: stream 9",
                        into -> Tapped.data(into, new FrameSealer(9), 40)),
                wrong("result opened twice: stream 7", into -> {
                    Tapped.open(into, 7);
                    Tapped.open(into, 7);
                }),
                wrong("frame of a result that is not open: stream 7", into -> {
                    FrameSealer sealer = Tapped.open(into, 7);
                    sealer.appendEnd(into);
                    Tapped.data(into, sealer, 40);
                }),
                wrong("frame of a result that is not open: stream 7", into -> {
                    FrameSealer sealer = Tapped.open(into, 7);
                    sealer.appendEnd(into);
                    sealer.appendEnd(into);
                }),
                wrong("backlog of a result that is not open: stream 7", into -> {
                    Tapped.open(into, 7).appendEnd(into);
                    ControlWriter.backlog(into, 7, 100, false);
                }),
                wrong("initial credit exceeded", into -> {
                    FrameSealer sealer = Tapped.open(into, 7);
                    Tapped.data(into, sealer, CHUNK);
                    Tapped.data(into, sealer, CHUNK);
                    Tapped.data(into, sealer, 33);
                }),
                wrong("frame without credit", into -> {
                    Tapped.data(into, Tapped.open(into, 7), CHUNK);
                    Tapped.data(into, Tapped.open(into, 8), CHUNK);
                    Tapped.data(into, Tapped.open(into, 9), 33);
                }),
                wrong("frame without credit", into -> Tapped.data(into, Tapped.open(into, 7), CHUNK + 1)),
                wrong("frame without credit", into -> {
                    FrameSealer sealer = Tapped.open(into, 7);
                    ControlWriter.backlog(into, 7, 100, true);
                    Tapped.data(into, sealer, 40);
                }),
                wrong("unknown frame kind of the connection", into -> Tapped.data(into, new FrameSealer(0), 40)),
                wrong("header checksum does not match", into -> into.writeZero(32)));
    }

    private static Arguments wrong(String cause, Consumer<ByteBuf> frames) {
        return arguments(cause, frames);
    }

    @ParameterizedTest
    @MethodSource("whatNoClientMaySend")
    void serverEndsTheConnectionAndNoOther(String cause, Consumer<ByteBuf> frames) throws Exception {
        Tapped other = Tapped.server(host, pool, null);
        other.greet(false, false, CHUNK);
        FrameSealer[] honest = new FrameSealer[1];
        other.receive(into -> {
            honest[0] = Tapped.open(into, 5);
            Tapped.data(into, honest[0], 100);
        });
        Tapped attacked = Tapped.server(host, pool, null);
        attacked.greet(false, false, CHUNK);
        assertTrue(attacked.connection.isOpen());

        attacked.receive(frames);

        assertEnded(attacked, cause);
        host.decoded.subList(1, host.decoded.size()).forEach(Arriving::close);
        assertEquals(6, host.share, "what came whole kept its part of it until it was read");
        other.receive(into -> honest[0].appendEnd(into));
        Arriving result = host.decoded.get(0);
        assertTrue(result.isComplete());
        while (result.next() != null) {}
        result.close();
        result.settle(FATE, null);
        assertEquals(FrameKind.FATE, last(other));
        assertTrue(other.connection.isOpen());
        other.connection.close(ByeReason.DONE, "");
        assertEquals(8, host.share);
    }

    private static void assertEnded(Tapped end, String cause) {
        assertTrue(end.connection.isClosed(), "it goes on");
        assertTrue(end.closed, "the link stays");
        assertTrue(String.valueOf(end.cause).contains(cause), () -> "another cause: " + end.cause);
        assertEquals(FrameKind.BYE, last(end));
    }

    private static FrameKind last(Tapped end) {
        return end.told.get(end.told.size() - 1);
    }

    static List<Arguments> whatNoServerMaySend() {
        return List.of(
                wrong("unexpected frame of the connection: HELLO", into -> Tapped.hello(into, true, false, CHUNK)),
                wrong("unexpected frame of the connection: OPEN", into -> Tapped.open(into, 7)),
                wrong("unexpected frame of the connection: DATA", into -> Tapped.data(into, new FrameSealer(7), 40)),
                wrong("unexpected frame of the connection: BACKLOG", into -> ControlWriter.backlog(into, 7, 0, false)),
                wrong("credit is not in whole chunks", into -> Tapped.credit(into, 0, CHUNK + 1)),
                wrong("credit", into -> {
                    Tapped.credit(into, 0, CHUNK);
                    into.setLongLE(into.writerIndex() - 8, -CHUNK);
                }),
                wrong("more credit than a number holds", into -> {
                    Tapped.credit(into, 0, 1L << 62);
                    Tapped.credit(into, 0, 1L << 62);
                }),
                wrong("more credit than a number holds", into -> {
                    Tapped.credit(into, 5, 1L << 62);
                    Tapped.credit(into, 5, 1L << 62);
                }));
    }

    @ParameterizedTest
    @MethodSource("whatNoServerMaySend")
    void clientEndsTheConnection(String cause, Consumer<ByteBuf> frames) throws Exception {
        Tapped client = Tapped.client(pool, null);
        client.greet(true, false, CHUNK);
        CompletableFuture<ResultFate> fate = offered(client, 5);

        client.receive(frames);

        if (cause.equals("credit")) {
            assertTrue(client.connection.isClosed());
        } else {
            assertEnded(client, cause);
        }
        assertEquals(Verdict.LOST, fate.get().verdict());
        assertEquals(0, client.connection.sender().openResults());
    }

    private CompletableFuture<ResultFate> offered(Tapped client, long stream) throws Exception {
        CompletableFuture<ResultFate> fate = new CompletableFuture<>();
        Outgoing result = client.connection.sender().open(stream, new ResultId("job", 0, 5, 0), -1, fate);
        try (var window = pool.open("a writer", 1, 1)) {
            var chunk = window.acquire();
            FrameSealer sealer = Tapped.open(chunk, stream);
            Tapped.data(chunk, sealer, 100);
            assertTrue(result.offer(chunk));
            chunk.release();
        }
        return fate;
    }

    @Test
    void clientPassesOverWhatMayHaveCrossedItsOwnWords() throws Exception {
        Tapped client = Tapped.client(pool, null);
        client.greet(true, false, CHUNK);
        client.receive(into -> {
            Tapped.credit(into, 99, CHUNK);
            ControlWriter.fate(into, FATE, new long[] {99, 98}, 2);
        });
        assertTrue(client.connection.isOpen());
        client.connection.close(ByeReason.DONE, "");
    }

    @Test
    void nothingIsSaidBehindAFarewell() {
        Tapped server = Tapped.server(host, pool, null);
        server.greet(false, false, CHUNK);
        int before = server.told.size();
        server.receive(into -> {
            Tapped.open(into, 7);
            ControlWriter.bye(into, ByeReason.DONE, "");
            ControlWriter.ping(into, 1);
        });
        assertTrue(server.connection.isClosed());
        assertEquals(before, server.told.size());
        host.decoded.forEach(Arriving::close);
    }

    static List<Arguments> whatMayNotComeBeforeAProof() {
        return List.of(
                wrong("not authenticated", into -> Tapped.open(into, 7)),
                wrong("not authenticated", into -> Tapped.data(into, new FrameSealer(7), 40)),
                wrong("unexpected frame of the connection: BACKLOG", into -> ControlWriter.backlog(into, 7, 0, false)),
                wrong("not authenticated", into -> ControlWriter.proof(into, new byte[32])),
                wrong("not authenticated", into -> {
                    int header = into.writerIndex();
                    into.writeZero(8_000);
                    new FrameSealer(7).seal(into, header, FrameKind.FAILURE);
                }),
                wrong("unexpected frame of the connection: PING", into -> ControlWriter.ping(into, 1)));
    }

    @ParameterizedTest
    @MethodSource("whatMayNotComeBeforeAProof")
    void strangerGetsNothing(String cause, Consumer<ByteBuf> frames) {
        Tapped server = Tapped.server(host, pool, new Proofs(new byte[16]));
        server.greet(false, true, CHUNK);
        assertFalse(server.connection.isOpen());

        server.receive(frames);

        assertEnded(server, cause);
        assertFalse(server.opened);
        assertEquals(0, pool.peakLiveBytes());
        assertEquals(List.of(FrameKind.HELLO, FrameKind.BYE), server.told);
        assertTrue(server.connection.receivedBytes() <= Connection.MOST_BEFORE_PROOF);
        assertTrue(host.decoded.isEmpty());
    }

    @Test
    void whoDoesNotGreetAsItShouldIsRefused() {
        Tapped asServer = Tapped.server(host, pool, null);
        asServer.greet(true, false, CHUNK);
        assertEnded(asServer, "not authenticated");
        Tapped withoutSecret = Tapped.server(host, pool, new Proofs(new byte[16]));
        withoutSecret.greet(false, false, CHUNK);
        assertEnded(withoutSecret, "not authenticated");
        Tapped plain = Tapped.server(host, pool, null);
        plain.receive(into -> into.writeBytes(Preamble.CONNECTION.bytes()));
        assertTrue(plain.connection.isClosed());
    }
}
