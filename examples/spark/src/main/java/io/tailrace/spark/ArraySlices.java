// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StreamCorruptedException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.spark.serializer.DeserializationStream;
import org.apache.spark.serializer.SerializationStream;
import org.apache.spark.serializer.SerializerInstance;
import org.jspecify.annotations.Nullable;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * An array of objects as a payload: its slices one behind the other, each an array of the same class and a value of its own in a
 * stream of its own of the application's serializer. What serializers keep of objects that they have met ends with each slice.
 *
 * <pre>
 *  0        4
 *  | length | slice, slice, …       by elements, at least one
 *
 *  0        4
 *  | count  | as many bytes, …      of a slice; the highest bit of a count says that these are its last
 * </pre>
 *
 * <p>A slice has at most 1,024 elements, and as many as would have made a mebibyte of the one before it, but at most twice as many
 * as that. Single elements would cost more: Kryo names a class that is not registered, and Java describes it, in each value anew.
 */
final class ArraySlices {

    static final int LAST = 1 << 31;

    private static final ClassTag<Object> ANY = ClassTag$.MODULE$.apply(Object.class);
    private static final int MOST_ELEMENTS = 1024;
    private static final int SLICE_BYTES = 1 << 20;

    /** Room that is made for elements before any of them is here. */
    private static final int AHEAD_ELEMENTS = WireInput.AHEAD_MAX / Long.BYTES;

    private ArraySlices() {}

    static void write(SerializerInstance serializer, Object[] array, OutputStream to) throws IOException {
        to.write(ByteBuffer.allocate(Integer.BYTES).putInt(array.length).array());
        SliceOutput out = new SliceOutput(to);
        int count = 1;
        int end;
        for (int from = 0; from < array.length; from = end) {
            end = from + Math.min(count, array.length - from);
            SerializationStream slice = serializer.serializeStream(out);
            slice.writeObject(Arrays.copyOfRange(array, from, end), ANY);
            slice.close();
            count = next(count, out.endSlice());
        }
    }

    private static int next(int count, long bytes) {
        long fitting = (long) count * SLICE_BYTES / Math.max(1, bytes);
        return (int) Math.max(1, Math.min(fitting, Math.min(2 * count, MOST_ELEMENTS)));
    }

    static Object[] read(SerializerInstance serializer, InputStream from) throws IOException {
        SliceInput in = new SliceInput(from);
        int length = in.readInt();
        Object[] array = null;
        int filled = 0;
        do {
            Object[] slice = readSlice(serializer, in);
            if (slice.length == 0 || slice.length > length - filled) {
                throw new StreamCorruptedException("an array of " + length + " elements has a slice of " + slice.length
                        + " behind the first " + filled);
            }
            if (array != null && array.getClass() != slice.getClass()) {
                throw new StreamCorruptedException(array.getClass().getName() + " has a slice that is "
                        + slice.getClass().getName());
            }
            array = withRoom(array, slice, filled, length);
            System.arraycopy(slice, 0, array, filled, slice.length);
            filled += slice.length;
        } while (filled < length);
        return array;
    }

    private static Object[] readSlice(SerializerInstance serializer, SliceInput in) throws IOException {
        in.beginSlice();
        DeserializationStream values = serializer.deserializeStream(in);
        Object slice = values.readObject(ANY);
        values.close();
        in.endSlice();
        if (slice instanceof Object[] elements) {
            return elements;
        }
        throw new StreamCorruptedException("an array has a slice that is none");
    }

    /** No length is believed further than by what is here: of all that is to come, room is made for as much again. */
    private static Object[] withRoom(Object @Nullable [] array, Object[] slice, int filled, int length) {
        if (array == null) {
            return Arrays.copyOf(slice, Math.min(length, Math.max(AHEAD_ELEMENTS, slice.length)));
        }
        int wanted = filled + slice.length;
        return wanted <= array.length
                ? array
                : Arrays.copyOf(array, (int) Math.min(length, Math.max(wanted, 2L * array.length)));
    }
}
