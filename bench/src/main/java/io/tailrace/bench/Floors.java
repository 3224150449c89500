// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.zip.CRC32C;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;

/** What cannot be gone below: the copy, the checksum and the compression alone, through one reused chunk of heap. */
final class Floors {

    private static final int CHUNK = 64 << 10;

    private final byte[] chunk = new byte[CHUNK];
    private final LongBuffer longView =
            ByteBuffer.wrap(chunk).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
    private final LZ4Compressor compressor = LZ4Factory.fastestInstance().fastCompressor();
    private final byte[] compressed = new byte[compressor.maxCompressedLength(CHUNK)];
    private final CRC32C crc = new CRC32C();

    long copy(long[] values) {
        long sum = 0;
        int run = CHUNK / Long.BYTES;
        for (int at = 0; at < values.length; at += run) {
            longView.clear().put(values, at, Math.min(run, values.length - at));
            sum += chunk[7];
        }
        return sum;
    }

    long copy(byte[][] blobs) {
        long sum = 0;
        for (byte[] blob : blobs) {
            for (int at = 0; at < blob.length; at += CHUNK) {
                System.arraycopy(blob, at, chunk, 0, Math.min(CHUNK, blob.length - at));
                sum += chunk[7];
            }
        }
        return sum;
    }

    /** The copy and the checksum that every encoder here makes: the floor with CRC on. */
    long copyAndChecksum(long[] values) {
        long sum = 0;
        int run = CHUNK / Long.BYTES;
        for (int at = 0; at < values.length; at += run) {
            longView.clear().put(values, at, Math.min(run, values.length - at));
            crc.reset();
            crc.update(chunk, 0, CHUNK);
            sum += crc.getValue();
        }
        return sum;
    }

    long checksum(byte[][] blobs) {
        long sum = 0;
        for (byte[] blob : blobs) {
            for (int at = 0; at < blob.length; at += CHUNK) {
                crc.reset();
                crc.update(blob, at, Math.min(CHUNK, blob.length - at));
                sum += crc.getValue();
            }
        }
        return sum;
    }

    /** Blocks of 64 KiB straight from the blobs, without a copy. Returns the bytes it came to. */
    long lz4(byte[][] blobs) {
        long sum = 0;
        for (byte[] blob : blobs) {
            for (int at = 0; at < blob.length; at += CHUNK) {
                int length = Math.min(CHUNK, blob.length - at);
                sum += compressor.compress(blob, at, length, compressed, 0, compressed.length);
            }
        }
        return sum;
    }
}
