// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.io.StreamCorruptedException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.serializer.DeserializationStream;
import org.apache.spark.serializer.JavaSerializer;
import org.apache.spark.serializer.KryoSerializer;
import org.apache.spark.serializer.SerializationStream;
import org.apache.spark.serializer.SerializerInstance;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import scala.Tuple2;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** The bytes between an executor and the driver, without either. */
final class ArraySlicesTest {

    private static final ClassTag<Object> ANY = ClassTag$.MODULE$.apply(Object.class);

    private record Trade(long id, String symbol) implements Serializable {}

    private static SerializerInstance serializer(String name) {
        SparkConf conf = new SparkConf(false);
        return (name.equals("kryo") ? new KryoSerializer(conf) : new JavaSerializer(conf)).newInstance();
    }

    private static byte[] written(SerializerInstance serializer, Object[] array) throws IOException {
        ByteArrayOutputStream to = new ByteArrayOutputStream();
        ArraySlices.write(serializer, array, to);
        return to.toByteArray();
    }

    private static Object[] read(SerializerInstance serializer, byte[] bytes) throws IOException {
        return ArraySlices.read(serializer, new ByteArrayInputStream(bytes));
    }

    private static <T> T[] made(int length, IntFunction<T[]> array, IntFunction<T> element) {
        return IntStream.range(0, length).mapToObj(element).toArray(array);
    }

    /** Lengths around those at which a slice ends. */
    @ParameterizedTest
    @ValueSource(strings = {"java", "kryo"})
    void arraysComeAsTheyWere(String name) throws IOException {
        SerializerInstance serializer = serializer(name);
        for (int length : new int[] {1, 2, 3, 1023, 1024, 2047, 2048}) {
            List<Object[]> arrays = List.of(
                    made(length, Object[]::new, i -> i % 3 == 0 ? null : i % 3 == 1 ? "text " + i : (Object) (long) i),
                    new Object[length],
                    made(length, String[]::new, i -> "S" + i),
                    made(length, Integer[]::new, i -> i),
                    made(length, int[][]::new, i -> new int[] {i, -i}),
                    made(length, Long[][]::new, i -> new Long[] {(long) i, null}),
                    made(length, Serializable[]::new, i -> new int[] {i}),
                    made(length, Tuple2[]::new, i -> new Tuple2<>(i, "T" + i)));
            for (Object[] array : arrays) {
                Object[] read = read(serializer, written(serializer, array));
                assertSame(array.getClass(), read.getClass());
                assertTrue(Arrays.deepEquals(array, read), array.getClass() + " of " + length);
            }
        }
    }

    /** Of an earlier version nothing would follow its fields: it looks whether something does. */
    private static final class Extended implements Serializable {
        private static final long serialVersionUID = 1;
        private final String field;
        private transient int more;

        Extended(String field, int more) {
            this.field = field;
            this.more = more;
        }

        private void writeObject(ObjectOutputStream out) throws IOException {
            out.defaultWriteObject();
            out.writeInt(more);
        }

