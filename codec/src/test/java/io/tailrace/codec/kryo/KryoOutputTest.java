// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.kryo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.esotericsoftware.kryo.kryo5.KryoException;
import com.esotericsoftware.kryo.kryo5.io.Input;
import com.esotericsoftware.kryo.kryo5.io.Output;
import io.tailrace.codec.Payloads;
import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each of Kryo's writes and reads, in regions of all sizes, beside Kryo's own. */
class KryoOutputTest {

    /** The least region there is, odd ones, and some that hold all. */
    private static final int[] REGIONS = {64, 65, 67, 71, 97, 100, 128, 255, 1_000, 4_096, 1 << 16};

    private static final int[] BUFFERS = {1, 2, 3, 5, 7, 8, 9, 31, 64, 1_000, 1 << 20};

    /** A write, and the read that belongs to it; none for what is read as raw bytes. */
    record Step(
            String name, Consumer<Output> write, @Nullable Function<Input, @Nullable Object> read) {}

    private static final List<Integer> INTS = ints();
    private static final List<Long> LONGS = longs();

    private static List<Integer> ints() {
        List<Integer> all = new ArrayList<>(List.of(0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE));
        for (int bits = 0; bits < 32; bits++) {
            all.addAll(List.of(1 << bits, (1 << bits) - 1, -(1 << bits), ~(1 << bits)));
        }
        return all;
    }

    private static List<Long> longs() {
        List<Long> all = new ArrayList<>(List.of(0L, -1L, Long.MAX_VALUE, Long.MIN_VALUE));
        for (int bits = 0; bits < 64; bits++) {
            all.addAll(List.of(1L << bits, (1L << bits) - 1, -(1L << bits), ~(1L << bits)));
        }
        return all;
    }

    private static List<@Nullable String> texts() {
        List<@Nullable String> all = new ArrayList<>();
        all.add(null);
        Random random = new Random(7);
        for (int length : new int[] {0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 34, 63, 64, 65, 127, 300, 5_000}) {
            String ascii = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(140).substring(0, length);
            all.add(ascii);
            for (char odd : new char[] {0, 0x7F, 0x80, 0xE9, 0xFF, 0x100, 0x7FF, 0x800, 0x4E41, 0xD83D, 0xFFFF}) {
                if (length > 0) {
                    int at = random.nextInt(length);
                    all.add(ascii.substring(0, at) + odd + ascii.substring(at + 1));
                    all.add(String.valueOf(odd).repeat(length));
                }
            }
        }
        return all;
    }

    private static List<Step> steps() {
        List<Step> steps = new ArrayList<>();
        for (int i : INTS) {
            steps.add(new Step("int", out -> out.writeInt(i), Input::readInt));
            steps.add(new Step("short", out -> out.writeShort(i), Input::readShort));
            steps.add(new Step("unsigned short", out -> out.writeShort(i), Input::readShortUnsigned));
            steps.add(new Step("char", out -> out.writeChar((char) i), Input::readChar));
            steps.add(new Step("byte", out -> out.writeByte(i), Input::readByte));
            steps.add(new Step("byte of a byte", out -> out.writeByte((byte) i), Input::readByteUnsigned));
            steps.add(new Step("write", out -> out.write(i), Input::read));
            steps.add(new Step("float", out -> out.writeFloat(Float.intBitsToFloat(i)), Input::readFloat));
            steps.add(new Step("boolean", out -> out.writeBoolean((i & 1) == 0), Input::readBoolean));
            steps.add(new Step("varfloat", out -> out.writeVarFloat(i, 10, false), in -> in.readVarFloat(10, false)));
            for (boolean positive : new boolean[] {true, false}) {
                steps.add(new Step("varint", out -> out.writeVarInt(i, positive), in -> in.readVarInt(positive)));
                steps.add(new Step("optional varint", out -> out.writeInt(i, positive), in -> in.readInt(positive)));
                steps.add(new Step(
                        "flagged varint",
                        out -> out.writeVarIntFlag((i & 1) == 0, i, positive),
                        in -> List.of(in.readVarIntFlag(), in.readVarIntFlag(positive))));
                steps.add(new Step("fixed int", out -> fixed(out, o -> o.writeInt(i, positive)), Input::readInt));
            }
            for (int count = 0; count <= 4; count++) {
                int width = count;
                steps.add(new Step("int of bytes", out -> out.writeInt(i, width), null));
                if (width > 0) {
                    steps.add(new Step("int of bytes", out -> out.writeInt(i, width), in -> in.readInt(width)));
                }
            }
        }
        for (long i : LONGS) {
            steps.add(new Step("long", out -> out.writeLong(i), Input::readLong));
            steps.add(new Step("double", out -> out.writeDouble(Double.longBitsToDouble(i)), Input::readDouble));
            steps.add(new Step(
                    "vardouble", out -> out.writeVarDouble((double) i, 10, true), in -> in.readVarDouble(10, true)));
            for (boolean positive : new boolean[] {true, false}) {
                steps.add(new Step("varlong", out -> out.writeVarLong(i, positive), in -> in.readVarLong(positive)));
                steps.add(new Step("optional varlong", out -> out.writeLong(i, positive), in -> in.readLong(positive)));
                steps.add(new Step("fixed long", out -> fixed(out, o -> o.writeLong(i, positive)), Input::readLong));
            }
            for (int count = 1; count <= 8; count++) {
                int width = count;
                steps.add(new Step("long of bytes", out -> out.writeLong(i, width), in -> in.readLong(width)));
            }
        }
        for (String text : texts()) {
            steps.add(new Step("string", out -> out.writeString(text), Input::readString));
            steps.add(new Step(
                    "string builder",
                    out -> out.writeString(text),
                    in -> String.valueOf((Object) in.readStringBuilder())));
            steps.add(new Step("ASCII", out -> out.writeAscii(text), null));
            if (text == null || text.chars().allMatch(c -> c < 0x80)) {
                steps.add(new Step("ASCII", out -> out.writeAscii(text), Input::readString));
            }
        }
        for (int length : new int[] {0, 1, 2, 15, 16, 17, 18, 100, 1_001}) {
            arrays(steps, length);
        }
        return steps;
    }

