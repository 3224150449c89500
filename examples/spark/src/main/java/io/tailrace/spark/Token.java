// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What stands in Spark's task result for a value that went another way.
 *
 * <pre>
 *  0        8                24     25          33
 *  | magic  | the application's | kind | task id   | reason, of a refusal: UTF-8 to the end
 * </pre>
 *
 * <p>The mark is drawn from the application's secret, so that no value's bytes look like a token.
 */
final class Token {

    /** How a token begins: as many bytes tell it from a value. */
    static final int MARK_LENGTH = 24;

    private static final long MAGIC = 0x5441494C_52414345L;
    private static final int LENGTH = MARK_LENGTH + 1 + Long.BYTES;
    private static final byte ACCEPTED = 1;
    private static final byte REFUSED = 2;

    private final byte[] mark;

    /** Those of an application. */
    Token(byte[] secret) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update("tailrace spark token 1\0".getBytes(StandardCharsets.US_ASCII));
            byte[] drawn = digest.digest(secret);
            mark = ByteBuffer.allocate(MARK_LENGTH)
                    .putLong(MAGIC)
                    .put(drawn, 0, MARK_LENGTH - Long.BYTES)
                    .array();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** For a value that the driver has. */
    byte[] accepted(long task) {
        return bytes(ACCEPTED, task, new byte[0]);
    }

    /** For one that it does not want, now or in another attempt. */
    byte[] refused(long task, String reason) {
        return bytes(REFUSED, task, reason.getBytes(StandardCharsets.UTF_8));
    }

    private byte[] bytes(byte kind, long task, byte[] reason) {
        return ByteBuffer.allocate(LENGTH + reason.length)
                .put(mark)
                .put(kind)
                .putLong(task)
                .put(reason)
                .array();
    }

    /** Whether bytes begin as a token of this application does. */
    boolean begins(byte[] bytes) {
        return bytes.length >= MARK_LENGTH && MessageDigest.isEqual(mark, Arrays.copyOf(bytes, MARK_LENGTH));
    }

    /** Reads what is behind the mark. */
    static Read read(byte[] behind) throws IOException {
        if (behind.length < LENGTH - MARK_LENGTH || (behind[0] != ACCEPTED && behind[0] != REFUSED)) {
            throw new IOException(
                    "a token of " + behind.length + " bytes behind its mark, which this driver cannot read");
        }
        ByteBuffer bytes = ByteBuffer.wrap(behind, 1, behind.length - 1);
        long task = bytes.getLong();
        String reason = behind[0] == ACCEPTED
                ? null
                : StandardCharsets.UTF_8.decode(bytes).toString();
        return new Read(task, reason);
    }

    /** @param refusal why the value was not taken; null when it was */
    record Read(long task, @Nullable String refusal) {}
}
