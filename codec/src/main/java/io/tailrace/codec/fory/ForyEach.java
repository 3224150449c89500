// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import io.tailrace.codec.elements.ArrivingElements;
import io.tailrace.codec.elements.ForeignErrors;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** Elements up to the payload's end. */
final class ForyEach<E> implements ValueCodec<Iterator<E>> {

    private final Class<E> type;
    private final ForyPool pool;

    ForyEach(Class<E> type, ForyPool pool) {
        this.type = type;
        this.pool = pool;
    }

    @Override
    public String id() {
        return "fory-each/1";
    }

    @Override
    public void encode(Iterator<E> values, WireOutput out) throws IOException {
        PooledFory fory = pool.take();
        GroupWriter writer = fory.writer();
        long index = 0;
        try {
            while (values.hasNext()) {
                writer.write(values.next(), out);
                index++;
            }
            writer.finish(out);
        } catch (Throwable e) {
            writer.finishIfOpen(out);
            throw ForeignErrors.told(PooledFory.reason(e), "[" + index + "]", out);
        } finally {
            pool.give(fory);
        }
    }

    @Override
    public Iterator<E> decode(WireInput in) {
        return new Elements<>(type, pool, in);
    }

    private static final class Elements<E> extends ArrivingElements<E> {
        private final Class<E> type;
        private final ForyPool pool;
        private final WireInput in;
        private @Nullable PooledFory fory;

        Elements(Class<E> type, ForyPool pool, WireInput in) {
            super(in);
            this.type = type;
            this.pool = pool;
            this.in = in;
        }

        @Override
        protected boolean exhausted() throws IOException {
            PooledFory taken = fory;
            return (taken == null || !taken.reader().inGroup()) && in.exhausted();
        }

        @Override
        protected @Nullable E read() throws IOException {
            PooledFory taken = fory;
            if (taken == null) {
                taken = pool.take();
                fory = taken;
            }
            try {
                return taken.reader().read(type, in);
            } catch (Throwable e) {
                throw ForeignErrors.told(PooledFory.reason(e), "", in);
            }
        }

        /** Groups see to it. */
        @Override
        protected @Nullable E readSome() throws IOException {
            return read();
        }

        @Override
        protected void release() {
            PooledFory taken = fory;
            fory = null;
            if (taken != null) {
                pool.give(taken);
            }
        }
    }
}
