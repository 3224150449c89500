// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/** One value on its way in: where it is read, how deep it is nested, and what is still allowed. */
final class In extends Nesting {

    private static final int ELEMENT_BYTES = 8;

    /** Half of what may be allocated ahead of the bytes that arrive; the rest is for one array inside. */
    private static final int AHEAD_ELEMENTS = WireInput.AHEAD_MAX / 2 / ELEMENT_BYTES;

    private static final int LEVELS_SKIPPED = 4;

    final WireInput wire;

    /** The most of one text, also where it is taken out of the region at once. */
    final int valueLimit;

    private long elements;

    /** Levels of the values that are being passed over around the one that is read. */
    private int skipping;

    private @Nullable IdentityHashMap<Definition, SharedTable> shared;

    /** Of all lists that are being read: one inside the other must not each take as much. */
    private int aheadLeft = AHEAD_ELEMENTS;

    In(WireInput wire, ValueLimits limits) {
        super(limits);
        this.wire = wire;
        this.valueLimit = wire.valueLimit();
    }

    /** The table of that definition. */
    SharedTable shared(Definition definition) {
        IdentityHashMap<Definition, SharedTable> tables = shared;
        if (tables == null) {
            tables = new IdentityHashMap<>();
            shared = tables;
        }
        return tables.computeIfAbsent(definition, each -> new SharedTable());
    }

    /** A value that is passed over takes a few levels for each of those that a reader counts. */
    void requireLevel(int level) throws Misfit {
        long most = (long) LEVELS_SKIPPED * limits.depth();
        long all = (long) skipping + level;
        if (all > most) {
            throw Misfit.beyond("nested too deep to be passed over", most, all);
        }
    }

    /** Reads what stands that deep inside a value that is passed over. */
    void keep(SharedCodec<?> codec, int level) throws IOException {
        skipping += level;
        codec.read(this);
        skipping -= level;
    }

    /** One element more, of which there is no count. */
    <E> E element(Codec<E> codec) throws IOException {
        row();
        return codec.read(this);
    }

    void row() throws Misfit {
        if (++elements > limits.elements()) {
            throw Misfit.beyond("too many elements", limits.elements(), elements);
        }
    }

    /** A count of elements that follow; each takes one byte or more, so what they cost arrives with them. */
    int count() throws IOException {
        long at = wire.position();
        int count = wire.readVarInt();
        if (count < 0) {
            throw Misfit.malformed("count " + (count & 0xFFFF_FFFFL) + " is too large", at);
        }
        long left = wire.left();
        if (count > left) {
            throw Misfit.beyond(
                    "count exceeds what its limit leaves", wire.position() + left, wire.position() + count, at);
        }
        elements += count;
        if (elements > limits.elements()) {
            throw Misfit.beyond("too many elements", limits.elements(), elements);
        }
        return count;
    }

    /** How many elements to make room for ahead of them; to be {@linkplain #arrived given back} when they are there. */
    int ahead(int count) {
        int granted = (int) Math.min(Math.min(count, aheadLeft), wire.left() / ELEMENT_BYTES);
        arrived(-granted);
        return granted;
    }

    void arrived(int granted) {
        aheadLeft += granted;
        wire.takenAhead((AHEAD_ELEMENTS - aheadLeft) * ELEMENT_BYTES);
    }

    /** So many bytes of marks, lowest first; the bits above the last mark are 0. */
    long marks(int bytes, int count) throws IOException {
        long marks = 0;
        for (int i = 0; i < bytes; i++) {
            marks |= (wire.readByte() & 0xFFL) << (8 * i);
        }
        if (count < Long.SIZE && marks >>> count != 0) {
            throw Misfit.malformed("marks beyond the last field", wire.position() - 1);
        }
        return marks;
    }

    /** A byte of the region, which need not be the next. */
    boolean flag(byte[] array, int at) throws Misfit {
        byte value = array[at];
        if ((value & ~1) != 0) {
            throw Misfit.malformed("boolean of value " + value, wire.position() + at - wire.offset());
        }
        return value != 0;
    }
}
