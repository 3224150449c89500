// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.ReferenceDecoder;
import io.tailrace.core.testing.Reported;
import io.tailrace.core.testing.Reported.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Streams of versions that do not exist yet: what FRAME_FORMAT.md §14 promises to each. */
final class VersionSkewTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private Reading reading;

    @BeforeEach
    void build() {
        reading = Reading.of(audit.pool(Streams.CHUNK, 8 * Streams.CHUNK));
    }

    @Test
    void onlyMajorVersionOneIsAccepted() throws IOException {
        for (int major = 0; major < 256; major++) {
            FrameBytes stream = FrameBytes.file().preambleByte(8, major).whole(new byte[3], new byte[0]);
            Reported only = only(stream);
            assertEquals(major == 1 ? Terminal.END : Terminal.MALFORMED, only.terminal());
            assertEquals(major != 1, only.connectionOver());
        }
        audit.cases(256);
    }

    @Test
    void everyMinorVersionIsAccepted() throws IOException {
        for (int minor = 0; minor < 256; minor++) {
            FrameBytes stream = FrameBytes.file().preambleByte(9, minor).whole(new byte[3], new byte[0]);
            assertEquals(Terminal.END, only(stream).terminal());
        }
        audit.cases(256);
    }

    @Test
    void unknownPurposesAndReservedBytesAreRefused() throws IOException {
        for (int value = 0; value < 256; value++) {
            FrameBytes purpose = FrameBytes.file().preambleByte(10, value).whole(new byte[3], new byte[0]);
            assertEquals(value == 1 || value == 2, only(purpose).terminal() == Terminal.END, "purpose " + value);
            FrameBytes reserved = FrameBytes.file().preambleByte(11, value).whole(new byte[3], new byte[0]);
            assertEquals(value == 0, only(reserved).terminal() == Terminal.END, "reserved " + value);
        }
        audit.cases(512);
    }

    @Test
    void unknownMustUnderstandFlagsFailTheResultAlone() throws IOException {
        for (int flags = 2; flags < 256; flags++) {
            if ((flags & 1) == 0) {
                for (int kind : new int[] {2, 3, 0x80, 0xFF}) {
                    int value = flags;
                    requireFailsAlone(stream -> stream.frame(kind, new byte[5]).flags(value), "unknown flags");
                }
            }
        }
        audit.cases(127 * 4);
    }

    @Test
    void unknownFlagsOnTheEndAreRefusedToo() throws IOException {
        FrameBytes stream = FrameBytes.connection().open().data("d").end().flags(4);
        stream.whole(new byte[3], new byte[0]);
        List<Reported> reports = read(stream);
        assertEquals(
                List.of(Terminal.MALFORMED, Terminal.END),
                reports.stream().map(Reported::terminal).toList());
    }

    @Test
    void ignorableFlagsAreIgnoredOnEveryKind() throws IOException {
        for (int flags = 0; flags < 256; flags++) {
            FrameBytes stream = FrameBytes.connection().open().ignorableFlags(flags);
            stream.data("d").ignorableFlags(flags);
            stream.trailer(new byte[1]).ignorableFlags(flags);
            stream.frame(0x80, new byte[1]).ignorableFlags(flags);
            stream.end().ignorableFlags(flags);
            assertEquals(Terminal.END, only(stream).terminal());
        }
        audit.cases(256);
    }

    @Test
    void unknownKindsBelow80FailTheResultAlone() throws IOException {
        for (int kind = 0; kind < 0x80; kind++) {
            if (kind == 0 || kind > 5) {
                int value = kind;
                requireFailsAlone(stream -> stream.frame(value, new byte[5]), "unknown frame kind");
            }
        }
        audit.cases(0x80 - 5);
    }

    @Test
    void unknownKindsFrom80AreCountedAndSkippedAnywhere() throws IOException {
        for (int kind = 0x80; kind < 0x100; kind++) {
            FrameBytes stream = FrameBytes.connection().open();
            stream.frame(kind, new byte[0]);
            stream.data("da").frame(kind, new byte[400]).data("ta");
            stream.trailer(new byte[] {1}).frame(kind, new byte[7]).trailer(new byte[] {2});
            stream.frame(kind, new byte[1]).end();
            Reported only = only(stream);
            assertEquals(Terminal.END, only.terminal());
            assertEquals("data", new String(only.payload(), java.nio.charset.StandardCharsets.UTF_8));
            assertEquals(2, only.trailer().length);
        }
        audit.cases(0x80);
    }

    @Test
    void ignorableKindWithADamagedBodyFailsTheResult() throws IOException {
        requireFailsAlone(stream -> stream.frame(0x90, new byte[5]).bodyChecksum(1), "body checksum does not match");
    }

    @Test
    void ignorableKindThatIsLostOrAddedIsMissedByTheEnd() throws IOException {
        FrameBytes stream = FrameBytes.connection()
                .open()
                .data("d")
                .frame(0x90, new byte[5])
                .end();
        stream.whole(new byte[3], new byte[0]);
        List<byte[]> parts = new java.util.ArrayList<>(stream.frames());
        parts.remove(2);
        parts.add(0, stream.preamble());
        List<Reported> reports = reading.push(FrameBytes.join(parts), Cuts.none());
        assertEquals(
                List.of(Terminal.MALFORMED, Terminal.END),
                reports.stream().map(Reported::terminal).toList());
    }

    @Test
    void longerBodiesOfANewerMinorVersionAreRead() throws IOException {
        for (int more = 0; more < 300; more += 7) {
            FrameBytes stream = FrameBytes.connection().preambleByte(9, 1).open();
            stream.body(longer(stream, more)).data("d").end();
            stream.body(longer(stream, more));
            assertEquals(Terminal.END, only(stream).terminal(), more + " bytes more");
            FrameBytes failed = FrameBytes.connection().preambleByte(9, 1).open();
            failed.failure(200, true, "C", "t", "s").body(longer(failed, more));
            assertEquals(Terminal.FAILURE, only(failed).terminal(), more + " bytes more");
        }
        audit.cases(2 * 43);
    }

    @Test
    void connectionFramesOfALaterVersionEndTheConnectionAndIgnorableOnesDoNot() throws IOException {
        for (int kind = 0; kind < 0x100; kind++) {
            FrameBytes stream = FrameBytes.connection().open().data("d");
            stream.frame(kind, new byte[4]).streamId(0).sequence(77);
            byte[] bytes = stream.toBytes();
            List<Reported> reports = reading.push(bytes, Cuts.none());
            assertEquals(
                    kind < 0x80 ? Terminal.MALFORMED : Terminal.TRUNCATED,
                    reports.get(0).terminal());
            assertEquals(1, reports.size());
            assertTrue(reports.get(0).connectionOver());
        }
        audit.cases(0x100);
    }

    /** The body of the frame added last, which is the stream's last bytes, with some more behind it. */
    private static byte[] longer(FrameBytes stream, int more) {
        List<byte[]> frames = stream.frames();
        byte[] last = frames.get(frames.size() - 1);
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.write(last, 32, last.length - 32);
        for (int i = 0; i < more; i++) {
            body.write(0xEE);
        }
        return body.toByteArray();
    }

    private void requireFailsAlone(UnaryOperator<FrameBytes> broken, String reason) throws IOException {
        FrameBytes stream = FrameBytes.connection().whole(new byte[3], new byte[0]);
        stream.open().data("d");
        broken.apply(stream).data("more").end();
        stream.whole(new byte[3], new byte[0]);
        List<Reported> reports = read(stream);
        assertEquals(
                List.of(Terminal.END, Terminal.MALFORMED, Terminal.END),
                reports.stream().map(Reported::terminal).toList(),
                () -> "" + reports);
        assertTrue(reports.get(1).reason().startsWith(reason), reports.get(1)::reason);
        assertEquals(1, reports.get(1).payload().length);
    }

    private Reported only(FrameBytes stream) throws IOException {
        List<Reported> reports = read(stream);
        assertEquals(1, reports.size(), () -> "" + reports);
        return reports.get(0);
    }

    private List<Reported> read(FrameBytes stream) throws IOException {
        byte[] bytes = stream.toBytes();
        List<Reported> reports = reading.push(bytes, Cuts.none());
        assertEquals(Reading.outlines(ReferenceDecoder.decode(bytes, Streams.CHUNK)), Reading.outlines(reports));
        assertEquals(Reading.outlines(reports), Reading.outlines(reading.pull(bytes, Cuts.halves(bytes.length))));
        return reports;
    }
}
