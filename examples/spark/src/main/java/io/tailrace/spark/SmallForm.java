// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Objects;

/**
 * A value as Spark would write it, if that is small; writing more than that throws, and what was written is given up.
 *
 * <p><b>Threads.</b> The task's.
 */
final class SmallForm extends OutputStream {

    private final HeldBytes held;
    private boolean tooLarge;

    /** @param tooMany bytes that are not small any more */
    SmallForm(int tooMany) {
        held = new HeldBytes(tooMany - 1);
    }

    /** Whatever the serializer has made of it. */
    boolean isTooLarge() {
        return tooLarge;
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] from, int at, int length) throws IOException {
        Objects.checkFromIndexSize(at, length, from.length);
        if (tooLarge || !held.hold(from, at, length)) {
            tooLarge = true;
            held.clear();
            throw new IOException("the value is not small");
        }
    }

    void writeTo(OutputStream out) throws IOException {
        held.writeTo(out);
    }
}
