// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.kryo;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.KryoException;
import io.tailrace.codec.elements.ForeignErrors;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A whole payload of one object, of a class that both sides know or with its class in front. */
final class KryoValue<T> implements ValueCodec<T> {

    private final Kryos kryos;
    private final @Nullable Class<T> type;

    KryoValue(Kryos kryos, @Nullable Class<T> type) {
        this.kryos = kryos;
        this.type = type;
    }

    @Override
    public String id() {
        return "kryo-value/5";
    }

    @Override
    public void encode(T value, WireOutput out) throws IOException {
        Kryo kryo = kryos.take();
        KryoOutput to = new KryoOutput(out);
        try {
            if (type == null) {
                kryo.writeClassAndObject(to, value);
            } else {
                kryo.writeObject(to, value);
            }
        } catch (Throwable e) {
            to.detach();
            throw ForeignErrors.told(e, "", out);
        }
        to.detach();
        kryos.give(kryo);
    }

    @Override
    @SuppressWarnings({"unchecked", "NullAway"}) // the class and a null in front are the payload's
    public T decode(WireInput in) throws IOException {
        Kryo kryo = kryos.take();
        KryoInput from = new KryoInput(in, kryo, kryos.maxCollectionBytes());
        T value;
        try {
            value = type == null ? (T) kryo.readClassAndObject(from) : kryo.readObject(from, type);
            if (value == null && type != null) {
                throw new KryoException("null where none may be");
            }
        } catch (Throwable e) {
            from.detach();
            throw ForeignErrors.told(e, "", in);
        }
        from.detach();
        kryos.give(kryo);
        return value;
    }
}