    private static void fixed(Output out, Consumer<Output> write) {
        out.setVariableLengthEncoding(false);
        write.accept(out);
        out.setVariableLengthEncoding(true);
    }

    private static void arrays(List<Step> steps, int n) {
        Random random = new Random(n);
        byte[] bytes = new byte[n + 2];
        random.nextBytes(bytes);
        int[] ints = random.ints(n + 2).toArray();
        long[] longs = random.longs(n + 2).toArray();
        short[] shorts = new short[n + 2];
        char[] chars = new char[n + 2];
        boolean[] booleans = new boolean[n + 2];
        float[] floats = new float[n + 2];
        double[] doubles = new double[n + 2];
        for (int i = 0; i < n + 2; i++) {
            shorts[i] = (short) ints[i];
            chars[i] = (char) ints[i];
            booleans[i] = ints[i] < 0;
            floats[i] = i % 3 == 0 ? Float.intBitsToFloat(0x7FC0_0000 | i) : ints[i];
            doubles[i] = i % 3 == 0 ? Double.longBitsToDouble(0x7FF8_0000_0000_0000L | i) : longs[i];
        }
        steps.add(new Step("bytes", out -> out.writeBytes(bytes, 1, n), in -> in.readBytes(n)));
        steps.add(new Step("all bytes", out -> out.writeBytes(bytes), in -> {
            byte[] read = new byte[n + 2];
            in.readBytes(read);
            return read;
        }));
        steps.add(new Step("stream of bytes", out -> writeQuietly(out, bytes), in -> in.readBytes(n + 2)));
        steps.add(new Step("ints", out -> out.writeInts(ints, 1, n), in -> in.readInts(n)));
        steps.add(new Step("longs", out -> out.writeLongs(longs, 1, n), in -> in.readLongs(n)));
        steps.add(new Step("shorts", out -> out.writeShorts(shorts, 1, n), in -> in.readShorts(n)));
        steps.add(new Step("chars", out -> out.writeChars(chars, 1, n), in -> in.readChars(n)));
        steps.add(new Step("booleans", out -> out.writeBooleans(booleans, 1, n), in -> in.readBooleans(n)));
        steps.add(new Step("floats", out -> out.writeFloats(floats, 1, n), in -> in.readFloats(n)));
        steps.add(new Step("doubles", out -> out.writeDoubles(doubles, 1, n), in -> in.readDoubles(n)));
        for (boolean positive : new boolean[] {true, false}) {
            steps.add(new Step("varints", out -> out.writeInts(ints, 1, n, positive), in -> in.readInts(n, positive)));
            steps.add(new Step(
                    "varlongs", out -> out.writeLongs(longs, 1, n, positive), in -> in.readLongs(n, positive)));
            steps.add(new Step(
                    "fixed ints", out -> fixed(out, o -> o.writeInts(ints, 1, n, positive)), in -> in.readInts(n)));
            steps.add(new Step(
                    "fixed longs", out -> fixed(out, o -> o.writeLongs(longs, 1, n, positive)), in -> in.readLongs(n)));
        }
    }

