// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.frame.Gulps;
import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.ResultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import org.jspecify.annotations.Nullable;

/** Gulps that the decoding thread reads itself, from a channel in blocking mode, into one buffer. */
final class ChannelGulps implements Gulps {

    private static final int GULP = 128 << 10;

    private final ReadableByteChannel channel;
    private final ByteBuffer gulp;

    /** The buffer is direct, so that the JDK copies nothing between the kernel and it. */
    ChannelGulps(ReadableByteChannel channel) throws BudgetExhaustedException {
        this.channel = channel;
        try {
            this.gulp = ByteBuffer.allocateDirect(GULP);
        } catch (OutOfMemoryError e) {
            BudgetExhaustedException told =
                    new BudgetExhaustedException("no direct memory to read with", GULP, ResultException.NONE, null);
            told.initCause(e);
            throw told;
        }
    }

    @Override
    public @Nullable ByteBuffer next() throws IOException {
        gulp.clear();
        int read = channel.read(gulp);
        return read < 0 ? null : gulp.flip();
    }

    @Override
    public void giveBack() {
        // The buffer stays.
    }

    @Override
    public long outsideBytes() {
        return gulp.capacity();
    }
}
