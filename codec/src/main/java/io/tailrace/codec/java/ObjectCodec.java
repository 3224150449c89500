// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.java;

import io.tailrace.codec.elements.ForeignErrors;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.ObjectOutputStream;

/** A payload of one object. */
final class ObjectCodec<T> implements ValueCodec<T> {

    private final Class<T> type;
    private final JavaCodecs.Builder settings;

    ObjectCodec(Class<T> type, JavaCodecs.Builder settings) {
        this.type = type;
        this.settings = settings;
    }

    @Override
    public String id() {
        return "java-value/2";
    }

    @Override
    public void encode(T value, WireOutput out) throws IOException {
        try {
            ObjectOutputStream objects = new ObjectOutputStream(out.asOutputStream());
            objects.writeObject(value);
            objects.flush();
        } catch (Throwable e) {
            throw ForeignErrors.told(e, "", out);
        }
    }

    @Override
    @SuppressWarnings("NullAway") // what was written as null is read as null
    public T decode(WireInput in) throws IOException {
        try {
            return FilteredInput.on(in, settings).readOne(type);
        } catch (Throwable e) {
            throw ForeignErrors.told(e, "", in);
        }
    }
}
