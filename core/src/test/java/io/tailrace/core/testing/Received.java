// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireInput;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.List;

/**
 * What a reader made of one result: all that it handed out, and how it ended.
 *
 * @param id null when the stream broke between results
 * @param summary null unless the result is complete
 * @param failure null when the result is complete
 */
@SuppressWarnings("ArrayRecordComponent") // compared by content, never as records
public record Received(ResultId id, byte[] payload, byte[] trailer, ResultSummary summary, ResultException failure) {

    public static List<Received> all(ChunkPool pool, byte[] stream) throws IOException {
        return all(pool, stream, null);
    }

    /** Reads a stream to its end, or to where it breaks. */
    public static List<Received> all(ChunkPool pool, byte[] stream, BlockCompression compression) throws IOException {
        List<Received> results = new ArrayList<>();
        try (ResultReader reader = ResultReader.builder(pool)
                .compression(compression)
                .open(Channels.newChannel(new ByteArrayInputStream(stream)))) {
            while (true) {
                try {
                    if (!reader.nextResult()) {
                        return results;
                    }
                } catch (ResultException e) {
                    results.add(new Received(null, new byte[0], new byte[0], null, e));
                    return results;
                }
                results.add(one(reader));
            }
        }
    }

    private static Received one(ResultReader reader) throws IOException {
        ByteArrayOutputStream payload = new ByteArrayOutputStream();
        ByteArrayOutputStream trailer = new ByteArrayOutputStream();
        try {
            drain(reader.payload(), payload);
            drain(reader.trailer(), trailer);
            ResultSummary summary = reader.finish();
            return new Received(reader.id(), payload.toByteArray(), trailer.toByteArray(), summary, null);
        } catch (ResultException e) {
            return new Received(reader.id(), payload.toByteArray(), trailer.toByteArray(), null, e);
        }
    }

    private static void drain(WireInput in, ByteArrayOutputStream into) throws IOException {
        while (!in.exhausted()) {
            into.write(in.array(), in.offset(), in.limit() - in.offset());
            in.commit(in.limit());
        }
    }

    public boolean complete() {
        return summary != null;
    }

    /** What the sender told; fails when it told nothing. */
    public ResultFailedException told() {
        if (failure instanceof ResultFailedException told) {
            return told;
        }
        throw new AssertionError("the receiver was not told: " + this, failure);
    }
}
