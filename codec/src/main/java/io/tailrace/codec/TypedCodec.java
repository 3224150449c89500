// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;

/** A whole payload of one value. */
final class TypedCodec<T> implements ValueCodec<T> {

    private final Codec<T> codec;
    private final Preface<T> preface;
    private final ValueLimits limits;

    TypedCodec(Codec<T> codec, ValueLimits limits) {
        this.codec = codec;
        this.preface = new Preface<>(codec, codec.shape(), limits);
        this.limits = limits;
    }

    @Override
    public String id() {
        return preface.id();
    }

    @Override
    public boolean reads(String codecId) {
        return Preface.isOurs(codecId);
    }

    @Override
    public void encode(T value, WireOutput out) throws IOException {
        try {
            preface.write(out);
            codec.writeRoot(value, new Out(out, limits));
        } catch (Misfit e) {
            throw e.told(out);
        }
    }

    @Override
    public T decode(WireInput in) throws IOException {
        try {
            return preface.read(in).readRoot(new In(in, limits));
        } catch (Misfit e) {
            throw e.told(in);
        }
    }
}
