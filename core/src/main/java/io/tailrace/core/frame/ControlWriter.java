// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.wire.ResultFate;

/**
 * Appends frames of a multiplexed connection itself, each whole and sealed, at a heap buffer's writer index, where
 * {@link FrameLayout#MAX_FRAME} bytes are room enough.
 *
 * <p><b>Ownership.</b> None: buffers are borrowed for the call.
 */
public final class ControlWriter {

    private ControlWriter() {}

    public static void hello(ByteBuf into, HelloBody hello) {
        int header = FrameSealer.reserve(into);
        hello.write(into);
        FrameSealer.sealControl(into, header, FrameKind.HELLO);
    }

    public static void proof(ByteBuf into, byte[] proof) {
        if (proof.length != PROOF_LENGTH) {
            throw new IllegalArgumentException("a proof has 32 bytes, not " + proof.length);
        }
        int header = FrameSealer.reserve(into);
        into.writeBytes(proof);
        FrameSealer.sealControl(into, header, FrameKind.PROOF);
    }

    /** Grants {@code bytes[i]} to the result {@code streams[i]}, or to the shared account where that is 0. */
    public static void credit(ByteBuf into, long[] streams, long[] bytes, int count) {
        requireCount(count, MAX_CREDITS);
        for (int i = 0; i < count; i++) {
            if (bytes[i] <= 0) {
                throw new IllegalArgumentException("credit is not positive: " + bytes[i]);
            }
        }
        int header = FrameSealer.reserve(into);
        for (int i = 0; i < count; i++) {
            into.writeLongLE(streams[i]);
            into.writeLongLE(bytes[i]);
        }
        FrameSealer.sealControl(into, header, FrameKind.CREDIT);
    }

    public static void ping(ByteBuf into, long token) {
        token(into, token, FrameKind.PING);
    }

    public static void pong(ByteBuf into, long token) {
        token(into, token, FrameKind.PONG);
    }

    private static void token(ByteBuf into, long token, FrameKind kind) {
        int header = FrameSealer.reserve(into);
        into.writeLongLE(token);
        FrameSealer.sealControl(into, header, kind);
    }

    /** Tells how much of a result waits; with {@code own}, its frames are charged to its own credit from here on. */
    public static void backlog(ByteBuf into, long stream, long waiting, boolean own) {
        requireResult(stream);
        if (waiting < 0) {
            throw new IllegalArgumentException("waiting bytes are negative: " + waiting);
        }
        int header = FrameSealer.reserve(into);
        into.writeLongLE(stream);
        into.writeLongLE(waiting);
        into.writeLongLE(own ? BACKLOG_OWN : 0); // a byte of flags, seven reserved
        FrameSealer.sealControl(into, header, FrameKind.BACKLOG);
    }

    /** One fate of several results; a reason that is too long is cut. */
    public static void fate(ByteBuf into, ResultFate fate, long[] streams, int count) {
        requireCount(count, MAX_FATES);
        for (int i = 0; i < count; i++) {
            requireResult(streams[i]);
        }
        int header = FrameSealer.reserve(into);
        into.writeByte(fate.verdict().code());
        into.writeByte(fate.retriable() ? FATE_RETRIABLE : 0);
        byte[] reason = FrameText.encode(fate.reason(), MAX_FATE_REASON_LENGTH);
        into.writeShortLE(reason.length);
        into.writeBytes(reason);
        for (int i = 0; i < count; i++) {
            into.writeLongLE(streams[i]);
        }
        FrameSealer.sealControl(into, header, FrameKind.FATE);
    }

    /** A text that is too long is cut. */
    public static void bye(ByteBuf into, ByeReason reason, String text) {
        int header = FrameSealer.reserve(into);
        into.writeByte(reason.code());
        byte[] bytes = FrameText.encode(text, MAX_BYE_TEXT_LENGTH);
        into.writeByte(bytes.length);
        into.writeBytes(bytes);
        FrameSealer.sealControl(into, header, FrameKind.BYE);
    }

    private static void requireCount(int count, int most) {
        if (count < 1 || count > most) {
            throw new IllegalArgumentException("entries are not from 1 to " + most + ": " + count);
        }
    }

    private static void requireResult(long stream) {
        if (stream == 0) {
            throw new IllegalArgumentException("stream id 0 is the connection's");
        }
    }
}
