// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import io.tailrace.codec.elements.ForeignErrors;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.ipc.message.ArrowBlock;
import org.apache.arrow.vector.ipc.message.ArrowDictionaryBatch;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;

/**
 * Arrow's own writer, which is told whose the bodies are that it writes.
 *
 * <p><b>Ownership.</b> A batch's {@link BodyOwner} is held while the batch is written; the output retains it where bodies go by
 * reference. Closing gives back what the writer remembers of dictionaries, and writes nothing.
 */
final class BatchWriter implements AutoCloseable {

    private final WireOutput out;
    private final PayloadChannel channel;
    private final Writer writer;
    private long index;

    private BatchWriter(VectorSchemaRoot root, DictionaryProvider dictionaries, WireOutput out) {
        this.out = out;
        this.channel = new PayloadChannel(out);
        this.writer = new Writer(root, dictionaries, channel);
    }

    /** Writes the schema. */
    @SuppressWarnings("MustBeClosedChecker")
    static BatchWriter begin(VectorSchemaRoot root, DictionaryProvider dictionaries, WireOutput out)
            throws IOException {
        try {
            BatchWriter begun = new BatchWriter(root, dictionaries, out);
            begun.writer.start();
            return begun;
        } catch (Throwable e) {
            throw ForeignErrors.told(e, "schema", out); // no dictionary was written yet, so nothing is held
        }
    }

    /** Writes what the root holds now, which may change afterwards. */
    void write() throws IOException {
        try {
            writer.writeBatch();
            if (writer.reading) {
                out.awaitSent();
                writer.reading = false;
            }
            index++;
        } catch (Throwable e) {
            throw ForeignErrors.told(e, "[" + index + "]", out);
        }
    }

    /** Writes the end-of-stream marker. */
    void finish() throws IOException {
        writer.end();
    }

    @Override
    public void close() {
        channel.close();
        writer.close();
    }

    private static final class Writer extends ArrowStreamWriter {
        private final PayloadChannel channel;

        /** Whether bodies were still to be sent when they had been written. */
        private boolean reading;

        Writer(VectorSchemaRoot root, DictionaryProvider dictionaries, PayloadChannel channel) {
            super(root, dictionaries, channel);
            this.channel = channel;
        }

        @Override
        protected ArrowBlock writeRecordBatch(ArrowRecordBatch batch) throws IOException {
            BodyOwner owner = new BodyOwner(batch.getBuffers());
            channel.bodiesOf(owner);
            try {
                return super.writeRecordBatch(batch);
            } finally {
                written(owner);
            }
        }

        @Override
        protected ArrowBlock writeDictionaryBatch(ArrowDictionaryBatch batch) throws IOException {
            BodyOwner owner = new BodyOwner(batch.getDictionary().getBuffers());
            channel.bodiesOf(owner);
            try {
                return super.writeDictionaryBatch(batch);
            } finally {
                written(owner);
            }
        }

        private void written(BodyOwner owner) {
            channel.bodiesOf(null);
            reading |= !owner.release();
        }
    }
}
