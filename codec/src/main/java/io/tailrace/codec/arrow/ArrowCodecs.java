// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;

/**
 * Record batches as an Arrow IPC stream, byte for byte what Arrow's own {@code ArrowStreamWriter} writes: schema, dictionaries,
 * batches without their number, end-of-stream marker. Values are {@link ArrowReader}s, Arrow's notion of batches that come one
 * after another in the same root.
 *
 * <pre>{@code
 * ValueCodec<ArrowReader> codec = ArrowCodecs.batches(allocator);
 * encoder.encode(id, codec, ArrowCodecs.filled(root, r -> fillNext(r)), sink);
 * try (ArrowReader batches = reader.decode(codec)) {
 *     while (batches.loadNextBatch()) sum += total(batches.getVectorSchemaRoot()); // while frames arrive
 * }
 * reader.finish();
 * }</pre>
 *
 * <p>Bodies go by reference where that is worth it, and are retained until they are sent, also when the result fails. The next
 * batch is asked for only when all of the one before are sent, so it may overwrite them in place.
 *
 * <p>What is read is not trusted: lengths are checked against the reader's limits (a body is one value), offsets, sizes and
 * counts against the body, before a vector is given any of it. At most 1 MiB, or what the stream has brought so far, is allocated
 * ahead of a body; buffers that the stream leaves out, an eighth of a byte a row, come to at most 1 MiB above the body. Whether
 * text is UTF-8 and indices are in their dictionary is left to whoever reads them. Compressed bodies are refused: frames are
 * compressed instead; and so are additions to a dictionary of nested values, or of more than 2 GiB.
 */
public final class ArrowCodecs {

    private ArrowCodecs() {}

    /** Fills one root again and again. */
    @FunctionalInterface
    public interface Fill {

        /** Puts the next batch in the root, over the one before, and returns true; false when there is none. */
        boolean next(VectorSchemaRoot root) throws IOException;
    }

    /**
     * Batches up to the end-of-stream marker. The reader that encoding is given stays its owner's to close; the one that decoding
     * gives is the caller's to close, and reads its batches from the payload as long as that is the current one.
     *
     * <p>An allocator that has no room fails the result with a {@link io.tailrace.core.wire.BudgetExhaustedException}, one that
     * never has so much with a {@link io.tailrace.core.wire.ResultTooLargeException}.
     *
     * @param allocator of all that decoding makes; encoding makes only a copy of each dictionary, by the dictionary's own
     */
    public static ValueCodec<ArrowReader> batches(BufferAllocator allocator) {
        return new BatchesCodec(allocator);
    }

    /** The root as it is each time it was filled, to be encoded. Closing this closes nothing. */
    public static ArrowReader filled(VectorSchemaRoot root, Fill fill) {
        return filled(root, new DictionaryProvider.MapDictionaryProvider(), fill);
    }

    /** The same with dictionaries, each of which is written when it is first needed and again when it has changed. */
    public static ArrowReader filled(VectorSchemaRoot root, DictionaryProvider dictionaries, Fill fill) {
        return new FilledRoot(root, dictionaries, fill);
    }
}
