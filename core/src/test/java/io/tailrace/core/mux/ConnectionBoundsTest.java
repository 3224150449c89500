// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a connection takes of a peer at most, and that nothing leaves it standing still. */
final class ConnectionBoundsTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ChunkPool pool() {
        return audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK);
    }

    private static byte[] credit(long stream, long bytes) {
        return ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(stream)
                .putLong(bytes)
                .array();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 100, 4_000, 5_000, 100_000})
    void noMoreThan4096BytesAreTakenBeforeTheProof(int piece) {
        byte[] filler = FrameBytes.join(
                FrameBytes.multiplexed().control(0x80, new byte[4_000]).frames());
        try (OneEnd server = OneEnd.server(pool())) {
            server.tell(FrameBytes.multiplexed().preamble());
            server.tell(server.hello());
            byte[] all = FrameBytes.join(List.of(filler, filler));
            for (int at = 0; at < all.length; at += piece) {
                server.tell(Arrays.copyOfRange(all, at, Math.min(all.length, at + piece)));
                assertTrue(server.connection.receivedBytes() <= Connection.MOST_BEFORE_PROOF);
            }
            assertTrue(server.link.closed);
            assertTrue(server.link.byeText.contains("too many bytes before"), server.link.byeText);
        }
    }

    /** Their bodies would be kept. */
    @ParameterizedTest
    @ValueSource(ints = {0x01, 0x02, 0x04, 0x05, 0x90})
    void headersOfResultsAreRefusedBeforeTheProof(int kind) {
        byte[] header = Arrays.copyOf(
                FrameBytes.multiplexed()
                        .open()
                        .frame(kind, new byte[100])
                        .frames()
                        .get(1),
                32);
        try (OneEnd server = OneEnd.server(pool())) {
            server.tell(FrameBytes.multiplexed().preamble());
            server.tell(server.hello());
            server.tell(header);
            assertEquals(ByeReason.NOT_AUTHENTICATED, server.link.bye);
            assertEquals(0, server.admitted);
        }
    }

    @Test
    void resultsThatNobodyEndsAreBounded() {
        try (OneEnd server = OneEnd.server(pool())) {
            server.refuses = true;
            server.admit();
            for (int stream = 1; stream <= Connection.MOST_OPEN; stream++) {
                server.tell(FrameBytes.multiplexed().nextStreamId(stream).open());
                server.runTasks();
            }
            assertFalse(server.link.closed);
            server.tell(FrameBytes.multiplexed().nextStreamId(-1).open());
            assertEquals(ByeReason.LIMIT, server.link.bye);
        }
    }

    @Test
    void creditOfAClientIsUnexpected() {
        try (OneEnd server = OneEnd.server(pool())) {
            server.admit();
            server.tell(FrameBytes.multiplexed().control(0x11, credit(0, 512)));
            assertEquals(ByeReason.PROTOCOL_BROKEN, server.link.bye);
            assertTrue(server.link.byeText.startsWith("unexpected frame"), server.link.byeText);
        }
    }

    @Test
    void creditThatNoLongHoldsEndsTheConnection() {
        try (OneEnd client = OneEnd.client(pool())) {
            client.admit();
            client.tell(FrameBytes.multiplexed().control(0x11, credit(0, Long.MAX_VALUE - 511)));
            assertFalse(client.link.closed);
            client.tell(FrameBytes.multiplexed().control(0x11, credit(0, 512)));
            assertEquals(ByeReason.PROTOCOL_BROKEN, client.link.bye);
            assertTrue(client.link.byeText.startsWith("more credit than a number holds"), client.link.byeText);
        }
    }

    @Test
    void faultOfItsOwnEndsTheConnectionWhereverItIs() {
        audit.expectWarnings();
        try (OneEnd receiving = OneEnd.server(pool());
                OneEnd ticking = OneEnd.server(pool());
                OneEnd draining = OneEnd.server(pool())) {
            receiving.admit();
            receiving.link.fault = new IllegalStateException("a test's");
            receiving.tell(FrameBytes.multiplexed().control(0x13, new byte[8]));
            faulted(receiving);
            ticking.admit();
            ticking.link.fault = new IllegalStateException("a test's");
            ticking.now += 1_500;
            ticking.connection.tick();
            faulted(ticking);
            draining.refuses = true;
            draining.admit();
            draining.tell(FrameBytes.multiplexed().open());
            draining.link.fault = new IllegalStateException("a test's");
            draining.runTasks();
            faulted(draining);
        }
        assertEquals(3, audit.warnings().size());
    }

    private static void faulted(OneEnd end) {
        assertTrue(end.link.closed && end.connection.isClosed());
        assertEquals("a fault of this end", end.link.byeText);
        assertTrue(String.valueOf(end.cause).contains("a test's"), () -> String.valueOf(end.cause));
    }

    @Test
    void wipedSecretProvesNothing() {
        try (OneEnd server = OneEnd.server(pool())) {
            server.proofs.close();
            assertThrows(
                    IllegalStateException.class, () -> server.proofs.of(true, new byte[1], new byte[1], new byte[0]));
        }
    }
}
