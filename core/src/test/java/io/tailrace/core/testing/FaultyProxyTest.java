// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import static io.tailrace.core.testing.Direction.DOWN;
import static io.tailrace.core.testing.Direction.UP;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.Plan.Ending;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

final class FaultyProxyTest {

    private static final Duration SHORT = Duration.ofMillis(40);
    private static final Duration ENDLESS = Duration.ofDays(1);
    private static final byte[] SAMPLE = new Sample(1, 1_000).bytes();
    private static final byte[] LARGE = new Sample(2, 500_000).bytes();

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void transparentPassesAllBothWaysAndEachEndByItself() throws Exception {
        try (Ends ends = with(Plan.transparent())) {
            Future<byte[]> up =
                    audit.executor().submit(() -> ends.server.getInputStream().readAllBytes());
            ends.client.getOutputStream().write(LARGE);
            ends.client.shutdownOutput();
            assertArrayEquals(LARGE, up.get(10, TimeUnit.SECONDS));

            ends.server.getOutputStream().write(SAMPLE);
            ends.server.shutdownOutput();
            assertArrayEquals(SAMPLE, ends.client.getInputStream().readAllBytes());

            assertEquals(LARGE.length, ends.proxy.passed(UP));
            assertEquals(SAMPLE.length, ends.connection().passed(DOWN));
            Eventually.isTrue("closed", () -> !ends.connection().isOpen());
        }
    }

    @Test
    void pieceArrivesNoSoonerThanItsDelay() throws Exception {
        try (Ends ends = with(Plan.transparent().delay(DOWN, SHORT))) {
            long start = System.nanoTime();
            ends.server.getOutputStream().write(1);
            assertEquals(1, ends.client.getInputStream().read());
            assertTrue(System.nanoTime() - start >= SHORT.toNanos());
        }
    }

    @Test
    void delaysByChanceLieBetweenTheirLimits() throws Exception {
        Plan plan = Plan.transparent().seed(audit.seed()).delay(UP, Duration.ofMillis(5), Duration.ofMillis(10));
        try (Ends ends = with(plan)) {
            long start = System.nanoTime();
            for (int i = 0; i < 10; i++) {
                ends.client.getOutputStream().write(i);
                assertEquals(i, ends.server.getInputStream().read());
            }
            assertTrue(System.nanoTime() - start >= Duration.ofMillis(50).toNanos());
        }
    }

    @Test
    void trickleGivesSoManyBytesEachInterval() throws Exception {
        try (Ends ends = with(Plan.transparent().trickle(UP, 10, Duration.ofMillis(10)))) {
            long start = System.nanoTime();
            ends.client.getOutputStream().write(SAMPLE, 0, 95);
            assertArrayEquals(
                    Arrays.copyOf(SAMPLE, 95), ends.server.getInputStream().readNBytes(95));
            assertTrue(System.nanoTime() - start >= Duration.ofMillis(100).toNanos());
            assertEquals(10, ends.connection().pieces(UP));
        }
    }

    @Test
    void piecesByChanceAreOfTheSizesAsked() throws Exception {
        Plan plan = Plan.transparent().seed(audit.seed()).split(UP, 10, 100);
        try (Ends ends = with(plan)) {
            assertArrayEquals(SAMPLE, ends.sentUp(SAMPLE));
            long pieces = ends.connection().pieces(UP);
            assertTrue(pieces > SAMPLE.length / 100 && pieces <= SAMPLE.length / 10 + 1, () -> pieces + " pieces");
        }
    }

    @Test
    void flipTurnsThatBitAndNoOther() throws Exception {
        Plan plan = Plan.transparent().flip(UP, 0, 7).flip(UP, 4_321, 0).flip(UP, 4_321, 3);
        byte[] expected = SAMPLE.clone();
        expected[0] ^= (byte) 0x80;
        expected[4_321] ^= 0x09;
        try (Ends ends = with(plan)) {
            assertArrayEquals(expected, ends.sentUp(SAMPLE));
        }
    }

