// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Passes over a value that the reader has no field for, by the writer's schema. What it is inside of is kept in a list, not on
 * the thread's stack: a foreign schema nests as it likes.
 */
final class Skip {

    /** A value that was begun. */
    private abstract static class Begun {
        final @Nullable Begun around;

        Begun(@Nullable Begun around) {
            this.around = around;
        }

        /** What comes next of it, null at its end. */
        abstract @Nullable Shape next();
    }

    /** The same parts so many times over. */
    private static final class Parts extends Begun {
        private final List<Shape> parts;
        private final @Nullable SharedTable table;
        private long left;
        private int next;

        Parts(@Nullable Begun around, List<Shape> parts, long times, @Nullable SharedTable table) {
            super(around);
            this.parts = parts;
            this.table = table;
            this.left = parts.size() * times;
        }

        @Override
        @Nullable
        Shape next() {
            if (left-- == 0) {
                if (table != null) {
                    table.count();
                }
                return null;
            }
            Shape part = parts.get(next);
            next = next + 1 == parts.size() ? 0 : next + 1;
            return part;
        }
    }

    /** The fields that are there. */
    private static final class Fields extends Begun {
        private final RecordLayout layout;
        private final byte[] marks;
        private int next;

        Fields(@Nullable Begun around, RecordLayout layout, byte[] marks) {
            super(around);
            this.layout = layout;
            this.marks = marks;
        }

        @Override
        @Nullable
        Shape next() {
            while (next < layout.size()) {
                int field = next++;
                if (layout.present(field, marks)) {
                    return layout.bare(field);
                }
            }
            return null;
        }
    }

    private final In in;
    private final Map<Definition, SharedCodec<?>> kept;
    private final Map<Definition, RecordLayout> layouts = new HashMap<>();
    private @Nullable Begun inside;
    private int level;

    private Skip(In in, Map<Definition, SharedCodec<?>> kept) {
        this.in = in;
        this.kept = kept;
    }

    /** @param kept by their definitions, the values that a field may refer to later: they are read */
    static void value(Shape shape, In in, Map<Definition, SharedCodec<?>> kept) throws IOException {
        Skip skip = new Skip(in, kept);
        skip.value(shape);
        for (Begun begun = skip.inside; begun != null; begun = skip.inside) {
            Shape next = begun.next();
            if (next != null) {
                skip.value(next);
            } else {
                skip.inside = begun.around;
                skip.level--;
            }
        }
    }

    private void begin(Begun begun) throws Misfit {
        in.requireLevel(++level);
        inside = begun;
    }

    private void begin(List<Shape> parts, long times) throws Misfit {
        begin(new Parts(inside, parts, times, null));
    }

    private void value(Shape shape) throws IOException {
        WireInput wire = in.wire;
        Kind kind = shape.kind();
        switch (kind) {
            case BOOLEAN -> wire.readBoolean();
            case BYTE, SHORT, CHAR, INT, LONG, FLOAT, DOUBLE -> wire.skip(kind.width);
            case TEXT -> Text.skip(wire);
            case BOOLEANS -> booleans(wire);
            case BYTES -> wire.skip(wire.readVarInt() & 0xFFFF_FFFFL);
            case SHORTS, CHARS -> wire.skip(2 * (wire.readVarInt() & 0xFFFF_FFFFL));
            case INTS, FLOATS -> wire.skip(4 * (wire.readVarInt() & 0xFFFF_FFFFL));
            case LONGS, DOUBLES -> wire.skip(8 * (wire.readVarInt() & 0xFFFF_FFFFL));
            case MAYBE -> {
                if (wire.readBoolean()) {
                    begin(shape.parts(), 1);
                }
            }
            case LIST, MAP -> begin(shape.parts(), in.count());
            case ENUM -> place("constant ", shape, wire);
            case UNION -> begin(List.of(shape.defined().shape(place("member ", shape, wire))), 1);
            case RECORD -> record(shape.defined());
            case SHARED -> shared(shape);
            case EACH -> throw new IllegalStateException("elements without a count inside a value");
        }
    }

    private static void booleans(WireInput wire) throws IOException {
        long count = wire.readVarInt() & 0xFFFF_FFFFL;
        for (long i = 0; i < count; i++) {
            wire.readBoolean();
        }
    }

    private static int place(String what, Shape shape, WireInput wire) throws IOException {
        long at = wire.position();
        int place = wire.readVarInt();
        int size = shape.defined().size();
        if (place < 0 || place >= size) {
            throw Misfit.malformed(what + place + " of " + size + " of " + shape, at);
        }
        return place;
    }

    private void record(Definition definition) throws IOException {
        RecordLayout layout = layouts.computeIfAbsent(definition, RecordLayout::new);
        begin(new Fields(inside, layout, layout.readMarks(in)));
    }

    private void shared(Shape shape) throws IOException {
        SharedCodec<?> codec = kept.get(shape.defined());
        if (codec != null) {
            in.keep(codec, level);
            return;
        }
        SharedTable table = in.shared(shape.defined());
        long at = in.wire.position();
        int back = in.wire.readVarInt();
        table.requireHeld(back, shape, at);
        if (back == 0) {
            begin(new Parts(inside, List.of(shape.defined().shape(0)), 1, table));
        }
    }
}