    private static void writeQuietly(Output out, byte[] bytes) {
        out.write(bytes, 0, 1);
        out.write(Arrays.copyOfRange(bytes, 1, bytes.length));
        out.flush();
    }

    /** A payload that a test writes and reads by itself. */
    private record Writing(Consumer<Output> write) implements ValueCodec<Boolean> {
        @Override
        public String id() {
            return "test/1";
        }

        @Override
        public void encode(Boolean value, WireOutput out) {
            KryoOutput to = new KryoOutput(out);
            write.accept(to);
            to.detach();
        }

        @Override
        public Boolean decode(WireInput in) {
            throw new UnsupportedOperationException();
        }
    }

    private static byte[] ours(Consumer<Output> write, int region) throws IOException {
        return Payloads.encode(new Writing(write), true, region);
    }

    private static byte[] kryos(Consumer<Output> write) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Output out = new Output(bytes, 1 << 16);
        write.accept(out);
        out.close();
        return bytes.toByteArray();
    }

    @Test
    void eachWriteAtEachPlaceInARegionWritesWhatKryoDoes() throws IOException {
        for (Step step : steps()) {
            byte[] expected = kryos(step.write());
            int stride = expected.length < 100 ? 1 : 13;
            for (int start = 0; start <= 64; start += stride) {
                int before = start;
                byte[] head = new byte[before];
                byte[] written = ours(
                        out -> {
                            out.writeBytes(head);
                            step.write().accept(out);
                            assertEquals(before + expected.length, out.total(), step.name());
                        },
                        64);
                assertArrayEquals(expected, Arrays.copyOfRange(written, before, written.length), step.name());
            }
        }
    }

    @Test
    void allWritesInARowInRegionsOfAnySizeWriteWhatKryoDoes() throws IOException {
        List<Step> steps = steps();
        Consumer<Output> all = out -> steps.forEach(step -> step.write().accept(out));
        byte[] expected = kryos(all);
        for (int region : REGIONS) {
            assertArrayEquals(expected, ours(all, region), "regions of " + region);
        }
    }

    @Test
    void allReadsInBuffersOfAnySizeReadWhatKryoDoes() {
        List<Step> steps = steps().stream().filter(step -> step.read() != null).toList();
        byte[] payload = kryos(out -> steps.forEach(step -> step.write().accept(out)));
        for (int buffer : BUFFERS) {
            Input theirs = new Input(payload);
            KryoInput ours = input(payload, buffer);
            for (Step step : steps) {
                @SuppressWarnings("NullAway") // filtered
                Function<Input, @Nullable Object> read = step.read();
                assertArrayEquals(new Object[] {read.apply(theirs)}, new Object[] {read.apply(ours)}, step.name());
                assertEquals(theirs.total(), ours.total(), step.name());
            }
            assertEquals(true, ours.end());
            if (buffer == 1 << 20) {
                assertEquals(0, ours.pieced());
            }
        }
    }

    private static KryoInput input(byte[] payload, int buffer) {
        return new KryoInput(
                Payloads.input(payload, buffer, DecoderLimits.DEFAULT),
                new com.esotericsoftware.kryo.kryo5.Kryo(),
                Long.MAX_VALUE);
    }

    @Test
    void onlyWhatStraddlesIsPutTogetherFromPieces() {
        byte[] payload = kryos(out -> {
            out.writeLong(1);
            out.writeLong(2);
            out.writeLong(3);
            out.writeString("0123456789");
        });
        KryoInput in = input(payload, 12);
        assertEquals(1, in.readLong());
        assertEquals(0, in.pieced());
        assertEquals(2, in.readLong());
        assertEquals(8, in.pieced());
        assertEquals(3, in.readLong());
        assertEquals(8, in.pieced());
        assertEquals("0123456789", in.readString());
        assertEquals(8, in.pieced());
    }

    @Test
    void bytesAreSkippedAndReadAsAStream() throws IOException {
        byte[] payload = new byte[100];
        for (int i = 0; i < 100; i++) {
            payload[i] = (byte) i;
        }
        for (int buffer : BUFFERS) {
            KryoInput in = input(payload, buffer);
            in.skip(10);
            assertEquals(20, in.skip(20L));
            assertEquals(30, in.read());
            byte[] some = new byte[50];
            assertEquals(50, in.read(some));
            assertEquals(31, some[0]);
            assertEquals(80, some[49]);
            assertEquals(true, in.canReadInt() && in.canReadLong() && in.canReadVarInt() && in.canReadVarLong());
            assertEquals(19, in.read(some, 0, 50));
            assertEquals(-1, in.read(some, 0, 50));
            assertEquals(-1, in.read());
            assertEquals(0, in.available());
            assertEquals(false, in.canReadInt());
            assertThrows(KryoException.class, () -> in.skip(1));
        }
    }

    /** A method of Kryo's that is left as it is could look at a buffer that it does not know. */
    @Test
    void everythingOfKryosIsThereAnew() {
        TreeSet<String> left = new TreeSet<>();
        for (Class<?> ours : List.of(KryoOutput.class, KryoInput.class)) {
            for (Method method : ours.getMethods()) {
                if (!Modifier.isStatic(method.getModifiers())
                        && method.getDeclaringClass() != ours
                        && method.getDeclaringClass() != Object.class) {
                    left.add(method.getName());
                }
            }
        }
        left.removeAll(List.of(
                // Of the fields alone, which are right.
                "getBuffer",
                "getInputStream",
                "getOutputStream",
                "getMaxCapacity",
                "getVariableLengthEncoding",
                "setVariableLengthEncoding",
                "position",
                "limit",
                "intLength",
                "longLength",
                // Of InputStream and OutputStream, by way of those that are ours.
                "mark",
                "markSupported",
                "readAllBytes",
                "readNBytes",
                "skipNBytes",
                "transferTo"));
        assertEquals(new TreeSet<>(), left);
    }

    @Test
    void whatIsTheChunksIsRefused() throws IOException {
        List<Output> kept = new ArrayList<>();
        ours(
                out -> {
                    kept.add(out);
                    out.writeInt(1);
                    int after = out.position();
                    out.writeInt(3);
                    out.setPosition(after);
                    out.writeInt(2);
                    Stream.<Runnable>of(
                                    out::toBytes,
                                    out::reset,
                                    () -> out.setBuffer(new byte[1]),
                                    () -> out.setBuffer(new byte[1], 1),
                                    () -> out.setOutputStream(OutputStreams.NONE))
                            .forEach(call -> assertThrows(UnsupportedOperationException.class, call::run));
                    assertThrows(IndexOutOfBoundsException.class, () -> out.setPosition(after - 5));
                    out.close();
                    assertThrows(IndexOutOfBoundsException.class, () -> out.setPosition(after));
                    assertEquals(8, out.total());
                },
                64);
        assertEquals(8, kept.get(0).total());
        assertThrows(KryoException.class, () -> kept.get(0).writeInt(1));
        KryoInput in = input(new byte[10], 10);
        Stream.<Runnable>of(
                        in::reset,
                        () -> in.setBuffer(new byte[1]),
                        () -> in.setBuffer(new byte[1], 0, 1),
                        () -> in.setInputStream(InputStream.nullInputStream()),
                        () -> in.setLimit(0),
                        () -> in.setTotal(0))
                .forEach(call -> assertThrows(UnsupportedOperationException.class, call::run));
        in.readInt();
        in.setPosition(in.position() - 4);
        assertEquals(0, in.total());
        in.close();
        assertEquals(0, in.readInt());
    }

    private static final class OutputStreams {
        static final java.io.OutputStream NONE = java.io.OutputStream.nullOutputStream();
    }

    /** The same where text is taken through public methods. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws IOException {
            KryoOutputTest test = new KryoOutputTest();
            test.eachWriteAtEachPlaceInARegionWritesWhatKryoDoes();
            test.allWritesInARowInRegionsOfAnySizeWriteWhatKryoDoes();
            test.allReadsInBuffersOfAnySizeReadWhatKryoDoes();
            System.out.println("passed " + io.tailrace.codec.Codecs.textAccess());
        }
    }

    @Test
    void theBytesAreTheSameThroughPublicMethods(@TempDir Path directory) throws Exception {
        try (ChildJvm child = ChildJvm.of(Child.class, directory).start()) {
            assertTrue(child.lines(Duration.ofSeconds(60)).contains("passed public methods"));
        }
    }
}
