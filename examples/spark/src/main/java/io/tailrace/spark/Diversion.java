// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import io.tailrace.core.ResultSummary;
import io.tailrace.core.ResultWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where a value's bytes go: held until there are too many of them for Spark's own way, into a result's chunks from then on.
 *
 * <p>What it throws it keeps, since serializers wrap exceptions in their own; after that each write throws the same at once.
 *
 * <p><b>Ownership.</b> The writer, and with it the result's chunks, are this object's until {@link #finish} or {@link #abandon}.
 *
 * <p><b>Threads.</b> The task's.
 */
final class Diversion extends OutputStream {

    /** A kill is seen at the next piece. */
    private static final int PIECE_BYTES = 64 << 10;

    private final RunningTask task;
    private final Sending sending;
    private final String codec;
    private final HeldBytes held;
    private KillWatch.@Nullable Watch watch;
    private @Nullable ResultWriter writer;
    private @Nullable OutputStream payload;
    private @Nullable Throwable failure;

    /** @param streamedFrom as many bytes are a stream; fewer are held */
    Diversion(RunningTask task, Sending sending, String codec, int streamedFrom) {
        this.task = task;
        this.sending = sending;
        this.codec = codec;
        this.held = new HeldBytes(streamedFrom - 1);
    }

    /** Whether the value is too large to be held. */
    boolean isStreaming() {
        return payload != null;
    }

    /** What was thrown here first; null while all is well, whatever the value's serializer has thrown. */
    @Nullable
    Throwable failure() {
        return failure;
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] from, int at, int length) throws IOException {
        Objects.checkFromIndexSize(at, length, from.length);
        try {
            if (failure != null) {
                throw failure;
            }
            OutputStream out = payload;
            if (out == null && held.hold(from, at, length)) {
                return;
            }
            if (out == null) {
                out = open();
            }
            for (int end = at + length, next = at; next < end; next += PIECE_BYTES) {
                task.throwIfKilled();
                out.write(from, next, Math.min(PIECE_BYTES, end - next));
            }
        } catch (Throwable e) {
            failure = e;
            throw Rethrow.as(e);
        }
    }

    private OutputStream open() throws IOException {
        task.throwIfKilled();
        watch = sending.watch(task);
        ResultWriter opened = sending.open(task, codec);
        writer = opened;
        OutputStream out = opened.payload().asOutputStream();
        held.writeTo(out);
        held.clear();
        payload = out;
        return out;
    }

    void writeHeldTo(OutputStream out) throws IOException {
        held.writeTo(out);
    }

    /** Returns when the driver has the value. */
    void finish() throws IOException {
        try {
            if (failure != null) {
                throw failure; // the serializer has swallowed it
            }
            ResultWriter open = Objects.requireNonNull(writer, "nothing is streamed");
            ResultSummary summary = open.finish();
            sending.delivered(summary);
            open.close();
            writer = null;
            endWatch();
        } catch (Throwable e) {
            failure = e;
            throw Rethrow.as(e);
        }
    }

    /** Tells the driver that there will be no more; nothing without a stream. */
    void abandon(Throwable cause) {
        endWatch();
        ResultWriter open = writer;
        writer = null;
        if (open != null) {
            open.fail(cause);
            open.close();
        }
    }

    private void endWatch() {
        KillWatch.Watch begun = watch;
        watch = null;
        if (begun != null) {
            begun.close();
        }
    }
}
