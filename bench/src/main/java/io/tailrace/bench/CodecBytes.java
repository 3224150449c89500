// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCounted;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Small values as arrays of bytes by a codec of ours, for a transport that takes nothing else.
 *
 * <p><b>Ownership.</b> One array is written into again and again; no buffer needs to be released.
 *
 * <p><b>Threads.</b> One encodes, any decode.
 */
final class CodecBytes<T> implements WireOutput.Next {

    private static final int MOST_BYTES = 64 << 10;

    private final ValueCodec<T> codec;
    private final ByteBuf scratch = Unpooled.wrappedBuffer(new byte[MOST_BYTES]);
    private final WireOutput out = new WireOutput(this, 0);

    CodecBytes(ValueCodec<T> codec) {
        this.codec = codec;
    }

    byte[] encode(T value) throws IOException {
        codec.encode(value, out);
        ByteBuf written = out.take();
        if (written == null) {
            return new byte[0];
        }
        return Arrays.copyOfRange(
                written.array(), written.arrayOffset(), written.arrayOffset() + written.writerIndex());
    }

    T decode(byte[] bytes) throws IOException {
        ByteBuf source = Unpooled.wrappedBuffer(bytes);
        return codec.decode(new WireInput(drained -> drained == null ? source : null, DecoderLimits.DEFAULT, null));
    }

    @Override
    public ByteBuf next(@Nullable ByteBuf written) throws IOException {
        if (written != null) {
            throw new IOException("a value of more than " + MOST_BYTES + " bytes");
        }
        return scratch.clear();
    }

    @Override
    public ByteBuf nextAfter(@Nullable ByteBuf written, ByteBuffer body, @Nullable ReferenceCounted owner) {
        throw new UnsupportedOperationException("nothing goes by reference");
    }

    @Override
    public boolean takesByReference(int length) {
        return false;
    }
}
