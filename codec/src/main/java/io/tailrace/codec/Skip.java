// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.WireInput;
import java.io.IOException;

/** Passes over a value that the reader has no field for, by the writer's schema. */
final class Skip {

    private Skip() {}

    static void value(Shape shape, In in) throws IOException {
        value(shape, in, 0);
    }

    private static void value(Shape shape, In in, int level) throws IOException {
        in.requireLevel(level);
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
                    value(shape.part(0), in, level + 1);
                }
            }
            case LIST -> {
                int count = in.count();
                for (int i = 0; i < count; i++) {
                    value(shape.part(0), in, level + 1);
                }
            }
            case MAP -> {
                int count = in.count();
                for (int i = 0; i < count; i++) {
                    value(shape.part(0), in, level + 1);
                    value(shape.part(1), in, level + 1);
                }
            }
            case ENUM -> place("constant ", shape, wire);
            case UNION -> value(shape.defined().shape(place("member ", shape, wire)), in, level + 1);
            case RECORD -> record(shape.defined(), in, level);
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

    private static void record(Definition definition, In in, int level) throws IOException {
        RecordLayout layout = new RecordLayout(definition);
        byte[] marks = layout.readMarks(in);
        for (int i = 0; i < definition.size(); i++) {
            if (layout.present(i, marks)) {
                value(layout.bare(i), in, level + 1);
            }
        }
    }
}
