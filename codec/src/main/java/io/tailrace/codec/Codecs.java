// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.codec.elements.StringBytes;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The codecs of plain types, and how codecs are put together. */
public final class Codecs {

    public static final Codec<Boolean> BOOLEAN =
            new Plain<>(Kind.BOOLEAN, (value, out) -> out.wire.writeBoolean(value), in -> in.wire.readBoolean());

    public static final Codec<Byte> BYTE =
            new Plain<>(Kind.BYTE, (value, out) -> out.wire.writeByte(value), in -> in.wire.readByte());

    /** Also reads a byte. */
    public static final Codec<Short> SHORT = new Plain<Short>(
                    Kind.SHORT, (value, out) -> out.wire.writeShort(value), in -> in.wire.readShort())
            .from(Kind.BYTE, in -> (short) in.wire.readByte());

    public static final Codec<Character> CHAR =
            new Plain<>(Kind.CHAR, (value, out) -> out.wire.writeChar(value), in -> in.wire.readChar());

    /** Also reads a byte and a short. */
    public static final Codec<Integer> INT = new Plain<Integer>(
                    Kind.INT, (value, out) -> out.wire.writeInt(value), in -> in.wire.readInt())
            .from(Kind.BYTE, in -> (int) in.wire.readByte())
            .from(Kind.SHORT, in -> (int) in.wire.readShort());

    /** Also reads a byte, a short and an int. */
    public static final Codec<Long> LONG = new Plain<Long>(
                    Kind.LONG, (value, out) -> out.wire.writeLong(value), in -> in.wire.readLong())
            .from(Kind.BYTE, in -> (long) in.wire.readByte())
            .from(Kind.SHORT, in -> (long) in.wire.readShort())
            .from(Kind.INT, in -> (long) in.wire.readInt());

    /** Also reads a byte and a short, which it holds exactly. */
    public static final Codec<Float> FLOAT = new Plain<Float>(
                    Kind.FLOAT, (value, out) -> out.wire.writeFloat(value), in -> in.wire.readFloat())
            .from(Kind.BYTE, in -> (float) in.wire.readByte())
            .from(Kind.SHORT, in -> (float) in.wire.readShort());

    /** Also reads a byte, a short, an int and a float, which it holds exactly. */
    public static final Codec<Double> DOUBLE = new Plain<Double>(
                    Kind.DOUBLE, (value, out) -> out.wire.writeDouble(value), in -> in.wire.readDouble())
            .from(Kind.BYTE, in -> (double) in.wire.readByte())
            .from(Kind.SHORT, in -> (double) in.wire.readShort())
            .from(Kind.INT, in -> (double) in.wire.readInt())
            .from(Kind.FLOAT, in -> (double) in.wire.readFloat());

    /** Any string, unpaired surrogates too. */
    public static final Codec<String> TEXT = new TextCodec();

    /** Large ones go by reference: they must not change until the result is sent. */
    public static final Codec<byte[]> BYTES = new Plain<>(
            Kind.BYTES,
            (value, out) -> {
                out.wire.writeVarInt(value.length);
                out.wire.writeOutOfBand(value, 0, value.length);
            },
            in -> in.wire.readByteArray(in.wire.readVarInt()));

    /** From position to limit, which stay; as {@link #BYTES} on the wire. What is read is a buffer of its own. */
    public static final Codec<ByteBuffer> BYTE_BUFFER = new Plain<>(
            Kind.BYTES,
            (value, out) -> {
                out.wire.writeVarInt(value.remaining());
                out.wire.writeOutOfBand(value.duplicate());
            },
            in -> ByteBuffer.wrap(in.wire.readByteArray(in.wire.readVarInt())));

    public static final Codec<boolean[]> BOOLEANS = new Plain<>(
            Kind.BOOLEANS,
            (value, out) -> {
                out.wire.writeVarInt(value.length);
                out.wire.writeBooleans(value, 0, value.length);
            },
            in -> in.wire.readBooleans(in.wire.readVarInt()));

    public static final Codec<short[]> SHORTS = new Plain<>(
            Kind.SHORTS,
            (value, out) -> {
                out.wire.writeVarInt(value.length);
                out.wire.writeShorts(value, 0, value.length);
            },
            in -> in.wire.readShorts(in.wire.readVarInt()));

    public static final Codec<char[]> CHARS = new Plain<>(
            Kind.CHARS,
            (value, out) -> {
                out.wire.writeVarInt(value.length);
                out.wire.writeChars(value, 0, value.length);
            },
            in -> in.wire.readChars(in.wire.readVarInt()));

    public static final Codec<int[]> INTS = new Plain<>(
            Kind.INTS,
            (value, out) -> {
                out.wire.writeVarInt(value.length);
                out.wire.writeInts(value, 0, value.length);
            },
            in -> in.wire.readInts(in.wire.readVarInt()));

    public static final Codec<long[]> LONGS = new Plain<>(
            Kind.LONGS,
            (value, out) -> {
                out.wire.writeVarInt(value.length);
                out.wire.writeLongs(value, 0, value.length);
            },
            in -> in.wire.readLongs(in.wire.readVarInt()));

