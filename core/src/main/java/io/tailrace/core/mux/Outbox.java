// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;

/** What a receiver has to say, many results in one frame: credit, and the fates of results that were accepted. */
final class Outbox {

    private final Link link;
    private final long[] creditStreams = new long[FrameLayout.MAX_CREDITS];
    private final long[] creditBytes = new long[FrameLayout.MAX_CREDITS];
    private final long[] accepted = new long[FrameLayout.MAX_FATES];
    private int credits;
    private int fates;
    private boolean written;

    Outbox(Link link) {
        this.link = link;
    }

    void credit(long stream, long bytes) {
        for (int i = 0; i < credits; i++) {
            if (creditStreams[i] == stream) {
                creditBytes[i] += bytes;
                return;
            }
        }
        if (credits == creditStreams.length) {
            writeCredits();
        }
        creditStreams[credits] = stream;
        creditBytes[credits++] = bytes;
    }

    void fate(long stream, ResultFate fate) {
        if (fate.verdict() == Verdict.ACCEPTED && fate.reason().isEmpty()) {
            if (fates == accepted.length) {
                writeFates();
            }
            accepted[fates++] = stream;
            return;
        }
        ByteBuf frame = Unpooled.buffer(128);
        ControlWriter.fate(frame, fate, new long[] {stream}, 1);
        write(frame);
    }

    void flush() {
        if (fates > 0) {
            writeFates();
        }
        if (credits > 0) {
            writeCredits();
        }
        if (written) {
            written = false;
            link.flush();
        }
    }

    private void writeCredits() {
        ByteBuf frame = Unpooled.buffer(64 + 16 * credits);
        ControlWriter.credit(frame, creditStreams, creditBytes, credits);
        credits = 0;
        write(frame);
    }

    private void writeFates() {
        ByteBuf frame = Unpooled.buffer(64 + 8 * fates);
        ControlWriter.fate(frame, new ResultFate(Verdict.ACCEPTED, "", false), accepted, fates);
        fates = 0;
        write(frame);
    }

    private void write(ByteBuf frame) {
        link.write(frame);
        written = true;
    }
}