    @Test
    void resetComesAfterExactlySoManyBytesAndToBoth() throws Exception {
        try (Ends ends = with(Plan.transparent().cutAfter(UP, 1_234))) {
            ends.client.getOutputStream().write(SAMPLE);
            assertArrayEquals(
                    Arrays.copyOf(SAMPLE, 1_234), ends.server.getInputStream().readNBytes(1_234));
            assertThrows(
                    SocketException.class, () -> ends.server.getInputStream().read());
            assertThrows(
                    SocketException.class, () -> ends.client.getInputStream().read());
            assertEquals(1_234, ends.connection().passed(UP));
        }
    }

    @Test
    void cutByFinLooksLikeAnEndToBoth() throws Exception {
        try (Ends ends = with(Plan.transparent().cutAfter(UP, 1_234, Ending.FIN))) {
            ends.server.getOutputStream().write(9);
            assertEquals(9, ends.client.getInputStream().read());
            ends.client.getOutputStream().write(SAMPLE);
            assertArrayEquals(
                    Arrays.copyOf(SAMPLE, 1_234), ends.server.getInputStream().readAllBytes());
            assertEquals(-1, ends.client.getInputStream().read());
            assertThrows(SocketException.class, () -> {
                while (true) {
                    ends.client.getOutputStream().write(SAMPLE); // swallowed for a while
                    Thread.sleep(5);
                }
            });
            assertEquals(1_234, ends.connection().passed(UP));
        }
    }

    @Test
    void connectionThatIsCutAtOnceGivesNothing() throws Exception {
        try (Ends ends = with(Plan.transparent().cutAfter(DOWN, 0))) {
            assertThrows(
                    SocketException.class, () -> ends.client.getInputStream().read());
        }
    }

    @Test
    void blackholeSwallowsBothWaysUntilItHeals() throws Exception {
        try (Ends ends = with(Plan.transparent().blackholeAfter(UP, 3))) {
            ends.client.getOutputStream().write(new byte[] {1, 2, 3, 4, 5});
            assertArrayEquals(new byte[] {1, 2, 3}, ends.server.getInputStream().readNBytes(3));
            Future<?> manyBytes = audit.executor().submit(() -> {
                ends.server.getOutputStream().write(LARGE);
                return null;
            });
            manyBytes.get(10, TimeUnit.SECONDS); // as if somebody read them
            assertSilent(ends.server);
            assertSilent(ends.client);
            assertTrue(ends.connection().isOpen());
            assertEquals(0, ends.connection().passed(DOWN));

            Eventually.isTrue("all is taken", () -> ends.connection().taken(DOWN) == LARGE.length);
            ends.proxy.heal();
            ends.client.getOutputStream().write(6);
            assertEquals(6, ends.server.getInputStream().read());
            ends.server.getOutputStream().write(7);
            assertEquals(7, ends.client.getInputStream().read());
        }
    }

    @Test
    void blackholeByHandTakesNewConnectionsAndEndsOfStreamToo() throws Exception {
        try (Ends ends = with(Plan.transparent())) {
            ends.proxy.blackhole();
            ends.client.close();
            assertSilent(ends.server);
            try (Socket next = new Socket(
                            ends.proxy.address().getAddress(),
                            ends.proxy.address().getPort());
                    Socket nextServer = ends.listener.accept()) {
                next.getOutputStream().write(1);
                assertSilent(nextServer);
            }
            ends.proxy.heal();
            assertEquals(-1, ends.server.getInputStream().read());
        }
    }

    @Test
    void stallStopsTheSenderAndLosesNothing() throws Exception {
        try (Ends ends = with(Plan.transparent().stallAfter(UP, 100, ENDLESS))) {
            Future<byte[]> received = audit.executor().submit(() -> ends.sentUp(LARGE));
            Eventually.settlesAt("bytes", 100, () -> ends.connection().passed(UP));
            ends.server.getOutputStream().write(7);
            assertEquals(7, ends.client.getInputStream().read());
            assertFalse(received.isDone());
            ends.proxy.heal();
            assertArrayEquals(LARGE, received.get(10, TimeUnit.SECONDS));
        }
    }

