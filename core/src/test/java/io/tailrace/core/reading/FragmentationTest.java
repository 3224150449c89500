// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.LeakAudit;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Bytes arrive in any pieces; what is told of them is the same, callback for callback. */
final class FragmentationTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private Reading reading;
    private List<byte[]> streams;

    @BeforeEach
    void encode() throws IOException {
        ChunkPool pool = audit.pool(Streams.CHUNK, 16 * Streams.CHUNK);
        reading = Reading.of(pool);
        streams = new ArrayList<>();
        for (Map.Entry<String, byte[]> entry : Streams.all(pool).entrySet()) {
            streams.add(entry.getValue());
            // A result that fails in its middle, with another behind it.
            byte[] broken = entry.getValue().clone();
            broken[broken.length / 2] ^= 1;
            streams.add(broken);
        }
    }

    @Test
    void piecesOfAllKindsMakeTheSameCallbacks() throws IOException {
        long cases = 0;
        for (byte[] stream : streams) {
            Recording whole = recordingOf(stream, Cuts.none());
            for (Cuts cuts : Cuts.all(stream, audit.random())) {
                requireSame(stream, whole, cuts);
                cases++;
            }
        }
        audit.cases(cases);
    }

    @Test
    void randomPiecesMakeTheSameCallbacks() throws IOException {
        Random random = audit.random();
        int splits = LeakAudit.FULL ? 10_000 : 1_000;
        List<Recording> wholes = new ArrayList<>();
        for (byte[] stream : streams) {
            wholes.add(recordingOf(stream, Cuts.none()));
        }
        for (int i = 0; i < splits; i++) {
            int which = i % streams.size();
            byte[] stream = streams.get(which);
            requireSame(stream, wholes.get(which), Cuts.random(stream.length, random));
        }
        audit.cases(splits);
    }

    private Recording recordingOf(byte[] stream, Cuts cuts) throws IOException {
        Recording recording = new Recording();
        reading.push(stream, cuts, recording);
        return recording;
    }

    private void requireSame(byte[] stream, Recording whole, Cuts cuts) throws IOException {
        List<String> expected = Reading.outlines(whole.reports());
        Recording pushed = recordingOf(stream, cuts);
        assertEquals(expected, Reading.outlines(pushed.reports()), "pushed");
        assertEquals(whole.callbacks(), pushed.callbacks(), "callbacks");
        assertEquals(whole.trace(), pushed.trace(), "what the callbacks said");
        assertEquals(expected, Reading.outlines(reading.pull(stream, cuts)), "pulled");
    }
}
