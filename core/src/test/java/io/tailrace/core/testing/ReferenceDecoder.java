// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.testing.Reported.Failure;
import io.tailrace.core.testing.Reported.Terminal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A slow reader of whole streams, written from FRAME_FORMAT.md alone: the referee of every faster one. It reads one result
 * after another, knows LZ4, and remembers every ended result of a stream.
 */
public final class ReferenceDecoder {

    /** The reader's chunk that the vectors assume. */
    public static final int USUAL_CHUNK = 65_536;

    private static final byte[] MAGIC = {(byte) 0x89, 'T', 'R', 'L', 'R', '\r', '\n', 0x1A};
    private static final int PREAMBLE = 16;
    private static final int LARGEST_CHUNK = 16_777_216;
    private static final byte[] NOTHING = {};

    private final byte[] stream;
    private final int readersChunk;
    private final List<Reported> reports = new ArrayList<>();
    private final Set<Long> ended = new HashSet<>();
    private @Nullable ReferenceResult open;
    private @Nullable Long skipping;
    private int at;

    private ReferenceDecoder(byte[] stream, int readersChunk) {
        this.stream = stream;
        this.readersChunk = readersChunk;
    }

    /** What a reader with the usual chunk reports, in order. The stream ended cleanly unless the last one ends it. */
    public static List<Reported> decode(byte[] stream) {
        return decode(stream, USUAL_CHUNK);
    }

    public static List<Reported> decode(byte[] stream, int readersChunk) {
        ReferenceDecoder decoder = new ReferenceDecoder(stream, readersChunk);
        decoder.run();
        return decoder.reports;
    }

    private void run() {
        try {
            if (preamble()) {
                while (at < stream.length) {
                    if (!frame()) {
                        return;
                    }
                }
                if (open != null || skipping != null) {
                    truncated("a result");
                }
            }
        } catch (Refusal refusal) {
            report(Terminal.MALFORMED, refusal.reason(), true, openId(), null);
        }
    }

    private boolean preamble() throws Refusal {
        int present = Math.min(MAGIC.length, stream.length);
        Refusal.connectionUnless(Arrays.equals(MAGIC, 0, present, stream, 0, present), "not a Tailrace stream");
        if (stream.length < PREAMBLE) {
            return truncated("its preamble");
        }
        Fields fields = new Fields("no", stream, MAGIC.length);
        int major = fields.u8();
        fields.u8(); // any minor version
        int purpose = fields.u8();
        int reserved = fields.u8();
        Refusal.connectionUnless(NaiveCrc32c.of(stream, 0, 12) == fields.i32(), "preamble checksum does not match");
        Refusal.connectionUnless(major == 1, "unknown major version");
        Refusal.connectionUnless(purpose != 3, "multiplexed connection, not a plain stream");
        Refusal.connectionUnless(purpose == 1 || purpose == 2, "unknown purpose");
        Refusal.connectionUnless(reserved == 0, "reserved byte of the preamble is not 0");
        at = PREAMBLE;
        return true;
    }

    /** Reads one frame; false when the stream ends inside it. Throws only what ends the connection. */
    private boolean frame() throws Refusal {
        if (stream.length - at < ReferenceFrame.HEADER) {
            return truncated("a frame");
        }
        ReferenceFrame frame = ReferenceFrame.at(stream, at);
        int passable = (skipping != null ? LARGEST_CHUNK : readersChunk) - ReferenceFrame.HEADER;
        Refusal.connectionUnless(frame.wireLength() <= passable, "wire length exceeds what a chunk holds");
        boolean passedOver = skipping != null && passOver(frame, skipping);
        if (!passedOver) {
            try {
                beforeBody(frame);
            } catch (Refusal refusal) {
                fail(frame, refusal);
                passedOver = true;
            }
        }
        if (frame.wireLength() > stream.length - frame.bodyOffset()) {
            return truncated("a frame");
        }
        at = frame.bodyOffset() + (int) frame.wireLength();
        if (!passedOver) {
            try {
                withBody(frame);
            } catch (Refusal refusal) {
                fail(frame, refusal);
            }
        }
        return true;
    }