    public static final Codec<float[]> FLOATS = new Plain<>(
            Kind.FLOATS,
            (value, out) -> {
                out.wire.writeVarInt(value.length);
                out.wire.writeFloats(value, 0, value.length);
            },
            in -> in.wire.readFloats(in.wire.readVarInt()));

    public static final Codec<double[]> DOUBLES = new Plain<>(
            Kind.DOUBLES,
            (value, out) -> {
                out.wire.writeVarInt(value.length);
                out.wire.writeDoubles(value, 0, value.length);
            },
            in -> in.wire.readDoubles(in.wire.readVarInt()));

    /** The two's complement bytes, highest first. */
    public static final Codec<BigInteger> BIG_INTEGER = composed(
            "BigInteger",
            (value, out) -> Codecs.BYTES.write(value.toByteArray(), out),
            in -> new BigInteger(number(in)),
            "bytes",
            Kind.BYTES);

    /** The unscaled value, then the scale. */
    public static final Codec<BigDecimal> BIG_DECIMAL = composed(
            "BigDecimal",
            (value, out) -> {
                Codecs.BYTES.write(value.unscaledValue().toByteArray(), out);
                out.wire.writeInt(value.scale());
            },
            in -> new BigDecimal(new BigInteger(number(in)), in.wire.readInt()),
            "unscaled",
            Kind.BYTES,
            "scale",
            Kind.INT);

    public static final Codec<UUID> UUID = composed(
            "UUID",
            (value, out) -> {
                out.wire.writeLong(value.getMostSignificantBits());
                out.wire.writeLong(value.getLeastSignificantBits());
            },
            in -> new UUID(in.wire.readLong(), in.wire.readLong()),
            "high",
            Kind.LONG,
            "low",
            Kind.LONG);

    /** As an optional int, and so the two others. */
    public static final Codec<OptionalInt> OPTIONAL_INT = mapped(
            nullable(INT),
            value -> value.isPresent() ? value.getAsInt() : null,
            value -> value == null ? OptionalInt.empty() : OptionalInt.of(value));

    public static final Codec<OptionalLong> OPTIONAL_LONG = mapped(
            nullable(LONG),
            value -> value.isPresent() ? value.getAsLong() : null,
            value -> value == null ? OptionalLong.empty() : OptionalLong.of(value));

    public static final Codec<OptionalDouble> OPTIONAL_DOUBLE = mapped(
            nullable(DOUBLE),
            value -> value.isPresent() ? value.getAsDouble() : null,
            value -> value == null ? OptionalDouble.empty() : OptionalDouble.of(value));

    private Codecs() {}

    private static byte[] number(In in) throws IOException {
        byte[] bytes = BYTES.read(in);
        if (bytes.length == 0) {
            throw Misfit.malformed("number of no bytes", in.wire.position());
        }
        return bytes;
    }

    /** A plain type that is written as a record of fixed fields: name, kind, name, kind … */
    static <T> Codec<T> composed(String name, Plain.Writer<T> writer, Plain.Reader<T> reader, Object... fields) {
        Definition definition = new Definition(Kind.RECORD, name);
        for (int i = 0; i < fields.length; i += 2) {
            definition.add((String) fields[i], Shape.of((Kind) fields[i + 1]));
        }
        return new Plain<>(Shape.of(definition), writer, reader);
    }

    /** Null is allowed where this stands. */
    public static <T> Codec<@Nullable T> nullable(Codec<T> present) {
        return new MaybeCodec<>(present);
    }

    /** As {@link #nullable} on the wire. */
    public static <T> Codec<Optional<T>> optional(Codec<T> present) {
        return mapped(nullable(present), value -> value.orElse(null), Optional::ofNullable);
    }

    /**
     * A value that comes many times is written once and referred to afterwards; what is read is one object wherever what was
     * written was one object. Identity counts, not equality: two equal strings are two. Wherever the codec returned stands, the
     * values share one table; it must not change while it is written, or what is read later is what it was first.
     *
     * <p>Both sides keep the newest 65,536 values of each shared codec until the payload ends, however many there are: what is
     * {@linkplain #consumedList consumed} is freed that much later. A value that was forgotten is written anew, and is another
     * object to the reader. A value costs a look-up by identity, a byte, and with 65,536 kept about 3 MiB at the writer and
     * half a MiB at the reader besides the values.
     *
     * <p>A value gets its place when it is whole, so one that contains itself is refused, as nested too deep. One that is referred
     * to counts towards the depth as if it stood there. But what walks a value whose parts are shared walks each as often as it
     * is referred to, {@code hashCode} too: a few bytes can stand for very many steps. Where the writer is not trusted, have no
     * such value as the key of a map or in a set.
     *
     * @throws IllegalArgumentException when the value may be null or is shared already; {@code nullable(shared(…))} is possible
     */
    public static <T> Codec<T> shared(Codec<T> value) {
        return new SharedCodec<>(value);
    }

    /** A type that is written as another; {@code from} may refuse a value by a RuntimeException. */
    public static <A, B> Codec<A> mapped(Codec<B> written, Function<A, B> to, Function<B, A> from) {
        return new MappedCodec<>(written, to, from);
    }

