// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.Reported.Terminal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

final class FrameBytesTest {

    private static final byte[] FORTY_TWO = {42, 0, 0, 0, 0, 0, 0, 0};

    @Test
    void unbrokenStreamsEqualTheVectors() {
        assertArrayEquals(
                vector("small-result"),
                FrameBytes.file()
                        .open()
                        .data("Hello, tailrace")
                        .trailer(FORTY_TWO)
                        .end()
                        .toBytes());
        assertArrayEquals(
                vector("compressed-frame"),
                FrameBytes.file()
                        .compression(1)
                        .open()
                        .compressed(2, HexText.parse("8F 7461696C72616365 0800 10 50 6C72616365"), 48)
                        .end()
                        .toBytes());
        assertArrayEquals(
                vector("result-after-failure"),
                FrameBytes.connection()
                        .open()
                        .data("lost")
                        .failure(7, true, "", "cancelled", "")
                        .bodyAt(4, (byte) 4)
                        .open()
                        .data("kept")
                        .end()
                        .toBytes());
    }

    @Test
    void brokenFieldIsTheOnlyFault() {
        Map<String, UnaryOperator<FrameBytes>> faults = Map.ofEntries(
                Map.entry("header checksum does not match", bytes -> bytes.headerChecksum(1)),
                Map.entry("reserved byte of the header is not 0", bytes -> bytes.reserved(1)),
                Map.entry("wire length exceeds what a chunk holds", bytes -> bytes.wireLength(0xFFFFFFFFL)),
                Map.entry("raw length disagrees with wire length", bytes -> bytes.rawLength(5)),
                Map.entry("body checksum does not match", bytes -> bytes.bodyChecksum(1)),
                Map.entry("unknown frame kind", bytes -> bytes.kind(6)),
                Map.entry("unknown flags", bytes -> bytes.flags(2)),
                Map.entry("foreign frame", bytes -> bytes.streamId(5)),
                Map.entry("frame out of sequence", bytes -> bytes.sequence(7)),
                Map.entry("empty frame", bytes -> bytes.body(new byte[0])),
                Map.entry("unknown major version", bytes -> bytes.preambleByte(8, 9)),
                Map.entry("preamble checksum does not match", bytes -> bytes.preambleChecksum(9)));
        faults.forEach((reason, fault) -> {
            FrameBytes stream = fault.apply(FrameBytes.file().open().data("data"));
            assertEquals(
                    reason, ReferenceDecoder.decode(stream.toBytes()).get(0).reason());
        });
    }

    @Test
    void brokenBodyKeepsItsChecksumsRight() {
        FrameBytes stream = FrameBytes.file().open().data("data").end().bodyAt(32, (byte) 0, (byte) 0);
        assertEquals(
                "digest disagrees",
                ReferenceDecoder.decode(stream.toBytes()).get(0).reason());
    }

    @Test
    void ignorableFlagsAreNoFault() {
        byte[] stream =
                FrameBytes.file().open().data("data").ignorableFlags(255).end().toBytes();
        assertEquals(Terminal.END, ReferenceDecoder.decode(stream).get(0).terminal());
    }

    @Test
    void wholePayloadIsCutAtTheChunkSize() {
        byte[] payload = new byte[2_000];
        FrameBytes stream = FrameBytes.file().whole(payload, new byte[481]);
        assertEquals(1 + 5 + 2 + 1, stream.frames().size());
        Reported reported = ReferenceDecoder.decode(stream.toBytes()).get(0);
        assertArrayEquals(payload, reported.payload());
        assertEquals(481, reported.trailer().length);
    }

    @Test
    void resultAboveTheReadersChunkIsSkippedAndTheNextIsRead() {
        FrameBytes stream = FrameBytes.connection().chunkSize(4096).whole(new byte[10_000], new byte[0]);
        stream.chunkSize(1024).whole(new byte[10_000], new byte[0]);
        List<Reported> reports = ReferenceDecoder.decode(stream.toBytes(), 1024);
        assertEquals("chunk size exceeds the reader's", reports.get(0).reason());
        assertEquals(Terminal.END, reports.get(1).terminal());
        assertEquals(2, reports.size());
    }

    @Test
    void everyLostRepeatedOrExchangedFrameIsFound() {
        byte[] payload = new byte[480 * 17];
        for (int i = 0; i < payload.length; i++) {
            payload[i] = (byte) (i / 480);
        }
        FrameBytes stream = FrameBytes.file().whole(payload, new byte[20]);
        int count = stream.frames().size();
        assertEquals(20, count);
        for (int i = 0; i < count; i++) {
            List<byte[]> lost = stream(stream);
            lost.remove(i + 1);
            assertFault(lost, "lost " + i);
            for (int j = 0; j < count; j++) {
                List<byte[]> exchanged = stream(stream);
                Collections.swap(exchanged, i + 1, j + 1);
                if (i != j) {
                    assertFault(exchanged, "exchanged " + i + " and " + j);
                }
                List<byte[]> repeated = stream(stream);
                repeated.add(j + 1, stream.frames().get(i));
                assertFault(repeated, "frame " + i + " once more before " + j);
            }
        }
    }

    private static List<byte[]> stream(FrameBytes stream) {
        List<byte[]> parts = new ArrayList<>(stream.frames());
        parts.add(0, stream.preamble());
        return parts;
    }

    private static void assertFault(List<byte[]> parts, String what) {
        List<Reported> reports = ReferenceDecoder.decode(FrameBytes.join(parts));
        assertTrue(reports.stream().anyMatch(report -> report.terminal() != Terminal.END), what);
    }

    private static byte[] vector(String name) {
        return FrameVector.valid().stream()
                .filter(vector -> vector.name().equals(name))
                .findAny()
                .orElseThrow()
                .bytes();
    }
}
