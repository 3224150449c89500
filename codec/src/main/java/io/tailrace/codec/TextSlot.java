// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A row's text as it came, kept in one array for all rows, and made a string only if somebody asks. */
final class TextSlot {

    private byte[] bytes = new byte[64];
    private int length;
    private int coding;
    private @Nullable String text;

    void read(In in) throws IOException {
        WireInput wire = in.wire;
        long from = wire.position();
        long header = wire.readVarLong();
        long size = header >>> 2;
        coding = (int) header & 3;
        text = null;
        if (size > wire.limit() - wire.offset() || size > in.valueLimit || coding != Text.LATIN_1) {
            text = Text.readBytes(wire, size, coding, from);
            return;
        }
        length = (int) size;
        if (length > bytes.length) {
            bytes = new byte[Math.max(length, 2 * bytes.length)]; // within what has arrived
        }
        wire.readBytes(bytes, 0, length);
    }

    String text() {
        String made = text;
        if (made == null) {
            made = Text.latin1(bytes, 0, length);
            text = made;
        }
        return made;
    }
}
