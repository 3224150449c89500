// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.kryo;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.KryoException;
import io.tailrace.codec.elements.ArrivingElements;
import io.tailrace.codec.elements.ForeignErrors;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** A whole payload of objects up to its end, each a graph of its own. */
final class KryoEach<E> implements ValueCodec<Iterator<E>> {

    private final Kryos kryos;
    private final Class<E> type;

    KryoEach(Kryos kryos, Class<E> type) {
        this.kryos = kryos;
        this.type = type;
    }

    @Override
    public String id() {
        return "kryo-each/5";
    }

    @Override
    public void encode(Iterator<E> values, WireOutput out) throws IOException {
        Kryo kryo = kryos.take();
        KryoOutput to = new KryoOutput(out);
        long index = 0;
        try {
            long from = 0;
            while (values.hasNext()) {
                kryo.writeObjectOrNull(to, values.next(), type);
                kryo.reset(); // one without autoReset would keep every object
                long end = to.total();
                if (end == from) {
                    throw new KryoException("element of no bytes, which no reader could tell from none");
                }
                from = end;
                index++;
            }
        } catch (Throwable e) {
            to.detach();
            throw ForeignErrors.told(e, "[" + index + "]", out);
        }
        to.detach();
        kryos.give(kryo);
    }

    @Override
    public Iterator<E> decode(WireInput in) {
        return new Elements<>(kryos, type, in);
    }

    private static final class Elements<E> extends ArrivingElements<E> {
        private final Kryos kryos;
        private final Class<E> type;
        private final KryoInput from;

        /** Not here while it reads: a read that fails leaves none. */
        private @Nullable Kryo kryo;

        Elements(Kryos kryos, Class<E> type, WireInput in) {
            super(in);
            this.kryos = kryos;
            this.type = type;
            Kryo taken = kryos.take();
            this.from = new KryoInput(in, taken, kryos.maxCollectionBytes());
            this.kryo = taken;
        }

        @Override
        protected @Nullable E read() {
            Kryo reading = kryo;
            kryo = null;
            if (reading == null) {
                throw new IllegalStateException("read while it reads");
            }
            from.attach();
            try {
                E element = reading.readObjectOrNull(from, type);
                reading.reset();
                kryo = reading;
                return element;
            } finally {
                from.detach();
            }
        }

        @Override
        protected void release() {
            Kryo sound = kryo;
            kryo = null;
            if (sound != null) {
                kryos.give(sound);
            }
        }
    }
}
