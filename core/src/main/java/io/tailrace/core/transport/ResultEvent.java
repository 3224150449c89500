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
 * One result's stay on a connection, for Java Flight Recorder: from its opening to its fate, and what it waited for by
 * {@link StallCause}.
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

    @Label("Wait for Admission")
    @Timespan
    long admissionStall;

    @Label("Wait for the Pool")
    @Timespan
    long poolStall;

    @Label("Wait for the Window")
    @Timespan
    long windowStall;

    @Label("Wait for Credit")
    @Timespan
    long creditStall;

    @Label("Wait for the Link")
    @Timespan
    long linkStall;

    @Label("Wait for the Disk")
    @Timespan
    long diskStall;

    @Label("Wait for the Acknowledgement")
    @Timespan
    long acknowledgementStall;

    @Label("Wait for a Decoder")
    @Timespan
    long decoderStall;

    @Label("Wait for Bytes")
    @Timespan
    long bytesStall;

    @Label("Spilled Bytes")
    @DataAmount
    long spilledBytes;

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

    /** To be told before the end. */
    void stalled(StallCause cause, long nanos) {
        switch (cause) {
            case ADMISSION -> admissionStall = nanos;
            case POOL -> poolStall = nanos;
            case WINDOW -> windowStall = nanos;
            case CREDIT -> creditStall = nanos;
            case LINK -> linkStall = nanos;
            case DISK -> diskStall = nanos;
            case ACKNOWLEDGEMENT -> acknowledgementStall = nanos;
            case DECODER -> decoderStall = nanos;
            case BYTES -> bytesStall = nanos;
        }
    }

    void end(ResultFate fate, long bytes, long bytesSpilled) {
        if (!ended.compareAndSet(false, true)) {
            return;
        }
        end();
        verdict = fate.verdict().name();
        reason = fate.reason();
        frameBytes = bytes;
        spilledBytes = bytesSpilled;
        commit();
    }
}
