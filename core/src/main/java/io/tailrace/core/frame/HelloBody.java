// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * The body of a HELLO frame: what one side of a multiplexed connection is, and what it can hold.
 *
 * @param proves whether it has a secret and requires the peer's proof
 * @param chunkBytes the largest frame that it can hold; a server's is the unit of credit too
 * @param initialCredit bytes of frames that one result may have charged to the shared account; a client's is 0
 * @param heartbeatMillis how often it sends something at least; 0 is never
 */
public record HelloBody(
        boolean server,
        boolean proves,
        int chunkBytes,
        long initialCredit,
        int heartbeatMillis,
        Nonce nonce,
        String name) {

    /** 32 random bytes, eight to a long, lowest byte first. */
    public record Nonce(long first, long second, long third, long fourth) {

        static Nonce of(byte[] bytes) {
            if (bytes.length != NONCE_LENGTH) {
                throw new IllegalArgumentException("a nonce has 32 bytes, not " + bytes.length);
            }
            return new Nonce(part(bytes, 0), part(bytes, 8), part(bytes, 16), part(bytes, 24));
        }

        private static long part(byte[] bytes, int at) {
            return (long) FrameHeader.LONG.get(bytes, at);
        }
    }

    public HelloBody {
        requireWithin(chunkBytes, MIN_CHUNK_SIZE, MAX_CHUNK_SIZE, "chunk");
        requireWithin(initialCredit, 0, server ? Long.MAX_VALUE : 0, "initial credit");
        requireWithin(heartbeatMillis, 0, Integer.MAX_VALUE, "heartbeat");
        requireWithin(name.getBytes(StandardCharsets.UTF_8).length, 0, MAX_NAME_LENGTH, "name's length");
    }

    public static HelloBody of(
            boolean server,
            boolean proves,
            int chunkBytes,
            long initialCredit,
            int heartbeatMillis,
            byte[] nonce,
            String name) {
        return new HelloBody(server, proves, chunkBytes, initialCredit, heartbeatMillis, Nonce.of(nonce), name);
    }

    void write(ByteBuf into) {
        into.writeByte(server ? HELLO_SERVER : HELLO_CLIENT);
        into.writeByte(proves ? HELLO_PROVES : 0);
        into.writeShortLE(0);
        into.writeIntLE(chunkBytes);
        into.writeLongLE(initialCredit);
        into.writeIntLE(heartbeatMillis);
        into.writeIntLE(0);
        into.writeLongLE(nonce.first);
        into.writeLongLE(nonce.second);
        into.writeLongLE(nonce.third);
        into.writeLongLE(nonce.fourth);
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        into.writeByte(text.length);
        into.writeBytes(text);
    }

    private static void requireWithin(long value, long least, long most, String what) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(what + " is not from " + least + " to " + most + ": " + value);
        }
    }
}
