// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

/**
 * The most that a receiver accepts of one result, in bytes.
 *
 * @param wireBytes all frames, headers included, as they came over the wire
 * @param payloadBytes payload bytes after expanding
 * @param trailerBytes trailer bytes after expanding
 * @param valueBytes one text or one array inside the payload
 */
public record DecoderLimits(long wireBytes, long payloadBytes, long trailerBytes, int valueBytes) {

    /**
     * 1 TiB on the wire and expanded, for what is read through a window takes no memory by its length; 64 MiB of trailer,
     * 1 GiB for one text or array.
     */
    public static final DecoderLimits DEFAULT = new DecoderLimits(1L << 40, 1L << 40, 64L << 20, 1 << 30);

    public DecoderLimits {
        if (wireBytes < 0 || payloadBytes < 0 || trailerBytes < 0 || valueBytes < 0) {
            throw new IllegalArgumentException("negative limit: wire " + wireBytes + ", payload " + payloadBytes
                    + ", trailer " + trailerBytes + ", value " + valueBytes);
        }
    }

    public DecoderLimits withWireBytes(long bytes) {
        return new DecoderLimits(bytes, payloadBytes, trailerBytes, valueBytes);
    }

    public DecoderLimits withPayloadBytes(long bytes) {
        return new DecoderLimits(wireBytes, bytes, trailerBytes, valueBytes);
    }

    public DecoderLimits withTrailerBytes(long bytes) {
        return new DecoderLimits(wireBytes, payloadBytes, bytes, valueBytes);
    }

    public DecoderLimits withValueBytes(int bytes) {
        return new DecoderLimits(wireBytes, payloadBytes, trailerBytes, bytes);
    }
}
