// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import io.tailrace.codec.elements.ForeignErrors;
import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flatbuf.DictionaryBatch;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.vector.compression.NoCompressionCodec;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.message.ArrowDictionaryBatch;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.MetadataVersion;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.validate.MetadataV4UnionChecker;
import org.jspecify.annotations.Nullable;

/**
 * Batches read out of the payload when they are asked for. One that cannot be read ends them for good: its failure is told each
 * time.
 *
 * <p><b>Ownership.</b> A body is this object's until a batch is made of it, then that batch's until its vectors have taken their
 * parts; those belong to the root and the dictionaries, which closing closes. The input is somebody else's.
 *
 * <p><b>Threads.</b> The decoding thread alone.
 */
final class ArrivingBatches extends ArrowReader {

    private final WireInput in;
    private final long start;
    private @Nullable BatchCheck rows;
    private final Map<Long, BatchCheck> entries = new HashMap<>();
    private long index;
    private boolean ended;
    private @Nullable Throwable broken;

    ArrivingBatches(WireInput in, BufferAllocator allocator) {
        super(allocator, NoCompressionCodec.Factory.INSTANCE);
        this.in = in;
        this.start = in.position();
    }

    @Override
    protected void initialize() throws IOException {
        super.initialize();
        for (Map.Entry<Long, Dictionary> entry : dictionaries.entrySet()) {
            entries.put(entry.getKey(), new BatchCheck(List.of(entry.getValue().getVector()), in));
        }
    }

    @Override
    protected Schema readSchema() throws IOException {
        Message message = nextMessage();
        if (message == null || message.headerType() != MessageHeader.Schema) {
            throw malformed("no schema in front of the batches");
        }
        if (message.bodyLength() != 0) {
            throw malformed("schema with a body of " + message.bodyLength() + " bytes");
        }
        org.apache.arrow.flatbuf.Schema told =
                (org.apache.arrow.flatbuf.Schema) message.header(new org.apache.arrow.flatbuf.Schema());
        SchemaCheck.check(told, message.getByteBuffer().capacity(), in);
        Schema schema = Schema.convertSchema(told);
        MetadataV4UnionChecker.checkRead(schema, MetadataVersion.fromFlatbufID(message.version()));
        return schema;
    }

    @Override
    public boolean loadNextBatch() throws IOException {
        if (broken != null) {
            throw told(broken);
        }
        try {
            prepareLoadNextBatch();
            if (!ended && !nextBatch()) {
                ended = true;
            }
            return !ended;
        } catch (Throwable e) {
            broken = e;
            getVectorSchemaRoot().clear(); // parts of the batch may be loaded
            throw told(e);
        }
    }

    private IOException told(Throwable e) {
        if (e instanceof OutOfMemoryException || e.getCause() instanceof OutOfMemoryException) { // Arrow wraps its own
            BudgetExhaustedException exhausted = new BudgetExhaustedException(
                    "allocator " + allocator.getName() + " has no room for a batch",
                    allocator.getLimit(),
                    allocator.getAllocatedMemory(),
                    in.resultId());
            exhausted.initCause(e);
            return exhausted;
        }
        return ForeignErrors.told(e, "[" + index + "]", in);
    }

    /** Loads dictionaries, then a batch; false at the end-of-stream marker. */
    private boolean nextBatch() throws IOException {
        while (true) {
            Message message = nextMessage();
            if (message == null) {
                return false;
            }
            switch (message.headerType()) {
                case MessageHeader.RecordBatch -> {
                    loadRows(message);
                    index++;
                    return true;
                }
                case MessageHeader.DictionaryBatch -> loadEntries(message);
                default -> throw malformed("message of type " + message.headerType() + " among batches");
            }
        }
    }

    private void loadRows(Message message) throws IOException {
        RecordBatch told = (RecordBatch) message.header(new RecordBatch());
        if (rows == null) {
            rows = new BatchCheck(getVectorSchemaRoot().getFieldVectors(), in);
        }
        ArrowBuf body = readBody(message.bodyLength());
        ArrowRecordBatch batch;
        try {
            rows.check(told, body, message.bodyLength());
            batch = MessageSerializer.deserializeRecordBatch(told, body);
        } catch (Throwable e) {
            body.close();
            throw e;
        }
        loadRecordBatch(batch);
    }

    private void loadEntries(Message message) throws IOException {
        DictionaryBatch told = (DictionaryBatch) message.header(new DictionaryBatch());
        BatchCheck check = entries.get(told.id());
        if (check == null) {
            throw malformed("dictionary " + told.id() + " is not in the schema");
        }
        if (told.isDelta()) {
            check.checkAdded(told.data(), message.bodyLength());
        }
        ArrowBuf body = readBody(message.bodyLength());
        ArrowDictionaryBatch batch;
        try {
            check.check(told.data(), body, message.bodyLength());
            batch = MessageSerializer.deserializeDictionaryBatch(message, body);
        } catch (Throwable e) {
            body.close();
            throw e;
        }
        loadDictionary(batch);
    }

    /** The next message without its body; null for the end-of-stream marker. */
    private @Nullable Message nextMessage() throws IOException {
        int length = in.readInt();
        if (length == MessageSerializer.IPC_CONTINUATION_TOKEN) {
            length = in.readInt();
        } // else it was written before there were continuation tokens
        if (length == 0) {
            return null;
        }
        Message message = Message.getRootAsMessage(ByteBuffer.wrap(in.readByteArray(length)));
        if (message.version() != org.apache.arrow.flatbuf.MetadataVersion.V4
                && message.version() != org.apache.arrow.flatbuf.MetadataVersion.V5) {
            throw malformed("metadata of version " + message.version());
        }
        return message;
    }

    private ArrowBuf readBody(long length) throws IOException {
        if (length < 0) {
            throw malformed("body of " + length + " bytes");
        }
        requireWithin(in.valueLimit(), length, "body of a batch too large");
        requireWithin(in.left(), length, "body of a batch exceeds what its limit leaves");
        requireWithin(allocator.getLimit(), length, "body of a batch exceeds its allocator's limit");
        if (length == 0) {
            return allocator.getEmpty();
        }
        // As much as came before may come again, so of batches of one size each but the first is copied once.
        long room = Math.min(length, Math.max(WireInput.AHEAD_MAX, in.position() - start));
        ArrowBuf body = allocator.buffer(room);
        try {
            fill(body, 0, room);
            while (room < length) {
                long more = Math.min(length, 2 * room);
                ArrowBuf grown = allocator.buffer(more);
                grown.setBytes(0, body, 0, room);
                body.close();
                body = grown;
                fill(body, room, more);
                room = more;
            }
            return body;
        } catch (Throwable e) {
            body.close();
            throw e;
        }
    }

    private void fill(ArrowBuf body, long from, long to) throws IOException {
        long at = from;
        while (at < to) {
            if (in.exhausted()) {
                throw malformed("payload ends inside the body of a batch");
            }
            int run = (int) Math.min(to - at, in.limit() - in.offset());
            body.setBytes(at, in.array(), in.offset(), run);
            in.commit(in.offset() + run);
            at += run;
        }
    }

    private void requireWithin(long limit, long length, String reason) throws ResultTooLargeException {
        if (length > limit) {
            throw new ResultTooLargeException(reason, limit, length, in.position(), in.resultId());
        }
    }

    private MalformedDataException malformed(String reason) {
        return new MalformedDataException(reason, in.position(), in.resultId());
    }

    @Override
    public long bytesRead() {
        return in.position() - start;
    }

    @Override
    protected void closeReadSource() {
        // The input is the reader's.
    }
}
