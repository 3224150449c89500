// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Whether a peer lives: what it has for its greeting, between two signs of life, and for one frame; and when it is to be given such a
 * sign.
 *
 * <p><b>Threads.</b> The loop alone.
 */
final class Liveness {

    /** What took too long. */
    record Overdue(String text, String what, long nanos) {

        IOException cause() {
            return new IOException(what + " of " + nanos / 1_000_000 + " ms");
        }
    }

    private final MuxSettings settings;
    private long peerHeartbeat;
    private long startedAt;
    private long heardAt;
    private long saidAt;
    private long framesSeen;
    private long frameSeenAt;

    Liveness(MuxSettings settings) {
        this.settings = settings;
    }

    void start(long now) {
        startedAt = now;
        heardAt = now;
        saidAt = now;
    }

    void heard(long now) {
        heardAt = now;
    }

    long heardAt() {
        return heardAt;
    }

    /** The peer says something so often; 0 never. */
    void promised(long nanos) {
        peerHeartbeat = nanos;
    }

    /** To be told before anything is asked, each time. */
    void look(Intake intake, long now) {
        if (!intake.inside() || intake.frames() != framesSeen) {
            framesSeen = intake.frames();
            frameSeenAt = now;
        }
    }

    /** Of a peer that has not proved who it is. */
    @Nullable
    Overdue unproved(long now) {
        return now - startedAt > settings.handshakeLimit()
                ? new Overdue("the handshake took too long", "handshake", now - startedAt)
                : null;
    }

    /** Of one that has. */
    @Nullable
    Overdue proved(Intake intake, long now) {
        if (peerHeartbeat > 0 && now - heardAt > 2 * peerHeartbeat) {
            return new Overdue("no sign of life", "silence", now - heardAt);
        }
        return intake.inside() && now - frameSeenAt > settings.frameLimit()
                ? new Overdue("a frame took too long", "frame", now - frameSeenAt)
                : null;
    }

    /** Whether a sign of life is due, which counts as given then. */
    boolean speaks(long now) {
        boolean due = settings.heartbeat() > 0 && now - saidAt >= settings.heartbeat();
        if (due) {
            saidAt = now;
        }
        return due;
    }
}
