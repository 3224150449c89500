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
import io.tailrace.core.wire.TruncatedResultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A decoding thread at one result: it reads as frames come, at its own pace, and ends as it likes. */
final class SimulatedReceiving implements ResultListener {

    private enum Manner {
        READS,
        THROWS,
        CANCELS,
        CANCELS_LATE
    }

    private final Simulation world;
    private final SimulatedDriver driver;
    private final SimulatedDriver.Entry entry;
    private final Payload payload;
    private final Manner manner;
    private final int turnsAt;
    private final long pace;
    private final ResultDecoder decoder;
    private boolean stalled;
    private int received;
    private boolean begun;
    private boolean whole;
    private @Nullable Throwable failure;
    private long patience = 10 * Simulation.MICROS;

    SimulatedReceiving(
            Simulation world, SimulatedDriver driver, SimulatedDriver.Entry entry, boolean misfits, boolean stalled) {
        this.world = world;
        this.driver = driver;
        this.entry = entry;
        this.payload = Payload.of(entry.arriving().id());
        this.stalled = stalled;
        this.manner = misfits && world.chance(25) ? Manner.values()[1 + world.upTo(2)] : Manner.READS;
        this.turnsAt = world.upTo(payload.length());
        this.pace = world.chance(80) ? 5 * Simulation.MICROS : 5 * Simulation.MILLIS;
        this.decoder = driver.reading.decoder(this, () -> {});
        entry.arriving().start();
        if (!stalled) {
            next();
        }
    }

    boolean isStalled() {
        return stalled;
    }

    ResultId id() {
        return entry.arriving().id();
    }

    void goOn() {
        if (stalled) {
            stalled = false;
            next();
        }
    }

    private void next() {
        world.after(world.random.nextLong(pace), this::step);
    }

    private void step() {
        Arriving arriving = entry.arriving();
        if (manner == Manner.CANCELS && received >= turnsAt) {
            driver.cancel(entry);
        }
        if (!arriving.readable()) {
            patience = Math.min(5 * Simulation.MILLIS, patience * 2);
            world.after(patience, this::step);
            return;
        }
        patience = 10 * Simulation.MICROS;
        try {
            if (!begun && arriving.isComplete() && inMemory(arriving) && world.chance(20)) {
                readAtOnce(arriving);
                end(null);
                return;
            }
            begun = true;
            ByteBuffer piece = arriving.next();
            if (piece == null) {
                decoder.endOfInput();
                if (!whole) {
                    throw new TruncatedResultException("no end", received, id());
                }
                end(null);
                return;
            }
            world.require(decoder.accept(piece), "a decoder had no chunk");
            Throwable why = failure;
            if (why != null) {
                end(why);
                return;
            }
        } catch (IOException | RuntimeException e) {
            end(e);
            return;
        }
        next();
    }

    /** What is being moved would be waited for, and time stands still meanwhile. */
    private static boolean inMemory(Arriving arriving) {
        Spilling spilling = arriving.spilling();
        return spilling == null || (!spilling.isOn() && spilling.spilledBytes() == 0);
    }

    private void readAtOnce(Arriving arriving) throws IOException {
        try (ResultReader reader = driver.reading.open(arriving)) {
            if (!reader.nextResult()) {
                throw new IOException("no result");
            }
            byte[] bytes = reader.payload().readByteArray(payload.length());
            take(bytes, 0, bytes.length);
            reader.finish();
            whole = true;
        }
    }

    private void end(@Nullable Throwable thrown) {
        decoder.close();
        entry.arriving().close();
        if (manner == Manner.CANCELS_LATE) {
            driver.cancel(entry);
        }
        if (thrown == null) {
            world.require(whole && received == payload.length(), "accepted, and not whole: " + id());
            driver.end(this, entry, new ResultFate(Verdict.ACCEPTED, "", false), null);
            return;
        }
        Verdict verdict = thrown instanceof TruncatedResultException ? Verdict.LOST : Verdict.REFUSED;
        world.require(
                !(thrown instanceof io.tailrace.core.wire.MalformedDataException), "malformed: " + id() + " " + thrown);
        boolean retriable = thrown instanceof ResultException known && known.retriable();
        driver.end(this, entry, new ResultFate(verdict, String.valueOf(thrown.getMessage()), retriable), thrown);
    }

    private void take(byte[] bytes, int from, int length) throws IOException {
        world.require(payload.continues(received, bytes, from, length), () -> "other bytes than were sent: " + id());
        received += length;
        if (manner == Manner.THROWS && received >= turnsAt) {
            throw new IOException("by design");
        }
    }

    @Override
    public void onOpen(ResultId opened, String codecId) {
        world.require(opened.equals(id()), "another result: " + opened);
    }

    @Override
    public void onPayload(ByteBuf bytes) throws IOException {
        take(bytes.array(), bytes.arrayOffset() + bytes.readerIndex(), bytes.readableBytes());
    }

    @Override
    public void onTrailer(ByteBuf trailer) {
        throw new AssertionError("there is no trailer");
    }

    @Override
    public void onEnd(ResultSummary summary) {
        whole = true;
    }

    @Override
    public void onFailure(@Nullable ResultId failed, ResultException why) {
        failure = why;
    }

    @Override
    public String toString() {
        return id() + " " + received + " of " + payload.length() + " settled "
                + entry.arriving().settled();
    }
}
