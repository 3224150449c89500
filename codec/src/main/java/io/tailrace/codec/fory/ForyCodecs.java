// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import io.tailrace.core.wire.ValueCodec;
import java.util.Iterator;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.fory.Fory;

/**
 * Codecs by Forys of the caller's, configured as the caller likes; both sides alike.
 *
 * <pre>
 *   group   := head, elements one behind the other as Fory writes them, [buffers]
 *   head    := 4 bytes, little-endian: bits 0–30 the number of bytes of all its elements, at least 1, bit 31 whether buffers
 *              follow: then the group is one element
 *   buffers := 4 bytes of count, then each: 4 bytes of length, bytes
 * </pre>
 *
 * <p>A payload of {@link #value} is a group of one element, one of {@link #each} groups to its end. A group ends with its last
 * element; none but its first has Fory's flag of buffers. Where groups end is the writer's choice: it makes one of what a chunk
 * holds, so the same elements may be other groups another time.
 *
 * <p>An element is written where it goes, in the chunk; one that does not fit there grows in scratch, which is counted, and is
 * copied from there. So a {@link #value} that is a big graph of objects is held as bytes once as a whole, because that is how
 * Fory writes: large results are for {@link #each}. Fory cannot be stopped while an element grows: it is compared with the limit
 * when it is written. Who needs a bound before that sets Fory's allocator for the process ({@code
 * MemoryBuffer.setGlobalAllocator}), one whose {@code grow} throws.
 *
 * <p>Arrays of primitives and {@code ByteBuffer}s from 8 KiB on go behind their element without scratch, {@code byte[]} and
 * {@code ByteBuffer} by reference where the encoder finds that worth it: those must not change until they are sent.
 *
 * <p>What an element may take when it is read is for Fory's own limits, which each {@code Fory} has ({@code
 * withMaxGraphMemoryBytes}, 128 MiB by default, {@code withMaxDepth}, {@code withMaxUnbackedContainerItems}); an array is not
 * made before its bytes are there. The decoder's limit of one value holds for an element and what is behind it, and for a group
 * that straddles chunks from 512 KiB on; one that lies in a chunk is read there. Serializers of the caller's must not keep
 * Fory's buffer, and nobody may use the output while elements are written, or the input in the middle of them.
 *
 * <p><b>Threads.</b> Any number at once: each result being encoded or decoded has a Fory to itself. Some are kept for the next
 * result, but none in which anything was thrown.
 */
public final class ForyCodecs {

    private final ForyPool pool;

    private ForyCodecs(Builder builder) {
        this.pool = new ForyPool(builder);
    }

    /** By what the supplier makes: a new one each time, not used before, its classes registered, which it must require. */
    public static ForyCodecs of(Supplier<Fory> forys) {
        return builder(forys).build();
    }

    public static Builder builder(Supplier<Fory> forys) {
        return new Builder(forys);
    }

    /** One value, written as a whole. Null is a value to Fory. */
    public <T> ValueCodec<T> value(Class<T> type) {
        return new ForyValue<>(type, pool);
    }

    /** Elements of unknown number, written and read one by one, without references from one to another. */
    public <T> ValueCodec<Iterator<T>> each(Class<T> type) {
        return new ForyEach<>(type, pool);
    }

    /** Memory that is held now for elements that did not fit in a chunk, and groups that straddle two. */
    public long scratchBytes() {
        return pool.scratch().bytes();
    }

    /** The most of it at any time. */
    public long peakScratchBytes() {
        return pool.scratch().peak();
    }

    /** Bytes that were copied out of scratch into chunks; all others were written there. */
    public long copiedBytes() {
        return pool.scratch().copied();
    }

    /** How Forys are made, kept and limited. */
    public static final class Builder {
        final Supplier<Fory> forys;
        int kept = Runtime.getRuntime().availableProcessors();
        int elementBytes = 128 << 20;
        boolean unregistered;
        boolean outOfBand = true;

        private Builder(Supplier<Fory> forys) {
            this.forys = Objects.requireNonNull(forys, "forys");
        }

        /** The most Forys that wait for a next result; as many as processors by default. */
        public Builder kept(int forys) {
            if (forys < 1) {
                throw new IllegalArgumentException("at least 1 Fory is kept, not " + forys);
            }
            kept = forys;
            return this;
        }

        /** The most bytes of one element that goes through scratch, 128 MiB by default. */
        public Builder elementLimit(int bytes) {
            if (bytes < 1) {
                throw new IllegalArgumentException("limit of " + bytes + " bytes");
            }
            elementBytes = bytes;
            return this;
        }

        /** Takes a Fory that does not require classes to be registered: then whoever writes a payload chooses what is made. */
        public Builder allowUnregistered() {
            unregistered = true;
            return this;
        }

        /** Whether big arrays go behind their element; they do by default. What is read may be either. */
        public Builder outOfBand(boolean asked) {
            outOfBand = asked;
            return this;
        }

        public ForyCodecs build() {
            return new ForyCodecs(this);
        }
    }
}
