// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultFailure;

/** The body of a failure frame: numbers and bounded texts, never a serialised object. */
public final class FailureBody {

    private FailureBody() {}

    /** Writes at the writer index, shortening the texts, the stack first, to end before {@code limit}. */
    static void write(ResultFailure failure, ByteBuf chunk, int limit) {
        chunk.writeByte(failure.phase().code());
        chunk.writeByte(failure.retriable() ? FAILURE_RETRIABLE : 0);
        chunk.writeShortLE(0);
        chunk.writeLongLE(failure.payloadBytes());
        chunk.writeLongLE(failure.frames());
        // Each text leaves room for the length fields behind it.
        writeText(chunk, failure.className(), Math.min(MAX_CLASS_NAME_LENGTH, limit - chunk.writerIndex() - 6));
        writeText(chunk, failure.text(), Math.min(MAX_FAILURE_TEXT_LENGTH, limit - chunk.writerIndex() - 4));
        writeText(chunk, failure.stack(), Math.min(MAX_STACK_LENGTH, limit - chunk.writerIndex() - 2));
    }

    public static ResultFailure parse(ByteBuf body) throws MalformedDataException {
        if (body.readableBytes() < FAILURE_TEXTS_OFFSET) {
            throw new MalformedDataException(
                    "failure frame is too short", FAILURE_TEXTS_OFFSET, body.readableBytes(), 0, null);
        }
        FailurePhase phase = FailurePhase.of(body.readUnsignedByte());
        boolean retriable = (body.readByte() & FAILURE_RETRIABLE) != 0;
        if (body.readShortLE() != 0) {
            throw new MalformedDataException("reserved field is not 0 in the failure frame", FAILURE_RESERVED_OFFSET);
        }
        long payloadBytes = body.readLongLE();
        long frames = body.readLongLE();
        String className = readText(body, MAX_CLASS_NAME_LENGTH, "class name");
        String text = readText(body, MAX_FAILURE_TEXT_LENGTH, "text");
        String stack = readText(body, MAX_STACK_LENGTH, "stack");
        return new ResultFailure(phase, className, text, stack, payloadBytes, frames, retriable);
    }

    private static void writeText(ByteBuf chunk, String text, int limit) {
        byte[] bytes = FrameText.encode(text, Math.max(0, limit));
        chunk.writeShortLE(bytes.length);
        chunk.writeBytes(bytes);
    }

    private static String readText(ByteBuf body, int limit, String field) throws MalformedDataException {
        if (body.readableBytes() < 2) {
            throw new MalformedDataException("failure frame is too short for its " + field, body.readerIndex());
        }
        int length = body.readUnsignedShortLE();
        if (length > limit) {
            throw new MalformedDataException(
                    "failure text is too long: " + field, limit, length, body.readerIndex() - 2, null);
        }
        return FrameText.read(body, length, "failure frame", field);
    }
}
