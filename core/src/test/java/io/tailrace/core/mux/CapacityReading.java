// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.ResultDecoder;
import io.tailrace.core.ResultListener;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A decoding thread at one result: it holds what it reads for as long as its speed says. */
final class CapacityReading implements ResultListener {

    private final Simulation world;
    private final Arriving arriving;
    private final ResultDecoder decoder;
    private final Runnable whenOver;
    private boolean parked;
    private boolean whole;
    private long received;

    CapacityReading(Simulation world, Arriving arriving, ResultReader.Builder reading, Runnable whenOver) {
        this.world = world;
        this.arriving = arriving;
        this.decoder = reading.decoder(this, () -> {});
        this.whenOver = whenOver;
    }

    void start() {
        arriving.start();
        step();
    }

    /** Something has come, for this result or another of its connection. */
    void wake() {
        if (parked && arriving.readable()) {
            parked = false;
            world.after(Capacity.DECODING_STEP, this::step);
        }
    }

    private void step() {
        parked = !arriving.readable();
        if (parked) {
            return;
        }
        try {
            ByteBuffer piece = arriving.next();
            if (piece == null) {
                end();
                return;
            }
            long cost = Capacity.nanos(piece.remaining(), Capacity.DECODED_BYTES_PER_SECOND);
            world.require(decoder.accept(piece), "a decoder had no chunk");
            world.after(cost + Capacity.DECODING_STEP, this::step);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void end() throws IOException {
        decoder.endOfInput();
        decoder.close();
        arriving.close();
        world.require(whole && received == arriving.id().stage(), () -> "not whole: " + arriving.id());
        arriving.settle(new ResultFate(Verdict.ACCEPTED, "", false), null);
        whenOver.run();
    }

    @Override
    public void onOpen(ResultId opened, String codecId) {}

    @Override
    public void onPayload(ByteBuf bytes) {
        received += bytes.readableBytes();
    }

    @Override
    public void onTrailer(ByteBuf trailer) {}

    @Override
    public void onEnd(ResultSummary summary) {
        whole = true;
    }

    @Override
    public void onFailure(@Nullable ResultId failed, ResultException why) {
        throw new AssertionError(failed + " failed", why);
    }
}