        private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
            in.defaultReadObject();
            more = in.available() >= Integer.BYTES ? in.readInt() : -1;
        }
    }

    @Test
    void whatIsReadOnlyIfItIsThereIsRead() throws IOException {
        SerializerInstance java = serializer("java");
        Extended[] array = made(3_000, Extended[]::new, i -> new Extended("field " + i, i));
        Object[] read = read(java, written(java, array));
        for (int i = 0; i < array.length; i++) {
            assertEquals("field " + i, ((Extended) read[i]).field);
            assertEquals(i, ((Extended) read[i]).more);
        }
    }

    @Test
    void recordsDo() throws IOException {
        Trade[] trades = made(3000, Trade[]::new, i -> new Trade(i, "S" + i % 7));
        SerializerInstance serializer = serializer("java");
        assertArrayEquals(trades, read(serializer, written(serializer, trades)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "kryo"})
    void objectThatTwoSlicesShareBecomesTwoAndOneOfASliceStaysOne(String name) throws IOException {
        Object[] array = new Object[5000];
        Arrays.fill(array, new Tuple2<>("shared", 1));
        SerializerInstance serializer = serializer(name);
        Object[] read = read(serializer, written(serializer, array));
        assertArrayEquals(array, read);
        assertNotSame(read[0], read[4999]);
        assertSame(read[4998], read[4999]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "kryo"})
    void payloadMayComeByteByByte(String name) throws IOException {
        Object[] array = made(700, Object[]::new, i -> i % 100 == 0 ? new byte[40_000] : "text " + i);
        SerializerInstance serializer = serializer(name);
        InputStream dripping = new FilterInputStream(new ByteArrayInputStream(written(serializer, array))) {
            @Override
            public int read(byte[] into, int at, int length) throws IOException {
                return super.read(into, at, Math.min(length, 1));
            }
        };
        assertTrue(Arrays.deepEquals(array, ArraySlices.read(serializer, dripping)));
        assertEquals(-1, dripping.read());
    }

    /** Keeps how many elements each slice has. */
    private static final class Counting extends SerializerInstance {
        private final SerializerInstance to = serializer("java");
        private final List<Integer> lengths = new ArrayList<>();

        @Override
        public SerializationStream serializeStream(OutputStream out) {
            SerializationStream stream = to.serializeStream(out);
            return new SerializationStream() {
                @Override
                public <T> SerializationStream writeObject(T value, ClassTag<T> tag) {
                    lengths.add(((Object[]) value).length);
                    return stream.writeObject(value, tag);
                }

                @Override
                public void flush() {
                    stream.flush();
                }

                @Override
                public void close() {
                    stream.close();
                }
            };
        }

        @Override
        public DeserializationStream deserializeStream(InputStream in) {
            throw new UnsupportedOperationException();
        }

        @Override
        public <T> ByteBuffer serialize(T value, ClassTag<T> tag) {
            throw new UnsupportedOperationException();
        }

        @Override
        @SuppressWarnings("TypeParameterUnusedInFormals")
        public <T> T deserialize(ByteBuffer bytes, ClassTag<T> tag) {
            throw new UnsupportedOperationException();
        }

        @Override
        @SuppressWarnings("TypeParameterUnusedInFormals")
        public <T> T deserialize(ByteBuffer bytes, ClassLoader loader, ClassTag<T> tag) {
            throw new UnsupportedOperationException();
        }
    }

    @Test
    void slicesHoldAMebibyteOrSoAndAThousandElementsAtMost() throws IOException {
        Counting light = new Counting();
        ArraySlices.write(light, new Object[4000], OutputStream.nullOutputStream());
        assertEquals(List.of(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 929), light.lengths);
        Counting heavy = new Counting();
        Object[] array = made(2100, Object[]::new, i -> i < 1100 ? i : new byte[100_000]);
        ArraySlices.write(heavy, array, OutputStream.nullOutputStream());
        // The one in which they become heavy has as many as the light ones before it, and those behind it ten.
        int at = heavy.lengths.indexOf(1024);
        assertEquals(10, at);
        assertTrue(heavy.lengths.get(at + 1) >= 10 && heavy.lengths.get(at + 1) <= 11, heavy.lengths::toString);
        assertEquals(List.of(1, 2, 4), heavy.lengths.subList(0, 3));
    }

    private static byte[] withLength(byte[] payload, int length) {
        return ByteBuffer.wrap(payload.clone()).putInt(0, length).array();
    }

    @Test
    void lengthIsNotBelieved() throws IOException {
        SerializerInstance serializer = serializer("java");
        byte[] hostile = withLength(written(serializer, new Object[3000]), Integer.MAX_VALUE);
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        assertThrows(EOFException.class, () -> read(serializer, hostile));
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < 4 << 20, allocated + " bytes allocated");
    }

    @Test
    void roomIsMadeAsElementsCome() throws IOException {
        SerializerInstance serializer = serializer("java");
        Object[] array = new Object[400_000];
        array[399_999] = "last";
        assertArrayEquals(array, read(serializer, written(serializer, array)));
    }

    @Test
    void whatIsNoArrayOfItsLengthIsCorrupt() throws IOException {
        SerializerInstance serializer = serializer("java");
        byte[] whole = written(serializer, made(100, Object[]::new, i -> i));
        for (int length : new int[] {Integer.MIN_VALUE, -1, 0, 99}) {
            assertThrows(StreamCorruptedException.class, () -> read(serializer, withLength(whole, length)));
        }
        assertThrows(EOFException.class, () -> read(serializer, withLength(whole, 101)));
        for (int end = 0; end < whole.length; end++) {
            byte[] cut = Arrays.copyOf(whole, end);
            assertThrows(IOException.class, () -> read(serializer, cut), "cut at " + end);
        }
    }

    private static byte[] ofSlices(SerializerInstance serializer, int length, Object... slices) throws IOException {
        ByteArrayOutputStream to = new ByteArrayOutputStream();
        to.write(ByteBuffer.allocate(Integer.BYTES).putInt(length).array());
        SliceOutput out = new SliceOutput(to);
        for (Object slice : slices) {
            SerializationStream stream = serializer.serializeStream(out);
            stream.writeObject(slice, ANY);
            stream.close();
            out.write(new byte[100]); // which nobody reads
            out.endSlice();
        }
        return to.toByteArray();
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "kryo"})
    void sliceOfAnotherKindIsCorrupt(String name) throws IOException {
        SerializerInstance serializer = serializer(name);
        Object[] fine = {"a", "b"};
        String[] other = {"a", "b"};
        assertArrayEquals(new Object[] {"a", "b", "a", "b"}, read(serializer, ofSlices(serializer, 4, fine, fine)));
        for (Object slice : new Object[] {other, new Object[0], "no array", new int[] {1, 2}, new Object[3]}) {
            byte[] corrupt = ofSlices(serializer, 4, fine, slice);
            assertThrows(StreamCorruptedException.class, () -> read(serializer, corrupt));
        }
    }
}
