// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.io.IOException;
import java.nio.channels.FileChannel;

/**
 * Whole frames that lie in a spill file.
 *
 * <p><b>Ownership.</b> The file stays open until this is released.
 */
public final class FileSlice implements Departure {

    private final Spill spill;
    private final long position;
    private final int length;

    FileSlice(Spill spill, long position, int length) {
        this.spill = spill;
        this.position = position;
        this.length = length;
    }

    /** What they are read from; it must not be closed, nor must its reader be interrupted. */
    public FileChannel channel() throws IOException {
        return spill.file().channel();
    }

    public long position() {
        return position;
    }

    @Override
    public int wireBytes() {
        return length;
    }

    @Override
    public void release() {
        spill.sliceReleased(length);
    }
}
