// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A value whose every byte is known from its seed: so many longs, no two neighbours alike. */
public record Sample(long seed, int count) {

    public static final ValueCodec<Sample> CODEC = new Codec();

    public long at(long index) {
        long z = (seed + index) * 0x9E37_79B9_7F4A_7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
        return z ^ (z >>> 27);
    }

    /** Its payload as it must arrive. */
    public byte[] bytes() {
        ByteBuffer bytes = ByteBuffer.allocate(count * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            bytes.putLong(at(i));
        }
        return bytes.array();
    }

    /** Whether {@code received} is this value's payload from its start, whole or not. */
    public boolean startsWith(byte[] received) {
        byte[] all = bytes();
        return received.length <= all.length && Arrays.equals(received, 0, received.length, all, 0, received.length);
    }

    private static final class Codec implements ValueCodec<Sample> {
        @Override
        public String id() {
            return "sample/1";
        }

        @Override
        public void encode(Sample value, WireOutput out) throws IOException {
            for (int i = 0; i < value.count; i++) {
                out.writeLong(value.at(i));
            }
        }

        @Override
        public Sample decode(WireInput in) throws IOException {
            throw new IOException("a sample is compared, not decoded");
        }
    }
}
