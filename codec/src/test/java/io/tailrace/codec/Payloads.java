// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Payloads without frames: values through bare buffers of any size. */
public final class Payloads {

    private Payloads() {}

    /** The payload, written in regions of so many bytes. */
    public static <T> byte[] encode(ValueCodec<T> codec, T value, int regionBytes) throws IOException {
        ByteArrayOutputStream payload = new ByteArrayOutputStream();
        WireOutput out = new WireOutput(new Regions(payload, regionBytes), 0);
        codec.encode(value, out);
        collect(out.take(), payload);
        return payload.toByteArray();
    }

    /** The value, out of buffers of so many bytes. */
    public static <T> T decode(ValueCodec<T> codec, byte[] payload, int bufferBytes) throws IOException {
        WireInput in = input(payload, bufferBytes, DecoderLimits.DEFAULT);
        T value = codec.decode(in);
        if (!in.exhausted()) {
            throw new AssertionError("bytes are left behind offset " + in.position() + " of " + payload.length);
        }
        return value;
    }

    public static WireInput input(byte[] payload, int bufferBytes, DecoderLimits limits) {
        return new WireInput(new Buffers(payload, bufferBytes), limits, null);
    }

    private static void collect(@Nullable ByteBuf written, ByteArrayOutputStream to) {
        if (written != null) {
            to.write(written.array(), written.arrayOffset(), written.writerIndex());
        }
    }

    private record Regions(ByteArrayOutputStream payload, int regionBytes) implements WireOutput.Next {
        @Override
        public ByteBuf next(@Nullable ByteBuf written) {
            collect(written, payload);
            return Unpooled.wrappedBuffer(new byte[regionBytes]).clear();
        }

        @Override
        public ByteBuf nextAfter(@Nullable ByteBuf written, ByteBuffer body) {
            collect(written, payload);
            byte[] bytes = new byte[body.remaining()];
            body.get(bytes);
            payload.writeBytes(bytes);
            return Unpooled.wrappedBuffer(new byte[regionBytes]).clear();
        }

        @Override
        public boolean takesByReference(int length) {
            return length >= regionBytes / 4;
        }
    }

    private static final class Buffers implements WireInput.Source {
        private final byte[] payload;
        private final int bufferBytes;
        private int at;

        Buffers(byte[] payload, int bufferBytes) {
            this.payload = payload;
            this.bufferBytes = bufferBytes;
        }

        @Override
        public @Nullable ByteBuf next(@Nullable ByteBuf drained) {
            if (at == payload.length) {
                return null;
            }
            int end = Math.min(payload.length, at + bufferBytes);
            ByteBuf next = Unpooled.wrappedBuffer(Arrays.copyOfRange(payload, at, end));
            at = end;
            return next;
        }
    }
}
