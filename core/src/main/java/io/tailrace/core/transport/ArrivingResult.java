// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.mux.Arriving;
import io.tailrace.core.wire.ResultCancelledException;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A result that is arriving: its handler reads it while its frames come, as from a {@link ResultReader}.
 *
 * <p><b>Threads.</b> The decoding thread, in the handler's call; {@link #cancel} and the numbers from any.
 */
public final class ArrivingResult {

    private final Arriving arriving;
    private final ResultReader reader;
    private @Nullable ResultSummary summary;

    ArrivingResult(Arriving arriving, ResultReader reader) {
        this.arriving = arriving;
        this.reader = reader;
    }

    public ResultId id() {
        return arriving.id();
    }

    /** Which codec's bytes its payload is. */
    public String codecId() {
        return arriving.codecId();
    }

    /** Payload bytes as the sender announced them, −1 if it did not; nothing holds it to them. */
    public long declaredBytes() {
        return arriving.declaredBytes();
    }

    /** What the sending process calls itself. */
    public String peer() {
        return arriving.peer();
    }

    /** The payload, verified frame by frame. */
    public WireInput payload() {
        return reader.payload();
    }

    /**
     * Reads the payload, or its rest, as a value; only {@link #finish}, or the handler's return, tells whether it is complete.
     *
     * @throws io.tailrace.core.wire.MalformedDataException before anything is read when the payload is another codec's
     */
    public <T> T decode(ValueCodec<T> codec) throws IOException {
        return reader.decode(codec);
    }

    /** The trailer; what was not read of the payload is verified and skipped. */
    public WireInput trailer() throws IOException {
        return reader.trailer();
    }

    /**
     * Reads to the result's end, skipping what was not read. Where the handler does not, this is done behind it.
     *
     * @throws io.tailrace.core.wire.ResultException as {@link ResultReader#finish}
     */
    public ResultSummary finish() throws IOException {
        ResultSummary known = summary;
        if (known == null) {
            known = reader.finish();
            summary = known;
        }
        return known;
    }

    /** Stops the result: its sender's encoder is told at its next chunk, and a reader here with its next read. */
    public void cancel(String reason) {
        arriving.settle(
                new ResultFate(Verdict.CANCELLED, reason, false),
                new ResultCancelledException("cancelled here: " + reason, arriving.arrivedBytes(), arriving.id()));
    }

    ResultReader reader() {
        return reader;
    }
}
