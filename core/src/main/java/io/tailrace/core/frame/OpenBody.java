// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultId;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The body of an open frame: who the result is, and how its frames are made.
 *
 * @param chunkSize no frame of the result, header included, is larger, neither on the wire nor expanded
 * @param compressionId from FRAME_FORMAT.md's registry; 0 is none
 * @param declaredBytes how long the payload is said to be, {@link #UNKNOWN} when nothing is said; a hint, never checked
 */
public record OpenBody(int chunkSize, int compressionId, ResultId id, String codecId, long declaredBytes) {

    public static final long UNKNOWN = -1;

    public OpenBody(int chunkSize, int compressionId, ResultId id, String codecId) {
        this(chunkSize, compressionId, id, codecId, UNKNOWN);
    }

    public OpenBody {
        if (declaredBytes < UNKNOWN) {
            throw new IllegalArgumentException("declared bytes are negative: " + declaredBytes);
        }
        requireFits(codecId, MAX_CODEC_ID_LENGTH, "codec id");
        requireFits(id.job(), MAX_JOB_LENGTH, "job");
    }

    void write(ByteBuf chunk) {
        chunk.writeIntLE(chunkSize);
        chunk.writeShortLE(compressionId);
        chunk.writeShortLE(0);
        chunk.writeLongLE(id.stage());
        chunk.writeLongLE(id.task());
        chunk.writeIntLE(id.attempt());
        writeText(chunk, codecId);
        writeText(chunk, id.job());
        if (declaredBytes != UNKNOWN) {
            chunk.writeLongLE(declaredBytes);
        }
    }

    /** Parses all of the body's readable bytes; what a newer minor version appended is left unread. */
    public static OpenBody parse(ByteBuf body) throws MalformedDataException {
        return parse(body, null);
    }

    /** The same behind another one, whose texts are taken where they are equal. */
    public static OpenBody parse(ByteBuf body, @Nullable OpenBody last) throws MalformedDataException {
        if (body.readableBytes() < OPEN_TEXTS_OFFSET + 2) {
            throw new MalformedDataException(
                    "open frame is too short", OPEN_TEXTS_OFFSET + 2, body.readableBytes(), 0, null);
        }
        if (body.readableBytes() > MAX_OPEN_LENGTH) {
            throw new MalformedDataException("open frame is too long", MAX_OPEN_LENGTH, body.readableBytes(), 0, null);
        }
        long chunkSize = body.readUnsignedIntLE();
        if (chunkSize < MIN_CHUNK_SIZE || chunkSize > MAX_CHUNK_SIZE) {
            throw new MalformedDataException(
                    "chunk size is out of range", MAX_CHUNK_SIZE, chunkSize, OPEN_CHUNK_SIZE_OFFSET, null);
        }
        int compressionId = body.readUnsignedShortLE();
        if (body.readShortLE() != 0) {
            throw new MalformedDataException("reserved field is not 0 in the open frame", OPEN_RESERVED_OFFSET);
        }
        long stage = body.readLongLE();
        long task = body.readLongLE();
        int attempt = body.readIntLE();
        String codecId = readText(body, MAX_CODEC_ID_LENGTH, last == null ? null : last.codecId, "codec id");
        String job = readText(body, MAX_JOB_LENGTH, last == null ? null : last.id.job(), "job");
        ResultId id = new ResultId(job, stage, task, attempt);
        return new OpenBody((int) chunkSize, compressionId, id, codecId, readDeclared(body));
    }

    /** A number that no long holds says nothing; neither do fewer bytes than the field has. */
    private static long readDeclared(ByteBuf body) {
        return body.readableBytes() < OPEN_DECLARED_LENGTH ? UNKNOWN : Math.max(UNKNOWN, body.readLongLE());
    }

    /** It is known to fit. */
    private static void writeText(ByteBuf chunk, String text) {
        if (FrameText.isAscii(text)) {
            chunk.writeByte(text.length());
            ByteBufUtil.writeAscii(chunk, text);
        } else {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            chunk.writeByte(bytes.length);
            chunk.writeBytes(bytes);
        }
    }

    private static String readText(ByteBuf body, int limit, @Nullable String like, String field)
            throws MalformedDataException {
        if (!body.isReadable()) {
            throw new MalformedDataException("open frame is too short for its " + field, body.readerIndex());
        }
        int length = body.readUnsignedByte();
        if (length > limit) {
            throw new MalformedDataException(field + " is too long", limit, length, body.readerIndex() - 1, null);
        }
        return FrameText.read(body, length, like, "open frame", field);
    }

    private static void requireFits(String text, int limit, String field) {
        boolean fits = text.length() <= limit
                && (FrameText.isAscii(text) || text.getBytes(StandardCharsets.UTF_8).length <= limit);
        if (!fits) {
            throw new IllegalArgumentException(field + " takes more than " + limit + " bytes of UTF-8: " + text);
        }
    }
}
