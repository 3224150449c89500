// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;

/**
 * Where the parts of a record stand: one mark, a bit, for each field that may be missing, in the order of the fields, lowest
 * bit first, in as few bytes as hold them; then the fields in order, those left out that are missing. A record without fields
 * and marks is one byte, 0: nothing on the wire is for nothing.
 */
final class RecordLayout {

    private final Definition definition;

    /** Each field's mark, or -1. */
    private final int[] marks;

    private final int markCount;

    RecordLayout(Definition definition) {
        this.definition = definition;
        this.marks = new int[definition.size()];
        int count = 0;
        for (int i = 0; i < marks.length; i++) {
            marks[i] = definition.shape(i).kind() == Kind.MAYBE ? count++ : -1;
        }
        this.markCount = count;
    }

    int size() {
        return definition.size();
    }

    int markCount() {
        return markCount;
    }

    int markBytes() {
        return definition.size() == 0 ? 1 : (markCount + 7) / 8;
    }

    /** The field's mark, or -1 if it is always there. */
    int mark(int field) {
        return marks[field];
    }

    /** The field's shape where it is there. */
    Shape bare(int field) {
        Shape shape = definition.shape(field);
        return shape.kind() == Kind.MAYBE ? shape.part(0) : shape;
    }

    boolean present(int field, byte[] read) {
        int mark = marks[field];
        return mark < 0 || (read[mark >>> 3] >>> (mark & 7) & 1) != 0;
    }

    byte[] readMarks(In in) throws IOException {
        byte[] read = new byte[markBytes()];
        in.wire.readBytes(read, 0, read.length);
        int spare = markCount & 7;
        int last = read.length - 1;
        if (last >= 0 && (definition.size() == 0 || spare != 0) && (read[last] & 0xFF) >>> spare != 0) {
            throw Misfit.malformed("marks beyond the last field", in.wire.position() - 1);
        }
        return read;
    }
}
