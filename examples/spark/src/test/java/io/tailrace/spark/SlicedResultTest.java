// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.codahale.metrics.MetricRegistry;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.NotSerializableException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext$;
import org.apache.spark.TaskContextImpl;
import org.apache.spark.TaskKilledException;
import org.apache.spark.serializer.JavaSerializer;
import org.apache.spark.serializer.KryoSerializer;
import org.apache.spark.serializer.SerializationStream;
import org.apache.spark.serializer.Serializer;
import org.apache.spark.util.io.ChunkedByteBufferOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import scala.Tuple2;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** Both ends in one process, and results that are written slice by slice. */
final class SlicedResultTest {

    private static final ClassTag<Object> ANY = ClassTag$.MODULE$.apply(Object.class);
    private static final int MIN_BYTES = 100_000;
    private static final byte[] SECRET = new byte[32];

    private final TaskContextImpl task = TaskContext$.MODULE$.empty();
    private @Nullable Receiver receiver;
    private @Nullable Sending sending;

    private void start(Serializer serializer) throws IOException {
        SparkConf conf = new SparkConf(false)
                .set("spark.tailrace.minBytes", String.valueOf(MIN_BYTES))
                .set(Settings.SLICE_ARRAYS, "true");
        Settings settings = Settings.of(conf);
        receiver = new Receiver(
                settings,
                serializer,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                SECRET,
                null,
                DriverMeters.in(new MetricRegistry()),
                new StageTotals(0, (stage, message) -> {}));
        sending = new Sending(
                settings,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), receiver.port()),
                SECRET,
                null,
                "test",
                ExecutorMeters.in(new MetricRegistry()));
    }

    @AfterEach
    void stop() {
        if (sending != null) {
            sending.close();
            assertEquals(0, sending.pool().liveBytes(), sending.pool().report());
            sending.pool().close();
        }
        if (receiver != null) {
            assertEquals(0, receiver.arrivals().unclaimed());
            receiver.close();
            assertEquals(0, receiver.pool().liveBytes(), receiver.pool().report());
            receiver.pool().close();
        }
        sending = null;
        receiver = null;
    }

    private static ChunkedByteBufferOutputStream chunked() {
        return new ChunkedByteBufferOutputStream(4096, size -> ByteBuffer.allocate((Integer) size));
    }

    private static byte[] stock(Serializer serializer, Object value) {
        ChunkedByteBufferOutputStream to = chunked();
        SerializationStream out = serializer.newInstance().serializeStream(to);
        out.writeObject(value, ANY);
        out.close();
        return to.toChunkedByteBuffer().toArray();
    }

    /** What Spark gets. */
    private byte[] ours(Serializer serializer, Object value) {
        ChunkedByteBufferOutputStream to = chunked();
        Sending open = Objects.requireNonNull(sending);
        SerializationStream out = new ResultStream(serializer, new RunningTask(task), open, to);
        out.writeObject(value, ANY);
        out.close();
        return to.toChunkedByteBuffer().toArray();
    }

    private static Token.Read token(byte[] bytes) throws IOException {
        assertTrue(new Token(SECRET).begins(bytes));
        return Token.read(Arrays.copyOfRange(bytes, Token.MARK_LENGTH, bytes.length));
    }

    private @Nullable Object claimed(byte[] bytes) throws IOException {
        Token.Read token = token(bytes);
        assertNull(token.refusal());
        return Objects.requireNonNull(receiver).claim(token.task());
    }

    private long receivedBytes() {
        return Objects.requireNonNull(receiver).meters().receivedBytes().getCount();
    }

    private static Serializer serializer(String name) {
        SparkConf conf = new SparkConf(false);
        return name.equals("kryo") ? new KryoSerializer(conf) : new JavaSerializer(conf);
    }

    private static Object[] texts(int number) {
        return IntStream.range(0, number).mapToObj(i -> "text " + i).toArray();
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "kryo"})
    void largeArrayComesInItsOrderAndWhatItsSlicesShareIsTwo(String name) throws IOException {
        Serializer serializer = serializer(name);
        start(serializer);
        Object[] array = texts(20_000);
        array[17] = null;
        array[0] = new Tuple2<>("shared", 1);
        array[19_998] = array[0];
        array[19_999] = array[0];
        Object[] read = assertInstanceOf(Object[].class, claimed(ours(serializer, array)));
        assertArrayEquals(array, read);
        assertNotSame(read[0], read[19_999]);
        assertSame(read[19_998], read[19_999]);
        assertTrue(receivedBytes() != stock(serializer, array).length, "not as Spark writes it");
        assertEquals(1, Objects.requireNonNull(sending).meters().streamed().getCount());
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "kryo"})
    void whatIsNoArrayOfObjectsGoesWhole(String name) throws IOException {
        Serializer serializer = serializer(name);
        Object[] lone = {new ArrayList<>(Arrays.asList(texts(50_000)))};
        for (Object value : new Object[] {new long[50_000], new byte[2 * MIN_BYTES], lone, lone[0]}) {
            start(serializer);
            Object read = claimed(ours(serializer, value));
            assertTrue(Objects.deepEquals(value, read));
            assertEquals(stock(serializer, value).length, receivedBytes());
            stop();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "kryo"})
    void smallArrayIsWrittenByteForByteAsSparkWouldWriteIt(String name) throws IOException {
        Serializer serializer = serializer(name);
        start(serializer);
        int overhead = stock(serializer, new Object[] {"", new byte[90_000]}).length - 90_000;
        List<Object[]> arrays =
                List.of(new Object[0], new String[] {null, null}, texts(1000), new Integer[] {1, 2, 3}, new Object[] {
                    "", new byte[MIN_BYTES - 1 - overhead]
                });
        for (Object[] array : arrays) {
            assertArrayEquals(stock(serializer, array), ours(serializer, array));
        }
        assertEquals(
                arrays.size(), Objects.requireNonNull(sending).meters().inline().getCount());
        Object[] larger = {"", new byte[MIN_BYTES - overhead]};
        assertTrue(Objects.deepEquals(larger, claimed(ours(serializer, larger))));
    }

    @Test
    void elementThatCannotBeSerialisedThrowsAsItIs() throws IOException {
        Serializer serializer = serializer("java");
        start(serializer);
        for (int at : new int[] {10, 18_000}) {
            Object[] array = texts(20_000);
            array[at] = new Object();
            NotSerializableException thrown =
                    assertThrows(NotSerializableException.class, () -> ours(serializer, array));
            assertTrue(thrown.getMessage().startsWith("java.lang.Object"), thrown.getMessage());
        }
    }

    @Test
    void elementOfAClassThatKryoDoesNotKnowThrowsAsItDoesInSpark() throws IOException {
        Serializer serializer = new KryoSerializer(new SparkConf(false).set("spark.kryo.registrationRequired", "true"));
        start(serializer);
        Object[] array = texts(20_000);
        array[18_000] = new LongAdder();
        Throwable stock = assertThrows(Throwable.class, () -> stock(serializer, array));
        Throwable thrown = assertThrows(Throwable.class, () -> ours(serializer, array));
        assertSame(stock.getClass(), thrown.getClass());
        assertEquals(stock.getMessage(), thrown.getMessage());
    }

    private static final class Unreadable implements Serializable {
        private static final long serialVersionUID = 1;

        private void readObject(ObjectInputStream in) throws IOException {
            throw new InvalidObjectException("it is not as it was");
        }
    }

    @Test
    void elementThatCannotBeReadIsToldToSparkWithItsReason() throws IOException {
        Serializer serializer = serializer("java");
        start(serializer);
        Object[] array = texts(20_000);
        array[18_000] = new Unreadable();
        String refusal = token(ours(serializer, array)).refusal();
        assertTrue(String.valueOf(refusal).contains("it is not as it was"), refusal);
    }

    private record Hidden(int number) implements Serializable {}

    @Test
    void classOfTheArrayIsTheOneThatTheDriversLoaderHas() throws IOException {
        Serializer serializer = serializer("java");
        List<String> asked = Collections.synchronizedList(new ArrayList<>());
        serializer.setDefaultClassLoader(new ClassLoader(getClass().getClassLoader()) {
            @Override
            public Class<?> loadClass(String name) throws ClassNotFoundException {
                asked.add(name);
                if (name.equals(Hidden.class.getName())) {
                    throw new ClassNotFoundException("hidden from the driver");
                }
                return super.loadClass(name);
            }
        });
        start(serializer);
        Hidden[] array = IntStream.range(0, 20_000).mapToObj(Hidden::new).toArray(Hidden[]::new);
        String refusal = token(ours(serializer, array)).refusal();
        assertTrue(String.valueOf(refusal).contains("hidden from the driver"), refusal);
        stop();
        start(serializer);
        Tuple2<?, ?>[] tuples =
                IntStream.range(0, 20_000).mapToObj(i -> new Tuple2<>(i, i)).toArray(Tuple2<?, ?>[]::new);
        assertArrayEquals(tuples, (Object[]) claimed(ours(serializer, tuples)));
        assertTrue(asked.contains(Tuple2.class.getName()), asked::toString);
    }

    /** Does something when it is written. */
    private static final class Written implements Serializable {
        private static final long serialVersionUID = 1;
        private static @Nullable Runnable then;

        private void writeObject(ObjectOutputStream out) throws IOException {
            out.defaultWriteObject();
            Objects.requireNonNull(then).run();
        }
    }

    @Test
    void killIsSeenBetweenElements() throws IOException {
        Serializer serializer = serializer("java");
        start(serializer);
        Written.then = () -> task.markInterrupted("enough");
        Object[] array = texts(20_000);
        array[10_000] = new Written();
        array[12_000] = new Object(); // so far it does not come
        TaskKilledException thrown = assertThrows(TaskKilledException.class, () -> ours(serializer, array));
        assertEquals("enough", thrown.reason());
        Thread.interrupted(); // by the watch, where it has looked
    }

    @Test
    void arrayWhoseChannelIsCutIsWrittenAsSparkWouldWriteIt() throws IOException {
        Serializer serializer = serializer("java");
        start(serializer);
        Written.then = () -> Objects.requireNonNull(receiver).server().close();
        Object[] array = texts(20_000);
        array[10_000] = new Written();
        byte[] ours = ours(serializer, array);
        assertArrayEquals(stock(serializer, array), ours);
        assertEquals(1, Objects.requireNonNull(sending).meters().fallbacks().getCount());
    }
}
