// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.DocumentText;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.HexText;
import io.tailrace.core.wire.MalformedDataException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Control frames that are right but for one thing, each under the document's row. */
final class ControlFaultTest {

    private static final byte FF = (byte) 0xFF;
    private static final byte[] NEGATIVE = {FF, FF, FF, FF, FF, FF, FF, FF};

    /** @param at where in the frame, header included, it is found */
    private record Fault(String row, String reason, int at, FrameBytes stream) {
        @Override
        public String toString() {
            return row + ", " + reason + " at " + at + ", frame of "
                    + stream.frames().get(0).length;
        }
    }

    static Stream<Fault> faults() {
        return Stream.of(headers(), hellos(), credits(), backlogs(), fates(), byes(), cut())
                .flatMap(List::stream);
    }

    private static List<Fault> headers() {
        List<Fault> faults = new ArrayList<>();
        for (int kind : new int[] {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0F, 0x12, 0x19, 0x7F}) {
            faults.add(new Fault("K4", "unknown frame kind of the connection", 0, Controls.of(kind, Controls.PING)));
        }
        for (int flags : new int[] {0x01, 0x02, 0x80}) {
            faults.add(new Fault("K5", "unknown flags", 0, Controls.hello().flags(flags)));
            faults.add(
                    new Fault("K5", "unknown flags", 0, Controls.of(0x80, "00").flags(flags)));
        }
        faults.add(new Fault(
                "H2",
                "reserved byte of the header is not 0",
                0,
                Controls.hello().reserved(1)));
        faults.add(new Fault(
                "H6",
                "raw length disagrees with wire length",
                0,
                Controls.hello().rawLength(59)));
        faults.add(new Fault(
                "H8", "body checksum does not match", 0, Controls.hello().bodyChecksum(1)));
        faults.add(new Fault(
                "H8", "body checksum does not match", 0, Controls.of(0x80, "00").bodyChecksum(1)));
        faults.add(new Fault("M1", "too long", 0, Controls.of(0x13, "").body(new byte[4_065])));
        faults.add(new Fault("M1", "too long", 0, Controls.of(0x80, "").body(new byte[4_065])));
        faults.add(new Fault("M1", "too long", 0, Controls.credit().wireLength(0xFFFFFFFFL)));
        faults.add(new Fault("M1", "too long", 0, Controls.of(0x11, "").body(new byte[255 * 16])));
        faults.add(new Fault("M2", "has a sequence", 0, Controls.hello().sequence(1)));
        faults.add(new Fault("M2", "has a sequence", 0, Controls.bye().sequence(0xFFFFFFFFL)));
        return faults;
    }

    private static List<Fault> hellos() {
        return List.of(
                new Fault("M6", "unknown role", 32, Controls.hello().bodyAt(0, (byte) 0)),
                new Fault("M6", "unknown role", 32, Controls.hello().bodyAt(0, (byte) 3)),
                new Fault("M4", "unknown flags", 33, Controls.hello().bodyAt(1, (byte) 2)),
                new Fault("M4", "unknown flags", 33, Controls.hello().bodyAt(1, FF)),
                new Fault("M5", "reserved field is not 0", 34, Controls.hello().bodyAt(2, (byte) 1)),
                new Fault("M5", "reserved field is not 0", 34, Controls.hello().bodyAt(3, FF)),
                new Fault("M5", "reserved field is not 0", 52, Controls.hello().bodyAt(20, (byte) 1)),
                new Fault("M5", "reserved field is not 0", 52, Controls.hello().bodyAt(23, FF)),
                new Fault("M7", "out of range", 36, Controls.hello().bodyAt(4, FF, (byte) 1, (byte) 0, (byte) 0)),
                new Fault("M7", "out of range", 36, Controls.hello().bodyAt(4, (byte) 1, (byte) 0, (byte) 0, (byte) 1)),
                new Fault("M7", "out of range", 36, Controls.hello().bodyAt(4, FF, FF, FF, FF)),
                new Fault("M7", "out of range", 40, Controls.hello().bodyAt(8, NEGATIVE)),
                new Fault("M7", "out of range", 40, Controls.hello().bodyAt(0, (byte) 1)),
                new Fault("M7", "out of range", 48, Controls.hello().bodyAt(16, FF, FF, FF, FF)),
                new Fault("M9", "text is not UTF-8", 89, Controls.hello().bodyAt(58, FF)));
    }

    private static List<Fault> credits() {
        return List.of(
                new Fault("M10", "entry is cut", 32, credit(new byte[17])),
                new Fault("M10", "entry is cut", 32, credit(new byte[31])),
                new Fault("M3", "too short", 32, credit(new byte[0])),
                new Fault("M11", "credit is not positive", 40, credit(new byte[16])),
                new Fault("M11", "credit is not positive", 40, Controls.credit().bodyAt(8, NEGATIVE)),
                new Fault("M11", "credit is not positive", 56, Controls.credit().bodyAt(24, new byte[8])));
    }

    private static FrameBytes credit(byte[] body) {
        return FrameBytes.multiplexed().control(0x11, body);
    }

    private static List<Fault> backlogs() {
        return List.of(
                new Fault(
                        "M12",
                        "stream id 0 is no result",
                        32,
                        Controls.backlog().bodyAt(0, new byte[8])),
                new Fault("M7", "out of range", 40, Controls.backlog().bodyAt(8, NEGATIVE)),
                new Fault("M4", "unknown flags", 48, Controls.backlog().bodyAt(16, (byte) 2)),
                new Fault(
                        "M5", "reserved field is not 0", 49, Controls.backlog().bodyAt(17, (byte) 1)),
                new Fault(
                        "M5", "reserved field is not 0", 49, Controls.backlog().bodyAt(23, FF)));
    }

