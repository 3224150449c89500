// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.netty.buffer.ByteBuf;
import io.netty.util.IllegalReferenceCountException;
import io.tailrace.core.chunk.ChunkStage;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameOpener;
import io.tailrace.core.frame.ResultTotals;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/**
 * A listener, called so that whatever it throws, declared or not, ends its result and nothing else: the connection is
 * not its own.
 *
 * <p><b>Ownership.</b> A chunk handed out is given up here; who retained it keeps it.
 */
final class ListenerCalls {

    private static final Logger LOG = System.getLogger(ListenerCalls.class.getName());

    private final ResultListener listener;

    ListenerCalls(ResultListener listener) {
        this.listener = listener;
    }

    void open(FrameOpener open) throws ResultFailedException {
        try {
            listener.onOpen(open.open().id(), open.open().codecId());
        } catch (Throwable e) {
            throw failed(open, e);
        }
    }

    /** Hands out the body of a data or trailer frame, and releases it. */
    void content(FrameOpener open, FrameKind kind, ByteBuf body) throws ResultFailedException {
        body.touch(ChunkStage.READING);
        Throwable thrown = null;
        try {
            deliver(kind, body);
        } catch (Throwable e) {
            thrown = e;
        }
        try {
            body.release();
        } catch (IllegalReferenceCountException e) {
            // The listener released what was only lent to it: its fault as much as if it had thrown.
            if (thrown != null) {
                e.addSuppressed(thrown);
            }
            thrown = e;
        }
        if (thrown != null) {
            throw failed(open, thrown);
        }
    }

    private void deliver(FrameKind kind, ByteBuf body) throws IOException {
        if (kind == FrameKind.DATA) {
            listener.onPayload(body);
        } else {
            listener.onTrailer(body);
        }
    }

    /** The result is complete, unless the listener cannot take it so. */
    void end(FrameOpener open, ResultSummary summary) {
        try {
            listener.onEnd(summary);
        } catch (Throwable e) {
            failure(summary.id(), failed(open, e));
        }
    }

    void failure(@Nullable ResultId id, ResultException reason) {
        try {
            listener.onFailure(id, reason);
        } catch (Throwable e) {
            if (e != reason) {
                e.addSuppressed(reason);
            }
            LOG.log(Level.WARNING, "a listener threw when it was told that a result failed", e);
        }
    }

    private static ResultFailedException failed(FrameOpener open, Throwable e) {
        ResultTotals totals = open.totals();
        return new ResultFailedException(
                Failures.describe(FailurePhase.RECEIVING, e, totals.payloadBytes(), totals.frames()),
                open.open().id(),
                e);
    }
}
