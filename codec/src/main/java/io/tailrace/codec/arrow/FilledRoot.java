// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.Schema;

/** Somebody's root and how it is filled, as the reader that Arrow has for such. */
final class FilledRoot extends ArrowReader {

    private final VectorSchemaRoot root;
    private final DictionaryProvider provider;
    private final ArrowCodecs.Fill fill;

    FilledRoot(VectorSchemaRoot root, DictionaryProvider provider, ArrowCodecs.Fill fill) {
        super(null);
        this.root = root;
        this.provider = provider;
        this.fill = fill;
    }

    @Override
    public VectorSchemaRoot getVectorSchemaRoot() {
        return root;
    }

    @Override
    public boolean loadNextBatch() throws IOException {
        return fill.next(root);
    }

    @Override
    public Dictionary lookup(long id) {
        return provider.lookup(id);
    }

    @Override
    public Set<Long> getDictionaryIds() {
        return provider.getDictionaryIds();
    }

    @Override
    public Map<Long, Dictionary> getDictionaryVectors() {
        Map<Long, Dictionary> vectors = new HashMap<>();
        for (long id : provider.getDictionaryIds()) {
            vectors.put(id, provider.lookup(id));
        }
        return vectors;
    }

    @Override
    protected Schema readSchema() {
        return root.getSchema();
    }

    @Override
    public long bytesRead() {
        return 0;
    }

    @Override
    protected void closeReadSource() {
        // The root is its owner's.
    }
}