    @Test
    void senderOfAStalledDirectionBlocks() throws Exception {
        try (Ends ends = with(Plan.transparent().stallAfter(UP, 0, ENDLESS))) {
            Future<?> sent = audit.executor().submit(() -> {
                ends.client.getOutputStream().write(LARGE);
                return null;
            });
            assertThrows(TimeoutException.class, () -> sent.get(100, TimeUnit.MILLISECONDS));
            ends.proxy.heal();
            assertArrayEquals(LARGE, ends.server.getInputStream().readNBytes(LARGE.length));
            sent.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void stallEndsByItself() throws Exception {
        try (Ends ends = with(Plan.transparent().stallAfter(UP, 1, SHORT))) {
            long start = System.nanoTime();
            assertArrayEquals(SAMPLE, ends.sentUp(SAMPLE));
            assertTrue(System.nanoTime() - start >= SHORT.toNanos());
        }
    }

    @Test
    void stallByHandHoldsBothWaysUntilItHeals() throws Exception {
        try (Ends ends = with(Plan.transparent())) {
            ends.proxy.stall();
            ends.client.getOutputStream().write(1);
            ends.server.getOutputStream().write(2);
            assertSilent(ends.client);
            assertSilent(ends.server);
            ends.proxy.heal();
            assertEquals(1, ends.server.getInputStream().read());
            assertEquals(2, ends.client.getInputStream().read());
        }
    }

    @Test
    void duplicateRepeatsItsRange() throws Exception {
        try (Ends ends = with(Plan.transparent().duplicate(UP, 10, 20))) {
            byte[] received = ends.sentUp(SAMPLE);
            assertEquals(SAMPLE.length + 20, received.length);
            assertArrayEquals(Arrays.copyOf(SAMPLE, 30), Arrays.copyOf(received, 30));
            assertArrayEquals(
                    Arrays.copyOfRange(SAMPLE, 10, SAMPLE.length), Arrays.copyOfRange(received, 30, received.length));
        }
    }

    @Test
    void swapTurnsTwoRangesRound() throws Exception {
        try (Ends ends = with(Plan.transparent().swap(UP, 10, 20, 5).split(UP, 1, 3))) {
            byte[] received = ends.sentUp(SAMPLE);
            byte[] expected = SAMPLE.clone();
            System.arraycopy(SAMPLE, 30, expected, 10, 5);
            System.arraycopy(SAMPLE, 10, expected, 15, 20);
            assertArrayEquals(expected, received);
        }
    }

    @Test
    void swapThatLacksItsSecondRangeEndsWithTheFirst() throws Exception {
        try (Ends ends = with(Plan.transparent().swap(UP, 10, 20, 50))) {
            byte[] sent = Arrays.copyOf(SAMPLE, 40);
            byte[] expected = sent.clone();
            System.arraycopy(sent, 30, expected, 10, 10);
            System.arraycopy(sent, 10, expected, 20, 20);
            assertArrayEquals(expected, ends.sentUp(sent));
        }
    }

    @Test
    void bandwidthIsNotExceeded() throws Exception {
        try (Ends ends = with(Plan.transparent().bandwidth(UP, 50_000))) {
            long start = System.nanoTime();
            assertArrayEquals(SAMPLE, ends.sentUp(SAMPLE)); // 8,000 bytes, of which the last piece is not waited for
            assertTrue(System.nanoTime() - start >= Duration.ofMillis(60).toNanos());
        }
    }

    @Test
    void resetOfAPeerIsPassedOn() throws Exception {
        try (Ends ends = with(Plan.transparent())) {
            ends.server.setSoLinger(true, 0);
            ends.server.close();
            assertThrows(
                    SocketException.class, () -> ends.client.getInputStream().read());
            Eventually.isTrue("closed", () -> !ends.connection().isOpen());
        }
    }

    @Test
    void clientOfAnUnreachableServerIsReset() throws Exception {
        InetSocketAddress nobody;
        try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = new InetSocketAddress(gone.getInetAddress(), gone.getLocalPort());
        }
        try (FaultyProxy proxy = FaultyProxy.to(nobody).plan(Plan.transparent());
                Socket client =
                        new Socket(proxy.address().getAddress(), proxy.address().getPort())) {
            assertThrows(SocketException.class, () -> client.getInputStream().read());
        }
    }

    @Test
    void eachConnectionHasThePlanOfItsNumber() throws Exception {
        try (Ends first = new Ends(n -> n == 0 ? Plan.transparent().cutAfter(DOWN, 0) : Plan.transparent())) {
            assertThrows(
                    SocketException.class, () -> first.client.getInputStream().read());
            try (Socket client = first.connect();
                    Socket server = first.listener.accept()) {
                server.getOutputStream().write(1);
                assertEquals(1, client.getInputStream().read());
            }
            assertEquals(2, first.proxy.connections().size());
        }
    }

    @Test
    void cutsByHandReachBothPeers() throws Exception {
        for (Ending ending : Ending.values()) {
            try (Ends ends = with(Plan.transparent())) {
                ends.client.getOutputStream().write(1);
                assertEquals(1, ends.server.getInputStream().read());
                ends.proxy.cut(ending);
                for (Socket socket : new Socket[] {ends.client, ends.server}) {
                    if (ending == Ending.FIN) {
                        assertEquals(-1, socket.getInputStream().read());
                    } else {
                        assertThrows(
                                SocketException.class,
                                () -> socket.getInputStream().read());
                    }
                }
            }
        }
    }

    /** The audit finds every thread that is left. */
    @Test
    void closingEndsEveryWait() throws Exception {
        for (Plan plan : new Plan[] {
            Plan.transparent(),
            Plan.transparent().stallAfter(UP, 1, ENDLESS),
            Plan.transparent().blackholeAfter(UP, 1),
            Plan.transparent().delay(UP, ENDLESS),
            Plan.transparent().cutAfter(UP, 1, Ending.FIN)
        }) {
            try (Ends ends = with(plan)) {
                Future<?> sent = audit.executor().submit(() -> {
                    while (true) {
                        ends.client.getOutputStream().write(LARGE); // nobody reads
                    }
                });
                Thread.sleep(20);
                assertFalse(sent.isDone());
                ends.proxy.close();
                ExecutionException failed =
                        assertThrows(ExecutionException.class, () -> sent.get(10, TimeUnit.SECONDS));
                assertInstanceOf(SocketException.class, failed.getCause());
                assertFalse(ends.connection().isOpen());
            }
        }
    }

    private Ends with(Plan plan) throws IOException {
        return new Ends(n -> plan);
    }

    private static void assertSilent(Socket socket) throws IOException {
        socket.setSoTimeout(30);
        assertThrows(SocketTimeoutException.class, () -> socket.getInputStream().read());
        socket.setSoTimeout(Ends.PATIENCE_MILLIS);
    }

    /** A client and a server with a proxy between them. */
    private final class Ends implements AutoCloseable {
        private static final int PATIENCE_MILLIS = 10_000;
        final ServerSocket listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        final FaultyProxy proxy;
        final Socket client;
        final Socket server;

        Ends(IntFunction<Plan> plans) throws IOException {
            proxy = FaultyProxy.to(listener.getLocalSocketAddress()).plans(plans);
            client = connect();
            server = listener.accept();
            server.setSoTimeout(PATIENCE_MILLIS);
        }

        Socket connect() throws IOException {
            Socket socket =
                    new Socket(proxy.address().getAddress(), proxy.address().getPort());
            socket.setSendBufferSize(64 << 10); // lest the kernel take all that a test sends
            socket.setSoTimeout(PATIENCE_MILLIS);
            return socket;
        }

        ProxiedConnection connection() {
            return proxy.connections().get(0);
        }

        /** What the server receives of it, to the end of stream. */
        byte[] sentUp(byte[] bytes) throws Exception {
            Future<byte[]> received =
                    audit.executor().submit(() -> server.getInputStream().readAllBytes());
            client.getOutputStream().write(bytes);
            client.shutdownOutput();
            return received.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        }

        @Override
        public void close() throws IOException {
            try (listener;
                    client;
                    server) {
                proxy.close();
            }
        }
    }
}
