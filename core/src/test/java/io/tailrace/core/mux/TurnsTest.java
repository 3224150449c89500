// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static io.tailrace.core.mux.Tapped.CHUNK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.frame.FrameSealer;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Results of one connection that have frames and credit take turns, a chunk each. */
final class TurnsTest {

    private static final int CHUNKS = 20;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final ChunkPool pool = audit.pool(CHUNK, 4L * CHUNK);
    private final Tapped client = Tapped.client(pool, null);

    @Test
    void nobodyIsMoreThanOneChunkAhead() throws Exception {
        client.greet(true, false, CHUNK);
        for (long stream = 1; stream <= 5; stream++) {
            begin(stream, CHUNKS);
        }
        int start = client.streams.size();
        goOn(40);
        begin(6, CHUNKS); // who comes late takes turns at once, and makes up for nothing
        int before = client.streams.size();
        goOn(30);
        assertTrue(turns(6, before) >= 4, () -> "turns: " + client.streams);
        for (long stream = 1; stream <= 5; stream++) {
            assertTrue(Math.abs(turns(stream, before) - turns(6, before)) <= 1, () -> "turns: " + client.streams);
            assertTrue(Math.abs(turns(stream, start) - turns(1, start)) <= 1, () -> "turns: " + client.streams);
        }
        goOn(100);
        for (long stream = 1; stream <= 6; stream++) {
            assertEquals(CHUNKS + 1, turns(stream, 0), "chunks of " + stream);
        }
        client.connection.lost(null);
    }

    /** A result that is opened, with credit for all its chunks, which wait. */
    private void begin(long stream, int chunks) throws IOException {
        Outgoing result = client.connection
                .sender()
                .open(stream, new ResultId("job", 0, stream, 0), -1, new CompletableFuture<>());
        FrameSealer sealer = new FrameSealer(stream);
        Chunk first = Chunk.loose(CHUNK);
        sealer.appendOpen(first, Tapped.opening(stream));
        assertTrue(result.offer(first));
        first.release();
        for (int i = 0; i < chunks; i++) {
            Chunk chunk = Chunk.loose(CHUNK);
            Tapped.data(chunk, sealer, CHUNK);
            assertTrue(result.offer(chunk));
            chunk.release();
        }
        client.receive(into -> Tapped.credit(into, stream, (long) chunks * CHUNK));
    }

    private void goOn(int chunks) {
        for (int i = 0; i < chunks && client.connection.sender().bytesInside() > 0; i++) {
            client.connection.written();
        }
    }

    private int turns(long stream, int from) {
        return (int) client.streams.stream()
                .skip(from)
                .filter(each -> each == stream)
                .count();
    }
}
