// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.ResultException;
import java.lang.invoke.MethodHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A class seen as fields: how each is read out of an object, and how an object is made of them. Fields stand in the order of
 * the wire: numbers first, then text, then all else, each group in the class's own order.
 *
 * @param create of a record, its constructor with all fields in the order of {@link #arguments}; else one without arguments
 * @param arguments for each constructor argument, the place of its field in {@code fields}; empty for a bean
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record RecordPlan(Class<?> type, Definition definition, List<Field> fields, MethodHandle create, int[] arguments) {

    /** How a derived codec treats a field. */
    enum Group {
        NUMBER,
        TEXT,
        OTHER
    }

    /**
     * One field.
     *
     * @param codec of the value where it is there
     * @param maybe whether it may be missing
     * @param get from object to value
     * @param set into a bean; null for a record's field
     * @param carrier the primitive, String or Object by which the handles take and give it
     */
    record Field(
            String name,
            Codec<?> codec,
            boolean maybe,
            MethodHandle get,
            @Nullable MethodHandle set,
            Class<?> carrier) {

        Group group() {
            if (carrier.isPrimitive()) {
                return Group.NUMBER;
            }
            return carrier == String.class ? Group.TEXT : Group.OTHER;
        }
    }

    boolean bean() {
        return arguments.length == 0;
    }

    /** A bean's subclass has more to it than the bean's codec carries. */
    void requireExact(Object value) throws Misfit {
        if (value.getClass() != type) {
            throw Misfit.malformed(
                    value.getClass().getName() + " is not " + type.getName() + " itself: register it as a member",
                    ResultException.NONE);
        }
    }

    Field field(int place) {
        return fields.get(place);
    }

    int width() {
        int width = 0;
        for (Field field : fields) {
            if (field.group() == Group.NUMBER) {
                width += field.codec().shape().kind().width;
            }
        }
        return width;
    }
}
