// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.sink.MemorySink;
import java.io.IOException;

/** What a big result costs without a transport: it is encoded and dropped, and as many bytes are decoded from memory. */
final class CodecAlone implements BigResult.Sending {

    private final Encoding encoding;
    private final byte[] part;

    /** @param result what is going to be sent; a part of it is kept in memory */
    CodecAlone(Encoding encoding, BigResult<?> result) throws IOException {
        this.encoding = encoding;
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        encode(result.once(), sink);
        part = sink.toByteArray();
    }

    private <E> ResultSummary encode(BigResult<E> result, FrameSink sink) throws IOException {
        return encoding.encoder().encode(TypedResult.ID, result.codec(), result.source(), sink);
    }

    @Override
    public <E> ResultSummary send(BigResult<E> result) throws IOException {
        ResultSummary summary = encode(result, new NullSink());
        for (int i = 0; i < result.times(); i++) {
            try (ResultReader reader =
                    ResultReader.builder(encoding.encoder().pool()).open(new ArrayChannel(part))) {
                reader.nextResult();
                result.once().receive(reader::decode);
                reader.finish();
            }
        }
        return summary;
    }
}
