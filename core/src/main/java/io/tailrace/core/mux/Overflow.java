// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;

/**
 * Where arriving results go whose readers stand still: for all connections of a receiving process.
 *
 * <p>A result that waits in line has no reader yet, and so no part of the budget that decoders are sure of. Its credit stands
 * for chunks of a place here, of which there are few: as soon as it has come whole, the next one may have it.
 *
 * <p><b>Ownership.</b> The directory is this object's; the executor is its user's.
 *
 * <p><b>Threads.</b> Any.
 */
public final class Overflow implements AutoCloseable {

    /** Chunks of a result that goes to disk: one with its reader, one begun, one to go on with. */
    public static final int LEAST_WINDOW = Arriving.LEAST_WINDOW + 1;

    /** Each is a descriptor or two of the process. */
    private static final int MOST_FILES = 1_000;

    private static final Logger LOG = System.getLogger(Overflow.class.getName());

    private final SpillDirectory directory;
    private final Executor executor;
    private final LongConsumer spilled;
    private final AtomicInteger places;
    private volatile boolean closed;

    /**
     * @param executor what waits for the disk
     * @param places most results at once that come in with no reader yet; {@link #LEAST_WINDOW} chunks of the budget each
     * @param spilled told how many bytes went to disk, each time
     */
    public Overflow(SpillDirectory directory, Executor executor, int places, LongConsumer spilled) {
        this.directory = directory;
        this.executor = executor;
        this.places = new AtomicInteger(places);
        this.spilled = spilled;
    }

    public SpillDirectory directory() {
        return directory;
    }

    /** Places that nobody has. */
    int places() {
        return places.get();
    }

    boolean takePlace() {
        int now = places.get();
        while (now > 0 && !places.compareAndSet(now, now - 1)) {
            now = places.get();
        }
        return now > 0;
    }

    void givePlace() {
        places.incrementAndGet();
    }

    /** Whether so many bytes may be written, as things are now. */
    boolean hasRoom(int bytes) {
        return !closed && bytes <= directory.budgetBytes() - directory.bytesOnDisk() && directory.files() < MOST_FILES;
    }

    SpillFile open(ResultId id) throws IOException {
        return directory.open(id);
    }

    /** False when the executor refuses. */
    boolean execute(Runnable task) {
        try {
            executor.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            LOG.log(closed ? Level.DEBUG : Level.WARNING, "the spilling executor refuses: results wait in memory", e);
            return false;
        }
    }

    void count(int bytes) {
        spilled.accept(bytes);
    }

    /** The file goes, elsewhere: that may wait for the disk. */
    void drop(SpillFile file) {
        try {
            executor.execute(() -> close(file));
        } catch (RejectedExecutionException e) {
            close(file);
        }
    }

    private static void close(SpillFile file) {
        try {
            file.close();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "a spill file could not be closed: " + file, e);
        }
    }

    boolean isClosed() {
        return closed;
    }

    /** Removes all files: what was in them is lost to its readers. */
    @Override
    public void close() throws IOException {
        closed = true;
        directory.close();
    }
}
