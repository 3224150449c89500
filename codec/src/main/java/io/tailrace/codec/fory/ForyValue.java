// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import io.tailrace.codec.elements.ForeignErrors;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;

/** A whole value as one element. */
final class ForyValue<T> implements ValueCodec<T> {

    private final Class<T> type;
    private final ForyPool pool;

    ForyValue(Class<T> type, ForyPool pool) {
        this.type = type;
        this.pool = pool;
    }

    @Override
    public String id() {
        return "fory-value/1";
    }

    @Override
    public void encode(T value, WireOutput out) throws IOException {
        PooledFory fory = pool.take();
        try {
            fory.writer().write(value, out);
            fory.writer().finish(out);
        } catch (Throwable e) {
            throw ForeignErrors.told(PooledFory.reason(e), "", out);
        } finally {
            pool.give(fory);
        }
    }

    @Override
    @SuppressWarnings("NullAway") // null is a value to Fory
    public T decode(WireInput in) throws IOException {
        PooledFory fory = pool.take();
        try {
            return fory.reader().readOnly(type, in);
        } catch (Throwable e) {
            throw ForeignErrors.told(PooledFory.reason(e), "", in);
        } finally {
            pool.give(fory);
        }
    }
}