    /** What is read is a list of its own, and can be changed. */
    public static <E> Codec<List<E>> list(Codec<E> element) {
        return new ListCodec<>(element, List::size, List::iterator, Function.identity());
    }

    /** What is read is a list. */
    public static <E> Codec<Collection<E>> collection(Codec<E> element) {
        return new ListCodec<>(element, Collection::size, Collection::iterator, list -> list);
    }

    /**
     * As {@link #list}, but each slot of the list that is written is set to null as soon as its element is taken, so that what
     * was written can be collected while the rest is encoded. The list is spent afterwards, also when encoding fails.
     */
    public static <E> Codec<List<E>> consumedList(Codec<E> element) {
        return new ListCodec<>(element, List::size, Taken::of, Function.identity());
    }

    /** As {@link #array}, and as {@link #consumedList}. */
    public static <E> Codec<E[]> consumedArray(Codec<E> element, IntFunction<E[]> newArray) {
        return new ListCodec<>(
                element,
                array -> array.length,
                array -> Taken.of(Arrays.asList(array)),
                list -> list.toArray(newArray));
    }

    /** What is read keeps the order of the elements; one that is there twice is malformed. See {@link ValueLimits}. */
    public static <E> Codec<Set<E>> set(Codec<E> element) {
        return new ListCodec<>(element, Set::size, Set::iterator, Codecs::distinct);
    }

    private static <E> Set<E> distinct(List<E> elements) {
        Set<E> set = new LinkedHashSet<>(elements);
        if (set.size() < elements.size()) {
            throw new IllegalArgumentException("a set with an element twice");
        }
        return set;
    }

    /** {@code newArray} gives an array of so many elements: {@code String[]::new}. */
    public static <E> Codec<E[]> array(Codec<E> element, IntFunction<E[]> newArray) {
        return new ListCodec<>(
                element,
                array -> array.length,
                array -> Arrays.asList(array).iterator(),
                list -> list.toArray(newArray));
    }

    /** What is read keeps the order of the entries; a key that is there twice is malformed. See {@link ValueLimits}. */
    public static <K, V> Codec<Map<K, V>> map(Codec<K> keys, Codec<V> values) {
        return new MapCodec<>(keys, values, Function.identity());
    }

    /** By the constants' names, so that their order may change. */
    public static <E extends Enum<E>> Codec<E> enumeration(Class<E> type) {
        return new EnumCodec<>(type);
    }

    /** A whole payload of one value, with the schema in front. */
    public static <T> ValueCodec<T> value(Codec<T> codec) {
        return value(codec, ValueLimits.DEFAULT);
    }

    public static <T> ValueCodec<T> value(Codec<T> codec, ValueLimits limits) {
        return new TypedCodec<>(codec, limits);
    }

    /**
     * A whole payload of elements whose number is not known: they are written as the iterator gives them and read as they
     * arrive. The payload ends where they do. The iterator that is read belongs to the decoding thread, which pulls it while the
     * result is open; it throws {@link java.io.UncheckedIOException}.
     */
    public static <E> ValueCodec<Iterator<E>> each(Codec<E> element) {
        return each(element, ValueLimits.DEFAULT);
    }

    public static <E> ValueCodec<Iterator<E>> each(Codec<E> element, ValueLimits limits) {
        return new EachCodec<>(element, limits);
    }

    /** As {@link #each(Codec)}, of what gives an iterator; the one that is read gives its only one, once. */
    public static <E> ValueCodec<Iterable<E>> iterable(Codec<E> element) {
        return iterable(element, ValueLimits.DEFAULT);
    }

    public static <E> ValueCodec<Iterable<E>> iterable(Codec<E> element, ValueLimits limits) {
        return iterableOf(each(element, limits));
    }

    /** As {@link #each(Codec)}, of streams; the one that is written is closed. */
    public static <E> ValueCodec<Stream<E>> stream(Codec<E> element) {
        return stream(element, ValueLimits.DEFAULT);
    }

    public static <E> ValueCodec<Stream<E>> stream(Codec<E> element, ValueLimits limits) {
        return streamOf(each(element, limits));
    }

    /** Streams by whatever codec of elements, another serializer's too; the one that is written is closed. */
    public static <E> ValueCodec<Stream<E>> streamOf(ValueCodec<Iterator<E>> each) {
        return new StreamCodec<>(each);
    }

    /** Iterables by whatever codec of elements; the one that is read gives its only iterator, once. */
    public static <E> ValueCodec<Iterable<E>> iterableOf(ValueCodec<Iterator<E>> each) {
        return new IterableCodec<>(each);
    }

    /**
     * Lists by whatever codec of elements, each slot set to null as soon as its element is taken, as by {@link #consumedList}.
     * What is read is a list of its own.
     */
    public static <E> ValueCodec<List<E>> consumedListOf(ValueCodec<Iterator<E>> each) {
        return new TakenCodec<>(each);
    }

    /** Whether text is taken from {@code String} itself ("in place"), or through "public methods". */
    public static String textAccess() {
        return StringBytes.OPEN ? "in place" : "public methods";
    }
}
