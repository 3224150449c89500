// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.codahale.metrics.MetricRegistry;
import java.io.IOException;
import java.io.NotSerializableException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext$;
import org.apache.spark.serializer.JavaSerializer;
import org.apache.spark.serializer.KryoSerializer;
import org.apache.spark.serializer.SerializationStream;
import org.apache.spark.serializer.Serializer;
import org.apache.spark.util.io.ChunkedByteBufferOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** Where there is no driver: what comes out is what Spark would have written. */
final class ResultStreamTest {

    private static final ClassTag<Object> ANY = ClassTag$.MODULE$.apply(Object.class);
    private static final int MIN_BYTES = 100_000;

    private Sending sending;

    @BeforeEach
    void start() throws IOException {
        SparkConf conf = new SparkConf(false)
                .set("spark.tailrace.minBytes", String.valueOf(MIN_BYTES))
                .set("spark.tailrace.connectTimeout", "100ms");
        int nobody;
        try (ServerSocket closed = new ServerSocket(0)) {
            nobody = closed.getLocalPort();
        }
        sending = new Sending(
                Settings.of(conf),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), nobody),
                new byte[32],
                null,
                "test",
                ExecutorMeters.in(new MetricRegistry()));
    }

    @AfterEach
    void stop() {
        sending.close();
        sending.pool().close();
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

    private byte[] ours(Serializer serializer, Object value) {
        ChunkedByteBufferOutputStream to = chunked();
        RunningTask task = new RunningTask(TaskContext$.MODULE$.empty());
        SerializationStream out = new ResultStream(serializer, task, sending, to);
        out.writeObject(value, ANY);
        out.close();
        return to.toChunkedByteBuffer().toArray();
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private static Serializer serializer(String name) {
        SparkConf conf = new SparkConf(false);
        return name.equals("kryo") ? new KryoSerializer(conf) : new JavaSerializer(conf);
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "kryo"})
    void smallResultIsWrittenByteForByteAsSparkWouldWriteIt(String name) {
        Serializer serializer = serializer(name);
        List<Object> values = List.of(1, "text", List.of(1L, 2L), random(0), random(32 << 10), random(70_000));
        for (Object value : values) {
            assertArrayEquals(stock(serializer, value), ours(serializer, value));
        }
        int overhead = stock(serializer, random(90_000)).length - 90_000;
        byte[] largest = random(MIN_BYTES - 1 - overhead);
        assertArrayEquals(stock(serializer, largest), ours(serializer, largest));
        assertEquals(values.size() + 1, sending.meters().inline().getCount());
        assertEquals(0, sending.meters().fallbacks().getCount());
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "kryo"})
    void largeResultWithoutAConnectionIsToo(String name) {
        Serializer serializer = serializer(name);
        int overhead = stock(serializer, random(90_000)).length - 90_000;
        for (int length : new int[] {MIN_BYTES - overhead, 1 << 20}) {
            assertArrayEquals(stock(serializer, random(length)), ours(serializer, random(length)));
        }
        assertEquals(2, sending.meters().fallbacks().getCount());
    }

    @Test
    void executorWhoseTasksAreNotMetOnceLeavesAllToSparkAndSaysSoOnce() {
        Ends.sending(sending);
        RunningTask task = new RunningTask(TaskContext$.MODULE$.empty());
        try (Logged logged = Logged.with("inert")) {
            assertTrue(task.takeHit());
            Canary.look(task);
            assertSame(sending, Ends.sending());
            assertFalse(task.takeHit());
            Canary.look(task);
            Canary.look(task);
            assertNull(Ends.sending());
            assertEquals(
                    List.of("WARN Canary: Tailrace stays inert in this executor: a task's result was met 2 times"),
                    logged.lines());
        }
    }

    @Test
    void whatAValueThrowsLeavesAsItIs() {
        Serializer serializer = serializer("java");
        Object[] value = {random(1_000), new Object()};
        NotSerializableException thrown = assertThrows(NotSerializableException.class, () -> ours(serializer, value));
        assertEquals(0, thrown.getSuppressed().length);
    }
}
