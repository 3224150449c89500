// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.ResultReader;
import io.tailrace.core.frame.WholeFrames;
import io.tailrace.core.mux.Arriving;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What one decoding task reads: result behind result, as if they came on a connection of their own, by one reader for as
 * long as all goes well. Making a reader costs more than reading a small result.
 *
 * <p><b>Threads.</b> The decoding task alone, or the publisher that it was left to.
 */
final class DecodingLane implements WholeFrames {

    private final ResultReader.Builder settings;
    private @Nullable Arriving current;
    private @Nullable ResultReader reader;

    DecodingLane(ResultReader.Builder settings) {
        this.settings = settings;
    }

    /** The reader, at the beginning of the next result. */
    ResultReader enter(Arriving next) throws IOException {
        current = next;
        ResultReader open = reader;
        if (open == null) {
            open = settings.open(this);
            reader = open;
        } else {
            next.skipPreamble();
        }
        open.nextResult();
        return open;
    }

    @Override
    public @Nullable ByteBuffer next() throws IOException {
        Arriving from = current;
        return from == null ? null : from.next();
    }

    @Override
    public void giveBack() {
        Arriving from = current;
        if (from != null) {
            from.giveBack();
        }
    }

    @Override
    public boolean isOpen() {
        return reader != null;
    }

    /** Closes the reader, if there is one. */
    @Override
    public void close() {
        ResultReader open = reader;
        reader = null;
        if (open != null) {
            open.close();
        }
    }
}