    /** Step 4: true when nothing else of the frame is looked at. */
    private boolean passOver(ReferenceFrame frame, long skipped) throws Refusal {
        Refusal.connectionUnless(frame.streamId() != 0 || frame.isIgnorable(), "unknown frame kind of the connection");
        if (frame.kind() == ReferenceFrame.OPEN && frame.streamId() != skipped) {
            skipping = null;
            ended.add(skipped);
            return false;
        }
        if (frame.isTerminal() && frame.streamId() == skipped) {
            skipping = null;
            ended.add(skipped);
        }
        return true;
    }

    private void beforeBody(ReferenceFrame frame) throws Refusal {
        int readersLimit = readersChunk - ReferenceFrame.HEADER;
        frame.checkLengths(open != null && frame.streamId() != 0 ? open.bodyLimit() : readersLimit);
    }

    private void withBody(ReferenceFrame frame) throws Refusal {
        frame.checkBodyAndKind(stream);
        if (frame.streamId() == 0) {
            return;
        }
        ReferenceResult current = open;
        if (current != null && frame.streamId() != current.streamId) {
            Refusal foreign = new Refusal("foreign frame", false);
            if (frame.kind() != ReferenceFrame.OPEN) {
                throw foreign;
            }
            report(Terminal.MALFORMED, foreign.reason(), false, current.streamId, null);
            ended.add(current.streamId);
            open = null;
            current = null;
        }
        if (frame.kind() == ReferenceFrame.OPEN) {
            Refusal.unless(current == null && !ended.contains(frame.streamId()), "opened twice");
            frame.checkSequence(0);
            open = new ReferenceResult(frame, frame.body(stream), readersChunk);
        } else {
            Refusal.unless(current != null || !ended.contains(frame.streamId()), "frame after the result's end");
            Refusal.unless(current != null, "not opened");
            if (current != null) {
                inside(current, frame);
            }
        }
    }

    private void inside(ReferenceResult current, ReferenceFrame frame) throws Refusal {
        current.checkSequence(frame);
        if (frame.kind() == ReferenceFrame.FAILURE) {
            Failure failure = ReferenceResult.failure(new Fields("failure", frame.body(stream), 0));
            close(current, Terminal.FAILURE, failure);
        } else if (current.accept(frame, frame.body(stream))) {
            close(current, Terminal.END, null);
        }
    }

    private void close(ReferenceResult current, Terminal terminal, @Nullable Failure failure) {
        report(terminal, "", false, current.streamId, failure);
        ended.add(current.streamId);
        open = null;
    }

    /** The paragraph "Failing" of §11. */
    private void fail(ReferenceFrame frame, Refusal refusal) throws Refusal {
        if (refusal.ofConnection || frame.streamId() == 0) {
            throw new Refusal(refusal.reason(), true);
        }
        long failed = open != null ? open.streamId : frame.streamId();
        report(Terminal.MALFORMED, refusal.reason(), false, failed, null);
        open = null;
        if (frame.isTerminal() && frame.streamId() == failed) {
            ended.add(failed);
        } else {
            skipping = frame.kind() == ReferenceFrame.OPEN ? frame.streamId() : failed;
            if (skipping != failed) {
                ended.add(failed);
            }
        }
    }

    private boolean truncated(String inside) {
        report(Terminal.TRUNCATED, "the stream ends inside " + inside, true, openId(), null);
        return false;
    }

    private long openId() {
        return open == null ? 0 : open.streamId;
    }

    private void report(
            Terminal terminal, String reason, boolean connectionOver, long streamId, @Nullable Failure failure) {
        ReferenceResult current = open;
        boolean own = current != null && current.streamId == streamId;
        reports.add(new Reported(
                terminal,
                connectionOver,
                reason,
                streamId,
                own ? current.opened : null,
                own ? current.payload() : NOTHING,
                own ? current.trailer() : NOTHING,
                failure));
    }
}