    private static List<Fault> fates() {
        return List.of(
                new Fault("M13", "unknown verdict", 32, Controls.fate().bodyAt(0, (byte) 0)),
                new Fault("M13", "unknown verdict", 32, Controls.fate().bodyAt(0, (byte) 6)),
                new Fault("M13", "unknown verdict", 32, Controls.fate().bodyAt(0, FF)),
                new Fault("M8", "reason is too long", 34, fate(Controls.fate(2_049, 1))),
                new Fault("M8", "reason is too long", 34, Controls.fate().bodyAt(2, FF, FF)),
                new Fault("M3", "too short", 36, Controls.fate().bodyAt(2, (byte) 21)),
                new Fault("M9", "text is not UTF-8", 36, Controls.fate().bodyAt(5, FF)),
                new Fault("M14", "results are not from 1 to 250", 36, fate(Controls.fate(0, 0))),
                new Fault("M14", "results are not from 1 to 250", 36, fate(Controls.fate(0, 251))),
                new Fault("M10", "entry is cut", 36, fate(Arrays.copyOf(Controls.fate(0, 2), 19))),
                new Fault("M12", "stream id 0 is no result", 48, Controls.fate().bodyAt(16, new byte[8])));
    }

    private static FrameBytes fate(byte[] body) {
        return FrameBytes.multiplexed().control(0x17, body);
    }

    private static List<Fault> byes() {
        return List.of(
                new Fault("M3", "too short", 34, Controls.bye().bodyAt(1, (byte) 3)),
                new Fault("M9", "text is not UTF-8", 34, Controls.bye().bodyAt(2, (byte) 0xC0, (byte) 0x80)),
                new Fault("M9", "text is not UTF-8", 34, Controls.of(0x18, "01 03 ED A0 80")),
                new Fault("M9", "text is not UTF-8", 34, Controls.of(0x18, "01 02 E2 82")));
    }

    /** Every body cut everywhere; the checksums follow. Where entries are cut is for those that repeat them. */
    private static List<Fault> cut() {
        List<Fault> faults = new ArrayList<>();
        Map.of(0x10, Controls.HELLO, 0x13, Controls.PING, 0x14, Controls.PING, 0x15, Controls.PROOF)
                .forEach((kind, body) -> faults.addAll(cut(kind, body, HexText.parse(body).length)));
        faults.addAll(cut(0x11, Controls.CREDIT, 16));
        faults.addAll(cut(0x16, Controls.BACKLOG, 24));
        faults.addAll(cut(0x17, Controls.FATE, 8));
        faults.addAll(cut(0x18, Controls.BYE, 4));
        return faults;
    }

    private static List<Fault> cut(int kind, String body, int end) {
        List<Fault> faults = new ArrayList<>();
        int texts = kind == 0x10 ? 57 : kind == 0x17 ? 4 : kind == 0x18 ? 2 : end;
        for (int length = 0; length < end; length++) {
            FrameBytes stream = FrameBytes.multiplexed().control(kind, Arrays.copyOf(HexText.parse(body), length));
            faults.add(new Fault("M3", "too short", length < texts ? 32 : 32 + texts, stream));
        }
        return faults;
    }

    @ParameterizedTest
    @MethodSource("faults")
    void endsTheConnectionAndSaysWhere(Fault fault) {
        byte[] stream = fault.stream.toBytes();
        MalformedDataException told = assertThrows(MalformedDataException.class, () -> Told.of(stream));
        assertTrue(told.framingLost());
        assertTrue(told.reason().contains(fault.reason), told.reason());
        assertEquals(16 + fault.at, told.offset(), told.reason());
        String documented = DocumentText.rows().get(fault.row);
        assertTrue(documented != null && documented.contains(fault.reason), fault.row + ": " + documented);
    }

    @Test
    void everyRowOfControlFramesIsShown() {
        Set<String> shown = faults().map(Fault::row).collect(Collectors.toSet());
        List<String> missing = DocumentText.rows().keySet().stream()
                .filter(row -> row.startsWith("M") && !shown.contains(row))
                .toList();
        assertEquals(List.of(), missing);
        assertTrue(shown.contains("M14"));
    }

    @Test
    void entriesBeforeABrokenOneAreTold() {
        Told told = new Told();
        byte[] stream = Controls.credit().bodyAt(24, new byte[8]).toBytes();
        assertThrows(MalformedDataException.class, () -> told.read(stream));
        assertEquals(List.of("credit 0 131072"), told.said);
    }

    @Test
    void headerIsJudgedBeforeItsBodyHasCome() throws MalformedDataException {
        FrameHeader header = new FrameHeader();
        header.read(Controls.credit().wireLength(4_064).rawLength(4_064).toBytes(), 16);
        ControlReader.verifyHeader(header, 0);
        header.read(Controls.credit().wireLength(4_065).rawLength(4_065).toBytes(), 16);
        MalformedDataException told =
                assertThrows(MalformedDataException.class, () -> ControlReader.verifyHeader(header, 77));
        assertEquals(4_064, told.limit());
        assertEquals(4_065, told.actual());
        assertEquals(77, told.offset());
    }

    @Test
    void frameOfAResultIsNotForThisReader() {
        byte[] stream = FrameBytes.multiplexed().open().toBytes();
        FrameHeader header = new FrameHeader();
        header.read(stream, 16);
        assertThrows(
                IllegalArgumentException.class,
                () -> ControlReader.read(header, true, io.netty.buffer.Unpooled.EMPTY_BUFFER, 0, new Told()));
    }
}
