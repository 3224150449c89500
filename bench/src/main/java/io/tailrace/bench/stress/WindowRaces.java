// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * Races of a window's releases with its close and with an interrupted acquire. Results: chunks live, chunks free of a budget
 * of 3, both when all has been given back, and how many chunks the acquiring thread got.
 */
public final class WindowRaces {
    private WindowRaces() {}

    /** A window of 2, both of its chunks out, one of them beyond its reserve. Its kinds are open because jcstress extends them. */
    public abstract static sealed class Books permits ReleaseClose, ReleaseRelease, ReleaseInterrupt, AcquireInterrupt {
        private static final int CHUNK = 512;

        final ChunkPool pool =
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(3 * CHUNK).build();
        final ChunkWindow window;
        final Chunk first;
        final Chunk second;
        int got;

        Books() {
            try {
                window = pool.open("raced", 2, 1);
                first = window.acquire();
                second = window.acquire();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        final void acquire() {
            try {
                Chunk chunk = window.acquire();
                got++;
                chunk.release();
            } catch (IOException e) {
                // interrupted
            }
        }

        final void close(III_Result result) {
            window.close();
            result.r1 = (int) (pool.liveBytes() / CHUNK);
            result.r2 = (int) (pool.freeBytes() / CHUNK);
            result.r3 = got;
        }
    }

    /** Chunks that come back while their window closes. */
    @JCStressTest
    @Outcome(id = "0, 3, 0", expect = ACCEPTABLE, desc = "all came back, and each permit once")
    @State
    public static non-sealed class ReleaseClose extends Books {
        @Actor
        public void sender() {
            first.release();
            second.release();
        }

        @Actor
        public void closer() {
            window.close();
        }

        @Arbiter
        public void arbiter(III_Result result) {
            close(result);
        }
    }

    /** Two that come back at once, of which one frees a permit and the other the reserve's place. */
    @JCStressTest
    @Outcome(id = "0, 3, 0", expect = ACCEPTABLE, desc = "all came back, and each permit once")
    @State
    public static non-sealed class ReleaseRelease extends Books {
        @Actor
        public void one() {
            first.release();
        }

        @Actor
        public void other() {
            second.release();
        }

        @Arbiter
        public void arbiter(III_Result result) {
            close(result);
        }
    }

    /** A chunk that comes back while the acquire that waits for it is interrupted. */
    @JCStressTest
    @Outcome(
            id = {"0, 3, 0", "0, 3, 1"},
            expect = ACCEPTABLE,
            desc = "acquired or interrupted, and all came back")
    @State
    public static non-sealed class ReleaseInterrupt extends Books {
        @Actor
        public void acquirer() {
            acquire();
        }

        @Actor
        public void sender() {
            window.interruptAcquire();
            first.release();
        }

        @Arbiter
        public void arbiter(III_Result result) {
            second.release();
            close(result);
        }
    }

    /** The interrupt alone: no wake-up may be lost. */
    @JCStressTest
    @Outcome(id = "0, 3, 0", expect = ACCEPTABLE, desc = "interrupted, and all came back")
    @State
    public static non-sealed class AcquireInterrupt extends Books {
        @Actor
        public void acquirer() {
            acquire();
        }

        @Actor
        public void canceller() {
            window.interruptAcquire();
        }

        @Arbiter
        public void arbiter(III_Result result) {
            first.release();
            second.release();
            close(result);
        }
    }
}
