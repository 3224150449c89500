// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.wire.BudgetExhaustedException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The rest of one result on disk: its file, and how long each frame in it is, so that credit is charged without reading.
 *
 * <p><b>Ownership.</b> The file is this object's; it is closed, and gone, when the result is over and no slice of it is inside
 * the link.
 *
 * <p><b>Threads.</b> One thread at a time appends, the loop takes; this object's monitor guards the index.
 */
final class Spill {

    private static final Logger LOG = System.getLogger(Spill.class.getName());

    /** The last frame's length is stored as its complement. */
    private int[] lengths = new int[64];

    private final SpillFile file;
    private final Executor executor;
    private int first;
    private int behind;
    private long position;
    private int slices;
    private boolean over;
    private boolean closed;

    /** @param executor where the file is closed, as that may wait for the disk */
    Spill(SpillFile file, Executor executor) {
        this.file = file;
        this.executor = executor;
    }

    SpillFile file() {
        return file;
    }

    /** Appends all frames of a region, which stays the caller's; false when the disk budget has no room for them. */
    boolean append(Region region) throws IOException {
        try {
            file.append(region);
        } catch (BudgetExhaustedException e) {
            LOG.log(Level.DEBUG, "spilling stops", e);
            return false;
        }
        synchronized (this) {
            if (over) {
                return true; // nobody wants it any more
            }
            for (int frame = region.from(); frame < region.to(); frame = region.behind(frame)) {
                int bytes = region.frameBytesAt(frame);
                add(region.kindAt(frame) == FrameKind.END ? ~bytes : bytes);
            }
        }
        return true;
    }

    private void add(int length) {
        if (behind == lengths.length) {
            int count = behind - first;
            int[] into = count > lengths.length / 2 ? new int[2 * lengths.length] : lengths;
            System.arraycopy(lengths, first, into, 0, count);
            lengths = into;
            first = 0;
            behind = count;
        }
        lengths[behind++] = length;
    }

    synchronized boolean hasFrames() {
        return first < behind;
    }

    synchronized long waitingBytes() {
        return Arrays.stream(lengths, first, behind)
                .mapToLong(length -> length < 0 ? ~length : length)
                .sum();
    }

    /** How the result pays for a frame. */
    interface Payer {
        boolean pays(boolean end, int frameBytes);
    }

    /** The next frames that can be paid for and belong to the turn; null when there are none. */
    synchronized @Nullable FileSlice take(Payer payer, int turn, int taken) {
        int bytes = 0;
        boolean paid = true;
        while (paid && first < behind) {
            boolean end = lengths[first] < 0;
            int length = end ? ~lengths[first] : lengths[first];
            paid = Outgoing.fits(length, turn, taken + bytes) && payer.pays(end, length);
            if (paid) {
                bytes += length;
                first++;
            }
        }
        if (bytes == 0 || closed) {
            return null;
        }
        FileSlice slice = new FileSlice(this, position, bytes);
        position += bytes;
        slices++;
        return slice;
    }

    void sliceReleased(int bytes) {
        boolean last;
        synchronized (this) {
            slices--;
            last = over && slices == 0 && !closed;
            closed |= last;
        }
        if (last) {
            closeLater();
        }
    }

    /** Nothing of it is taken any more. */
    void end() {
        boolean last;
        synchronized (this) {
            over = true;
            first = behind;
            last = slices == 0 && !closed;
            closed |= last;
        }
        if (last) {
            closeLater();
        }
    }

    private void closeLater() {
        try {
            executor.execute(this::closeFile);
        } catch (RejectedExecutionException e) {
            closeFile();
        }
    }

    private void closeFile() {
        try {
            file.close();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "a spill file could not be closed: " + file, e);
        }
    }
}
