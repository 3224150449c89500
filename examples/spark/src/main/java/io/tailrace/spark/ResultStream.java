// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import org.apache.spark.TaskKilledException;
import org.apache.spark.scheduler.MapStatus;
import org.apache.spark.serializer.SerializationStream;
import org.apache.spark.serializer.Serializer;
import org.apache.spark.util.io.ChunkedByteBufferOutputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.reflect.ClassTag;

/**
 * The stream of a task's result: a small one comes out as the other serializer writes it; of a large one only a token does, behind
 * the driver's word that it has the value.
 *
 * <p>What the value itself throws, as {@link java.io.NotSerializableException}, leaves as it is: Spark judges by it. What befell the
 * other way is settled here.
 *
 * <p><b>Threads.</b> The task's.
 */
final class ResultStream extends SerializationStream {

    private static final Logger LOG = LoggerFactory.getLogger(ResultStream.class);

    private final Serializer serializer;
    private final RunningTask task;
    private final Sending sending;
    private final ChunkedByteBufferOutputStream to;
    private boolean written;

    ResultStream(Serializer serializer, RunningTask task, Sending sending, ChunkedByteBufferOutputStream to) {
        this.serializer = serializer;
        this.task = task;
        this.sending = sending;
        this.to = to;
    }

    @Override
    public <T> SerializationStream writeObject(T value, ClassTag<T> tag) {
        if (written) {
            throw new IllegalStateException("a task has one result");
        }
        written = true;
        try {
            // Spark does not count these towards the largest result size, and needs them before anything else.
            if (value instanceof MapStatus) {
                writeStock(value, tag);
                sending.meters().inline().inc();
            } else if (!sending.isReachable()) {
                writeStock(value, tag);
                boolean large = to.size() >= sending.minBytes();
                (large ? sending.meters().fallbacks() : sending.meters().inline()).inc();
            } else {
                divert(value, tag);
            }
        } catch (IOException e) {
            throw Rethrow.as(e);
        }
        return this;
    }

    private <T> void writeStock(T value, ClassTag<T> tag) {
        writeWhole(value, tag, to);
    }

    private <T> void writeWhole(T value, ClassTag<T> tag, OutputStream into) {
        SerializationStream out = serializer.newInstance().serializeStream(into);
        out.writeObject(value, tag);
        out.close();
    }

    /** False when the value is too large; then nothing is. */
    private <T> boolean writeSmall(T value, ClassTag<T> tag) throws IOException {
        SmallForm form = new SmallForm(sending.minBytes());
        try {
            writeWhole(value, tag, form);
        } catch (Throwable e) {
            if (!form.isTooLarge() || e instanceof VirtualMachineError) {
                throw e;
            }
        }
        if (form.isTooLarge()) {
            return false;
        }
        form.writeTo(to);
        return true;
    }

    private <T> void divert(T value, ClassTag<T> tag) throws IOException {
        Object[] sliced = sending.slicesArrays() && value instanceof Object[] array && array.length > 1 ? array : null;
        Diversion diversion = sliced == null
                ? new Diversion(task, sending, Sending.VALUE, sending.minBytes())
                : new Diversion(task, sending, Sending.SLICES, 0);
        try {
            if (sliced == null) {
                writeWhole(value, tag, diversion);
            } else if (writeSmall(value, tag)) {
                sending.meters().inline().inc();
                return;
            } else {
                ArraySlices.write(serializer.newInstance(), sliced, diversion);
            }
            if (!diversion.isStreaming()) {
                diversion.writeHeldTo(to);
                sending.meters().inline().inc();
                return;
            }
            diversion.finish();
            to.write(sending.token().accepted(task.id()));
        } catch (Throwable e) {
            diversion.abandon(e);
            task.throwIfKilled();
            Throwable failure = diversion.failure();
            if (failure == null || failure instanceof Error || failure instanceof InterruptedIOException) {
                throw Rethrow.as(failure == null ? e : failure);
            }
            settle(value, tag, failure);
        }
    }

    /** The value is well, its way was not. */
    private <T> void settle(T value, ClassTag<T> tag, Throwable failure) throws IOException {
        if (failure instanceof UndeliveredResultException undelivered
                && undelivered.fate().verdict() != Verdict.LOST) {
            ResultFate fate = undelivered.fate();
            if (fate.verdict() == Verdict.REFUSED) {
                sending.meters().refused().inc();
            }
            if (fate.verdict() == Verdict.REFUSED && !fate.retriable()) {
                // Another attempt would be told the same: the driver aborts the stage when it meets this.
                to.write(sending.token().refused(task.id(), fate.reason()));
                return;
            }
            if (fate.verdict() == Verdict.CANCELLED) {
                throw new TaskKilledException(fate.reason()); // Spark has said so to the driver first
            }
            throw undelivered; // the stock way would take what the driver has no room for
        }
        sending.lost();
        if (sending.lostPolicy() == LostPolicy.STOCK) {
            LOG.warn("The result of task {} goes Spark's own way: {}", task.id(), failure.toString());
            sending.meters().fallbacks().inc();
            writeStock(value, tag);
        } else if (sending.lostPolicy() == LostPolicy.KILL && task.attempt() < sending.killedAttempts()) {
            throw new TaskKilledException("its result was lost: " + failure);
        } else {
            throw Rethrow.as(failure);
        }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        to.close();
    }
}
