// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.java;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.tailrace.codec.Codecs;
import io.tailrace.codec.Payloads;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.NotSerializableException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamConstants;
import java.io.OutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JavaCodecsTest {

    private static final ResultId ID = new ResultId("java", 1, 2, 0);

    private static final ObjectInputFilter OURS =
            ObjectInputFilter.Config.createFilter("io.tailrace.codec.java.*;java.base/*");

    private static final JavaCodecs CODECS = JavaCodecs.builder(OURS).build();
    private static final ValueCodec<Object> ANY = CODECS.value(Object.class);
    private static final ValueCodec<Iterator<Row>> ROWS = CODECS.each(Row.class);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    record Row(int id, String text, @Nullable Row next) implements Serializable {}

    private static Row row(int id) {
        return new Row(id, "row number " + id, null);
    }

    private static List<Row> rows(int count) {
        return IntStream.range(0, count).mapToObj(JavaCodecsTest::row).toList();
    }

    private static byte[] plain(Object... objects) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream stream = new ObjectOutputStream(bytes)) {
            for (Object object : objects) {
                stream.writeObject(object);
            }
        }
        return bytes.toByteArray();
    }

    private static List<Object> values() {
        return Arrays.asList(
                null,
                "text",
                42,
                new long[] {1, 2, 3},
                new byte[100_000],
                new String[] {"a", null},
                "é".repeat(100_000),
                new ArrayList<>(rows(100)),
                new HashMap<>(Map.of("a", row(1), "b", row(2))),
                Thread.State.NEW,
                new Row(1, "outer", row(2)));
    }

    private static String told(@Nullable Object value) {
        return value instanceof Object[] array
                ? Arrays.deepToString(array)
                : value instanceof long[] longs
                        ? Arrays.toString(longs)
                        : value instanceof byte[] bytes ? Arrays.toString(bytes) : String.valueOf(value);
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 100, 1_000, 65_536})
    void thePayloadIsWhatAPlainStreamWritesAndComesBack(int regionBytes) throws IOException {
        for (Object value : values()) {
            byte[] payload = Payloads.encode(ANY, value, regionBytes);
            assertArrayEquals(plain(value), payload);
            assertEquals(told(value), told(Payloads.decode(ANY, payload, regionBytes)));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 64, 1_000, 65_536})
    void elementsComeBackOutOfBuffersOfAnySize(int bufferBytes) throws IOException {
        List<Row> rows = new ArrayList<>(rows(2_000));
        rows.set(7, null);
        byte[] payload = Payloads.encode(ROWS, rows.iterator(), 1_000);
        List<Row> read = new ArrayList<>();
        Payloads.decodeEach(ROWS, payload, bufferBytes).forEachRemaining(read::add);
        assertEquals(rows, read);
    }

    @Test
    void plainStreamReadsTheElements() throws Exception {
        List<Row> rows = rows(2_000);
        List<Object> read = new ArrayList<>();
        try (ObjectInputStream stream =
                new ObjectInputStream(new ByteArrayInputStream(Payloads.encode(ROWS, rows.iterator(), 1_000)))) {
            while (true) {
                read.add(stream.readObject());
            }
        } catch (EOFException e) {
            assertEquals(rows, read);
        }
    }

    @Test
    void noElementsAreAPayloadToo() throws IOException {
        byte[] payload = Payloads.encode(ROWS, Collections.emptyIterator(), 64);
        assertEquals(4, payload.length, "the stream's header");
        assertTrue(!Payloads.decodeEach(ROWS, payload, 64).hasNext());
    }

    /** Into its buffer is the JDK's copy; ours is the one from there into the chunk. */
    @Test
    void everyByteComesOutOfSmallBuffersOfTheJdk() throws IOException {
        Set<byte[]> sources = Collections.newSetFromMap(new IdentityHashMap<>());
        long[] bytes = {0};
        ObjectOutputStream stream = new ObjectOutputStream(new OutputStream() {
            @Override
            public void write(int value) {
                throw new AssertionError("a byte by itself");
            }

            @Override
            public void write(byte[] source, int from, int length) {
                assertTrue(source.length <= 1_024, "never an array of the caller's: " + source.length + " bytes");
                sources.add(source);
                bytes[0] += length;
            }
        });
        for (Object value : values()) {
            stream.writeObject(value);
        }
        stream.flush();
        assertTrue(sources.size() <= 4, sources.size() + " buffers for " + bytes[0] + " bytes");
        audit.figure(bytes[0] + " bytes out of " + sources.size() + " buffers of the JDK of at most 1 KiB");
    }

    @Test
    void objectsAreForgottenAtEachResetPoint() throws IOException {
        Row shared = row(1);
        JavaCodecs codecs = JavaCodecs.builder(OURS).resetEvery(2).build();
        byte[] payload = Payloads.encode(
                codecs.each(Row.class), Stream.of(shared, shared, shared).iterator(), 64);
        Iterator<Row> read = Payloads.decodeEach(ROWS, payload, 64);
        Row first = read.next();
        assertSame(first, read.next());
        Row third = read.next();
        assertEquals(first, third);
        assertNotSame(first, third);
        assertTrue(!read.hasNext());
    }

    @Test
    void withoutAFilterNothingIsBuilt() {
        assertThrows(NullPointerException.class, () -> JavaCodecs.builder(null));
    }

    record Stranger(int id) implements Serializable {}

    @ParameterizedTest
    @ValueSource(strings = {"io.tailrace.codec.java.JavaCodecsTest$Row;java.base/*", "!io.tailrace.**;java.base/*"})
    void classThatTheFilterDoesNotAllowIsRefusedByName(String pattern) throws IOException {
        JavaCodecs codecs = JavaCodecs.builder(ObjectInputFilter.Config.createFilter(pattern))
                .build();
        byte[] payload = plain(new Stranger(1));
        MalformedDataException thrown = assertThrows(
                MalformedDataException.class, () -> Payloads.decode(codecs.value(Object.class), payload, 64));
        assertTrue(thrown.reason().contains(Stranger.class.getName()), thrown.getMessage());
        assertTrue(thrown.offset() > 0, thrown.getMessage());
    }

    @Test
    void objectOfAnotherTypeIsRefused() throws IOException {
        byte[] payload = plain("a text");
        MalformedDataException thrown =
                assertThrows(MalformedDataException.class, () -> Payloads.decode(CODECS.value(Row.class), payload, 64));
        assertTrue(thrown.reason().contains("java.lang.String"), thrown.getMessage());
    }

    private static ResultException refused(ValueCodec<?> codec, byte[] payload) {
        return assertThrows(ResultException.class, () -> Payloads.decode(codec, payload, 4_096));
    }

    private static long allocatedBy(Runnable action) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        action.run(); // classes are loaded
        long before = threads.getCurrentThreadAllocatedBytes();
        action.run();
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    @Test
    void arrayOfALyingLengthIsRefusedBeforeItIsMade() throws IOException {
        byte[] payload = plain(new long[] {1});
        int at = payload.length - Long.BYTES - Integer.BYTES;
        payload[at] = 0x7F;
        ResultTooLargeException[] thrown = new ResultTooLargeException[1];
        long allocated =
                allocatedBy(() -> thrown[0] = assertInstanceOf(ResultTooLargeException.class, refused(ANY, payload)));
        assertEquals(64L << 20, thrown[0].limit());
        assertTrue(thrown[0].actual() > 0x7F000000L * Long.BYTES - 10_000, thrown[0].getMessage());
        assertTrue(allocated < 1 << 20, allocated + " bytes");
    }

    /** Each array of a nest of them is small enough; together they are not. */
    @Test
    void arraysWithinArraysAreCountedTogether() throws IOException {
        Object[] nest = new Object[1 << 20];
        for (int i = 0; i < 20; i++) {
            Object[] outer = new Object[1 << 20];
            outer[0] = nest;
            nest = outer;
        }
        byte[] whole = plain((Object) nest);
        byte[] beginning = Arrays.copyOf(whole, 2_000); // what comes behind are nulls
        ResultTooLargeException thrown = assertInstanceOf(ResultTooLargeException.class, refused(ANY, beginning));
        assertEquals("array too large ahead of its bytes", thrown.reason());
    }

    @Test
    void arrayBeyondTheReadersLimitOfAValueIsRefused() throws IOException {
        WireInput in = Payloads.input(plain(new long[1_000]), 64, DecoderLimits.DEFAULT.withValueBytes(7_999));
        ResultTooLargeException thrown = assertThrows(ResultTooLargeException.class, () -> ANY.decode(in));
        assertEquals(7_999, thrown.limit());
        assertEquals(8_000, thrown.actual());
    }

    /** What honest values make ahead of their bytes never comes near the limit, however many there are. */
    @Test
    void anyNumberOfHonestArraysPasses() throws IOException {
        JavaCodecs codecs = JavaCodecs.builder(OURS).maxArrayBytes(4_096).build();
        Iterator<Object> arrays =
                Stream.<Object>generate(() -> new Object[1_000]).limit(10_000).iterator();
        ValueCodec<Iterator<Object>> each = codecs.each(Object.class);
        Iterator<Object> read = Payloads.decodeEach(each, Payloads.encode(each, arrays, 4_096), 4_096);
        int count = 0;
        while (read.hasNext()) {
            read.next();
            count++;
        }
        assertEquals(10_000, count);
    }

    private static Row nested(int depth) {
        Row row = row(0);
        for (int i = 0; i < depth; i++) {
            row = new Row(i, "", row);
        }
        return row;
    }

    @Test
    void deepNestingIsRefusedAtTheLimit() throws IOException {
        byte[] payload = plain(nested(600));
        ResultTooLargeException thrown = assertInstanceOf(ResultTooLargeException.class, refused(ANY, payload));
        assertEquals("nested too deep", thrown.reason());
        assertEquals(256, thrown.limit());
        JavaCodecs deeper = JavaCodecs.builder(OURS).maxDepth(2_000).build();
        assertEquals(nested(600), Payloads.decode(deeper.value(Row.class), payload, 4_096));
    }

    @Test
    void valueDeeperThanTheStackIsToldAsTheValues() {
        MalformedDataException thrown =
                assertThrows(MalformedDataException.class, () -> Payloads.encode(ANY, nested(1_000_000), 4_096));
        assertEquals("nested too deep for the stack", thrown.reason());
    }

    @Test
    void whatCannotBeSerialisedIsToldWithItsIndex() {
        Iterator<Object> values = Stream.<Object>of("a", "b", new Object()).iterator();
        MalformedDataException thrown = assertThrows(
                MalformedDataException.class, () -> Payloads.encode(CODECS.each(Object.class), values, 4_096));
        assertInstanceOf(NotSerializableException.class, thrown.getCause());
        assertTrue(thrown.reason().startsWith("[2]: "), thrown.getMessage());
    }

    /** Only a value, or our own exception; what was read so far stays what it was. */
    private void survives(ValueCodec<Iterator<Object>> codec, byte[] payload) {
        try {
            Iterator<Object> read = codec.decode(Payloads.input(payload, 64, DecoderLimits.DEFAULT));
            while (read.hasNext()) {
                read.next();
            }
        } catch (ResultException e) {
            // as it should be
        } catch (UncheckedIOException e) {
            assertInstanceOf(ResultException.class, e.getCause());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void everyTruncationAndFlippedBitIsAValueOrOurOwnException() throws IOException {
        ValueCodec<Iterator<Object>> each =
                JavaCodecs.builder(OURS).maxArrayBytes(1 << 20).build().each(Object.class);
        byte[] payload = Payloads.encode(
                each, values().stream().filter(v -> told(v).length() < 10_000).iterator(), 64);
        int cases = 0;
        for (int length = 0; length < payload.length; length++) {
            survives(each, Arrays.copyOf(payload, length));
            for (int bit = 0; bit < 8; bit++) {
                payload[length] ^= (byte) (1 << bit);
                survives(each, payload);
                payload[length] ^= (byte) (1 << bit);
            }
            cases += 9;
        }
        audit.cases(cases);
    }

    @Test
    void cutInTheMiddleOfAnObjectIsNotTheEnd() throws IOException {
        byte[] payload = Payloads.encode(ROWS, rows(10).iterator(), 64);
        Iterator<Row> read = Payloads.decodeEach(ROWS, Arrays.copyOf(payload, payload.length - 1), 64);
        for (int i = 0; i < 9; i++) {
            assertEquals(row(i), read.next());
        }
        UncheckedIOException thrown = assertThrows(UncheckedIOException.class, read::next);
        MalformedDataException cause = assertInstanceOf(MalformedDataException.class, thrown.getCause());
        assertTrue(cause.reason().startsWith("[9]: "), cause.getMessage());
        assertTrue(!read.hasNext(), "it has ended for good");
    }

    @Test
    void refusedResultCostsNoOther() throws IOException {
        ChunkPool pool = audit.pool(4_096, 64 << 10);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
        ResultEncoder encoder = ResultEncoder.builder(pool).build();
        encoder.encode(ID, ROWS, rows(1_000).iterator(), sink);
        encoder.encode(ID, ANY, new Stranger(1), sink);
        encoder.encode(ID, Codecs.streamOf(ROWS), rows(1_000).stream(), sink);
        JavaCodecs strict = JavaCodecs.builder(
                        ObjectInputFilter.Config.createFilter(Row.class.getName() + ";java.base/*"))
                .build();
        try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
            assertTrue(reader.nextResult());
            Iterator<Row> first = reader.decode(strict.each(Row.class));
            for (int i = 0; i < 1_000; i++) {
                assertEquals(row(i), first.next());
            }
            reader.finish();
            assertTrue(reader.nextResult());
            MalformedDataException wrongCodec =
                    assertThrows(MalformedDataException.class, () -> reader.decode(strict.each(Row.class)));
            assertEquals("payload of codec java-value/2 asked for as java-each/2", wrongCodec.reason());
            MalformedDataException thrown =
                    assertThrows(MalformedDataException.class, () -> reader.decode(strict.value(Object.class)));
            assertEquals(ID, thrown.resultId());
            reader.finish();
            assertTrue(reader.nextResult());
            assertEquals(rows(1_000), reader.decode(Codecs.consumedListOf(strict.each(Row.class))));
            reader.finish();
            assertTrue(!reader.nextResult());
        }
    }

    @Test
    void limitOnDecodedBytesHolds() throws IOException {
        ChunkPool pool = audit.pool(4_096, 64 << 10);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        ResultEncoder.builder(pool).build().encode(ID, ROWS, rows(10_000).iterator(), sink);
        try (ResultReader reader = ResultReader.builder(pool)
                .limits(DecoderLimits.DEFAULT.withPayloadBytes(10_000))
                .open(sink.openChannel())) {
            assertTrue(reader.nextResult());
            Iterator<Row> read = reader.decode(ROWS);
            UncheckedIOException thrown = assertThrows(UncheckedIOException.class, () -> {
                while (read.hasNext()) {
                    read.next();
                }
            });
            assertInstanceOf(ResultTooLargeException.class, thrown.getCause());
        }
    }

    @Test
    void classesAreLookedForWhereTheCallerSays() throws IOException {
        List<String> asked = new ArrayList<>();
        ClassLoader loader = new ClassLoader(getClass().getClassLoader()) {
            @Override
            protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
                asked.add(name);
                return super.loadClass(name, resolve);
            }
        };
        JavaCodecs codecs = JavaCodecs.builder(OURS).classLoader(loader).build();
        assertEquals(row(1), Payloads.decode(codecs.value(Row.class), plain(row(1)), 64));
        assertTrue(asked.contains(Row.class.getName()), asked.toString());
        assertNull(Payloads.decode(codecs.value(Row.class), plain((Object) null), 64));
    }

    /** An object without fields of a class of that name, as a sender may make one up. */
    private static byte[] objectOf(String className) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream data = new DataOutputStream(bytes);
        data.writeShort(ObjectStreamConstants.STREAM_MAGIC);
        data.writeShort(ObjectStreamConstants.STREAM_VERSION);
        data.writeByte(ObjectStreamConstants.TC_OBJECT);
        data.writeByte(ObjectStreamConstants.TC_CLASSDESC);
        data.writeUTF(className);
        data.writeLong(1);
        data.writeByte(ObjectStreamConstants.SC_SERIALIZABLE);
        data.writeShort(0);
        data.writeByte(ObjectStreamConstants.TC_ENDBLOCKDATA);
        data.writeByte(ObjectStreamConstants.TC_NULL);
        return bytes.toByteArray();
    }

    /** Netty brings it, but not the logger that it extends. */
    @Test
    void classThatCannotBeLinkedIsToldAsTheValues() throws IOException {
        byte[] payload = objectOf("io.netty.util.internal.logging.Log4J2Logger");
        for (ClassLoader loader : Arrays.asList(null, getClass().getClassLoader())) {
            ValueCodec<Object> any =
                    JavaCodecs.builder(OURS).classLoader(loader).build().value(Object.class);
            assertInstanceOf(MalformedDataException.class, refused(any, payload));
        }
    }

    /** Finds what is nested in this class by itself. */
    private static final class OwnClasses extends ClassLoader {
        OwnClasses() {
            super(JavaCodecsTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(JavaCodecsTest.class.getName() + "$")) {
                return super.loadClass(name, resolve);
            }
            Class<?> loaded = findLoadedClass(name);
            if (loaded != null) {
                return loaded;
            }
            try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    public interface Open {}

    interface Hidden {}

    record Silent() implements InvocationHandler, Serializable {
        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) {
            throw new UnsupportedOperationException();
        }
    }

    @ParameterizedTest
    @ValueSource(classes = {Open.class, Hidden.class})
    void interfacesOfProxiesAreLookedForWhereTheCallerSays(Class<?> type) throws IOException {
        ClassLoader loader = new OwnClasses();
        byte[] payload = plain(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, new Silent()));
        JavaCodecs codecs = JavaCodecs.builder(
                        ObjectInputFilter.Config.createFilter("io.tailrace.codec.java.*;java.base/*;jdk.proxy*"))
                .classLoader(loader)
                .build();
        Object read = Payloads.decode(codecs.value(Object.class), payload, 64);
        assertSame(loader, read.getClass().getInterfaces()[0].getClassLoader());
        JavaCodecs strict = JavaCodecs.builder(ObjectInputFilter.Config.createFilter("!" + type.getName() + ";*"))
                .classLoader(loader)
                .build();
        MalformedDataException thrown =
                assertInstanceOf(MalformedDataException.class, refused(strict.value(Object.class), payload));
        assertTrue(thrown.reason().contains(type.getName()), thrown.getMessage());
    }

    @Test
    void sinksOwnExceptionComesThroughAsItWas() {
        ChunkPool pool = audit.pool(512, 8 * 512);
        IOException full = new IOException("disk full");
        FrameSink sink = new FrameSink() {
            @Override
            public void write(FrameBatch batch) throws IOException {
                throw full;
            }

            @Override
            public void close() {}
        };
        ResultEncoder encoder = ResultEncoder.builder(pool).build();
        ResultFailedException thrown = assertThrows(
                ResultFailedException.class,
                () -> encoder.encode(ID, ROWS, rows(1_000).iterator(), sink));
        assertSame(full, thrown.getCause());
        ResultFailedException ofValue = assertThrows(
                ResultFailedException.class, () -> encoder.encode(ID, ANY, new ArrayList<>(rows(1_000)), sink));
        assertSame(full, ofValue.getCause());
    }
}
