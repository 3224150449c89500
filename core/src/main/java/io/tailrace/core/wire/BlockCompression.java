// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

/**
 * A compression of one body at a time, from array to array because chunks are array-backed.
 *
 * <p><b>Threads.</b> Stateless, or safe to call from many threads at once.
 */
public interface BlockCompression {

    /** The number that FRAME_FORMAT.md registers for this compression. */
    int id();

    /** Which code runs, "JNI" or "JavaSafe" for example: a silent fall-back to slow code must be visible. */
    String implementation();

    /** The room that {@link #compress} needs for a body of that length. */
    int maxCompressedLength(int rawLength);

    /** Compresses into {@code dst}, which has room for the longest outcome, and returns the bytes written. */
    int compress(byte[] src, int srcOff, int length, byte[] dst, int dstOff);

    /**
     * Expands to exactly {@code rawLength} bytes, or throws. Bytes from the network: it never reads outside the source,
     * never writes outside the {@code rawLength} bytes, and lets no earlier content of {@code dst} show through.
     */
    void expand(byte[] src, int srcOff, int length, byte[] dst, int dstOff, int rawLength)
            throws MalformedDataException;
}
