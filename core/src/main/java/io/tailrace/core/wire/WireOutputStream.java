// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;
import java.io.OutputStream;

/** A payload as a stream. Flushing and closing do nothing. */
final class WireOutputStream extends OutputStream {

    private final WireOutput out;

    WireOutputStream(WireOutput out) {
        this.out = out;
    }

    @Override
    public void write(int value) throws IOException {
        out.writeByte(value);
    }

    @Override
    public void write(byte[] source, int from, int length) throws IOException {
        out.writeBytes(source, from, length);
    }
}
