// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.Chunk;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/**
 * The synchronous mode: the encoding thread is the sending thread, and a seal writes at once.
 *
 * <p><b>Ownership.</b> Chunks sent are the delivery's until written.
 *
 * <p><b>Threads.</b> The encoding thread alone; {@link #interrupt}, which any thread calls, does nothing here.
 */
final class SynchronousSending implements Sending {

    private static final Logger LOG = System.getLogger(SynchronousSending.class.getName());

    private final Delivery delivery;
    private boolean broken;
    private boolean finishing;

    SynchronousSending(Delivery delivery) {
        this.delivery = delivery;
    }

    @Override
    public void send(Chunk chunk, boolean more) throws IOException {
        if (!delivery.holds(chunk.wireBytes())) {
            try {
                flush();
            } catch (Throwable e) {
                chunk.release();
                throw e;
            }
        }
        delivery.add(chunk);
        if (!more) {
            flush();
        }
    }

    @Override
    public void flush() throws IOException {
        try {
            delivery.write();
        } catch (Throwable e) {
            broken = true;
            throw e;
        }
    }

    @Override
    public void finish() throws IOException {
        finishing = true;
        try {
            delivery.complete();
        } catch (Throwable e) {
            broken = true;
            throw e;
        }
    }

    @Override
    public boolean within() {
        return delivery.within();
    }

    @Override
    public void interrupt() {
        // Nothing waits here but the sink itself.
    }

    @Override
    public void abort(Farewell farewell) {
        // An interrupt would close an interruptible channel in the middle of a connection that others use.
        boolean interrupted = Thread.interrupted();
        try {
            delivery.drop();
            if (!broken && !finishing) {
                delivery.add(farewell.write(delivery.begun()));
                delivery.write();
            }
        } catch (Throwable e) {
            broken = true;
            LOG.log(Level.DEBUG, "the failure frame could not be sent", e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
