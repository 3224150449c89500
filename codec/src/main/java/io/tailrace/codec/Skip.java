// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.util.Map;

/** Passes over a value that the reader has no field for, by the writer's schema. */
final class Skip {

    private final Map<Definition, SharedCodec<?>> kept;

    private Skip(Map<Definition, SharedCodec<?>> kept) {
        this.kept = kept;
    }

    /** @param kept by their definitions, the values that a field may refer to later: they are read */
    static void value(Shape shape, In in, Map<Definition, SharedCodec<?>> kept) throws IOException {
        new Skip(kept).value(shape, in, 0);
    }

    private void value(Shape shape, In in, int level) throws IOException {
        in.requireLevel(level);
        WireInput wire = in.wire;
        Kind kind = shape.kind();
        switch (kind) {
            case BOOLEAN, BYTE, SHORT, CHAR, INT, LONG, FLOAT, DOUBLE -> wire.skip(kind.width);
            case TEXT -> wire.skip(wire.readVarLong() >>> 2);
            case BYTES, BOOLEANS -> wire.skip(wire.readVarInt() & 0xFFFF_FFFFL);
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
            case ENUM -> wire.readVarInt();
            case UNION -> {
                long at = wire.position();
                int place = wire.readVarInt();
                Definition definition = shape.defined();
                if (place < 0 || place >= definition.size()) {
                    throw Misfit.malformed("member " + place + " of " + definition.size() + " of " + shape, at);
                }
                value(definition.shape(place), in, level + 1);
            }
            case SHARED -> shared(shape, in, level);
            case RECORD -> record(shape.defined(), in, level);
            case EACH -> throw new IllegalStateException("elements without a count inside a value");
        }
    }

    private void record(Definition definition, In in, int level) throws IOException {
        RecordLayout layout = new RecordLayout(definition);
        byte[] marks = layout.readMarks(in);
        for (int i = 0; i < definition.size(); i++) {
            if (layout.present(i, marks)) {
                value(layout.bare(i), in, level + 2); // as many frames on the stack
            }
        }
    }

    private void shared(Shape shape, In in, int level) throws IOException {
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
            value(shape.defined().shape(0), in, level + 1);
            table.count();
        }
    }
}
