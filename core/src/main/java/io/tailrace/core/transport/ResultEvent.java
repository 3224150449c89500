// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultId;
import java.util.concurrent.atomic.AtomicBoolean;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/**
 * One result's stay on a connection, for Java Flight Recorder: from its opening to its fate.
 *
 * <p><b>Threads.</b> Begun by one thread, ended by another, which learnt of it through the result's fate.
 */
@Name("io.tailrace.Result")
@Label("Tailrace Result")
@Category("Tailrace")
@Description("A result that was sent or received over a multiplexed connection")
@StackTrace(false)
final class ResultEvent extends Event {

    @Label("Direction")
    String direction = "";

    @Label("Job")
    String job = "";

    @Label("Stage")
    long stage;

    @Label("Task")
    long task;

    @Label("Attempt")
    int attempt;

    @Label("Verdict")
    String verdict = "";

    @Label("Reason")
    String reason = "";

    @Label("Frame Bytes")
    @DataAmount
    long frameBytes;

    @Label("Wait for Credit")
    @Timespan
    long creditStall;

    @Label("Spilled")
    boolean spilled;

    private final AtomicBoolean ended = new AtomicBoolean();

    /** Null unless somebody records. */
    static @Nullable ResultEvent begin(String direction, ResultId id) {
        ResultEvent event = new ResultEvent();
        if (!event.isEnabled()) {
            return null;
        }
        event.direction = direction;
        event.job = id.job();
        event.stage = id.stage();
        event.task = id.task();
        event.attempt = id.attempt();
        event.begin();
        return event;
    }

    void end(ResultFate fate, long bytes, long creditStallNanos, boolean wasSpilled) {
        if (!ended.compareAndSet(false, true)) {
            return;
        }
        end();
        verdict = fate.verdict().name();
        reason = fate.reason();
        frameBytes = bytes;
        creditStall = creditStallNanos;
        spilled = wasSpilled;
        commit();
    }
}
