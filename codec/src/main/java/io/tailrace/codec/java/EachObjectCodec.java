// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.java;

import io.tailrace.codec.elements.ArrivingElements;
import io.tailrace.codec.elements.ForeignErrors;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** A payload of objects up to its end: the JDK's stream reads no byte beyond the object that is asked for. */
final class EachObjectCodec<E> implements ValueCodec<Iterator<E>> {

    private final Class<E> type;
    private final JavaCodecs.Builder settings;

    EachObjectCodec(Class<E> type, JavaCodecs.Builder settings) {
        this.type = type;
        this.settings = settings;
    }

    @Override
    public String id() {
        return "java-each/2";
    }

    @Override
    public void encode(Iterator<E> values, WireOutput out) throws IOException {
        long index = 0;
        try {
            ObjectOutputStream objects = new ObjectOutputStream(out.asOutputStream());
            while (values.hasNext()) {
                if (index % settings.resetEvery == 0 && index > 0) {
                    objects.reset(); // in front of an object: at the payload's end it would look like one that is
                    // missing
                }
                objects.writeObject(values.next());
                index++;
            }
            objects.flush();
        } catch (Throwable e) {
            throw ForeignErrors.told(e, "[" + index + "]", out);
        }
    }

    @Override
    public Iterator<E> decode(WireInput in) throws IOException {
        FilteredInput objects;
        try {
            objects = FilteredInput.on(in, settings);
        } catch (Throwable e) {
            throw ForeignErrors.told(e, "", in);
        }
        return new ArrivingElements<E>(in) {
            @Override
            protected @Nullable E read() throws Exception {
                return objects.readOne(type);
            }
        };
    }
}
