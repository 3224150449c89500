// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.lz4;

import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.MalformedDataException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/**
 * LZ4 block compression by lz4-java, native or in Java; both read what either wrote.
 *
 * <p>Compression is LZ4's fast one. Expanding goes through lz4-java's <em>safe</em> decompressor only: it is bounded by
 * source and destination, and the faster of the two. A match offset of 0, which the block format forbids, yields zeros
 * in both implementations, never what the destination held before.
 *
 * <p><b>Threads.</b> Stateless: any number of threads at once.
 */
public final class Lz4Compression implements BlockCompression {

    /** LZ4 block in the registry of FRAME_FORMAT.md. */
    public static final int ID = 1;

    private final String implementation;
    private final LZ4Compressor compressor;
    private final LZ4SafeDecompressor decompressor;

    private Lz4Compression(LZ4Factory factory) {
        // The factory names itself "LZ4Factory:JNI".
        String name = factory.toString();
        this.implementation = name.substring(name.indexOf(':') + 1);
        this.compressor = factory.fastCompressor();
        this.decompressor = factory.safeDecompressor();
    }

    /**
     * The native implementation where it loads, else Java, several times slower; {@link #implementation()} tells which,
     * and so does the log, once. Native access may be denied, the platform unknown, or lz4-java loaded by another class
     * loader than the system's, where it does not try.
     */
    public static Lz4Compression fastest() {
        return Fastest.INSTANCE;
    }

    /** The Java implementation without {@code sun.misc.Unsafe}: nothing is loaded, no access needs to be granted. */
    public static Lz4Compression java() {
        return Java.INSTANCE;
    }

    @Override
    public int id() {
        return ID;
    }

    @Override
    public String implementation() {
        return implementation;
    }

    @Override
    public int maxCompressedLength(int rawLength) {
        return compressor.maxCompressedLength(rawLength);
    }

    /** The room asked for is the longest outcome's, so that incompressible bytes take no exception's path. */
    @Override
    public int compress(byte[] src, int srcOff, int length, byte[] dst, int dstOff) {
        return compressor.compress(src, srcOff, length, dst, dstOff, compressor.maxCompressedLength(length));
    }

    @Override
    public void expand(byte[] src, int srcOff, int length, byte[] dst, int dstOff, int rawLength)
            throws MalformedDataException {
        int produced;
        try {
            produced = decompressor.decompress(src, srcOff, length, dst, dstOff, rawLength);
        } catch (LZ4Exception | IndexOutOfBoundsException e) {
            throw malformed("LZ4 block is malformed, or expands beyond its raw length", rawLength, e);
        }
        if (produced != rawLength) {
            throw new MalformedDataException(
                    "LZ4 block expands to less than its raw length",
                    rawLength,
                    produced,
                    MalformedDataException.NONE,
                    null);
        }
    }

    private static MalformedDataException malformed(String reason, int rawLength, RuntimeException cause) {
        MalformedDataException told = new MalformedDataException(
                reason, rawLength, MalformedDataException.NONE, MalformedDataException.NONE, null);
        told.initCause(cause);
        return told;
    }

    @Override
    public String toString() {
        return "LZ4 block, " + implementation;
    }

    /** Loaded when first asked for: the choice is made, and logged, once. */
    private static final class Fastest {
        static final Lz4Compression INSTANCE = choose();

        private static Lz4Compression choose() {
            Lz4Compression chosen = new Lz4Compression(LZ4Factory.fastestInstance());
            Logger log = System.getLogger(Lz4Compression.class.getName());
            if (chosen.implementation.equals("JNI")) {
                log.log(Level.DEBUG, "LZ4 runs as native code");
            } else {
                log.log(Level.INFO, "LZ4 runs as {0}, several times slower than native code", chosen.implementation);
            }
            return chosen;
        }
    }

    private static final class Java {
        static final Lz4Compression INSTANCE = new Lz4Compression(LZ4Factory.safeInstance());
    }
}
