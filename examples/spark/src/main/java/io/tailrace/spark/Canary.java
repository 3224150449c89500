// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.spark.scheduler.DirectTaskResult;
import org.apache.spark.util.AccumulatorV2;
import org.apache.spark.util.io.ChunkedByteBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.collection.immutable.List$;

/**
 * Sees whether Spark's insides are as they are thought to be: before anything depends on it, and at every task.
 *
 * <p><b>Threads.</b> Any.
 */
final class Canary {

    private static final Logger LOG = LoggerFactory.getLogger(Canary.class);

    /** No task has it: they count up from 0. */
    private static final long NO_TASK = -1;

    private static final AtomicBoolean TOLD = new AtomicBoolean();

    private Canary() {}

    /** A token in a task result is met where a value would be read, and its value comes out. */
    static void requireClaims(Receiver receiver, TailraceSerializer serializer) throws InertException {
        Object value = new Object();
        Arrivals arrivals = receiver.arrivals();
        StageAttempt stage = new StageAttempt(-1, 0);
        StageTotals.Account account = receiver.totals().open(stage);
        Arrivals.Arrival arrival = arrivals.begin(NO_TASK, stage, account, reason -> {});
        Object claimed;
        try {
            Ends.receiver(receiver);
            arrivals.put(arrival, value);
            ChunkedByteBuffer bytes =
                    new ChunkedByteBuffer(ByteBuffer.wrap(receiver.token().accepted(NO_TASK)));
            DirectTaskResult<Object> result =
                    new DirectTaskResult<>(bytes, List$.MODULE$.<AccumulatorV2<?, ?>>empty(), new long[0]);
            claimed = result.value(serializer.newInstance());
        } catch (Throwable e) {
            throw new InertException("this Spark does not read task results as is known of it: " + e);
        } finally {
            Ends.receiver(null);
            arrivals.taskEnded(NO_TASK, false);
        }
        if (claimed != value) {
            throw new InertException("this Spark does not read task results as is known of it");
        }
    }

    /** What the hook looks for exists. */
    static void requireHook() throws InertException {
        try {
            Class.forName(ResultHook.RUNNER, false, Canary.class.getClassLoader())
                    .getMethod("run");
        } catch (ReflectiveOperationException e) {
            throw new InertException("this Spark does not run tasks as is known of it: " + e);
        }
    }

    /** Behind a task that succeeded: its result came by exactly once. */
    static void look(RunningTask task) {
        if (task.hits() != 1) {
            Ends.sending(null);
            if (TOLD.compareAndSet(false, true)) {
                LOG.warn("Tailrace stays inert in this executor: a task's result was met {} times", task.hits());
            }
        }
    }
}
