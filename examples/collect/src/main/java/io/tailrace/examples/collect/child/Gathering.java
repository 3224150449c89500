// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.WireInput;
import io.tailrace.examples.collect.work.Answer;
import io.tailrace.examples.collect.work.LineItems;
import io.tailrace.examples.collect.work.Work;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The driver's collection of answers, one from each task.
 *
 * <p>Rows are folded while they arrive, into an answer of their own; it counts only when its result is complete. A
 * result that breaks off leaves nothing behind.
 *
 * <p><b>Threads.</b> Each decoding thread folds on its own; complete answers are put in under the lock.
 */
final class Gathering {

    /** Rows are folded and dropped, so a result may have any length; what is kept of it may not. */
    static final DecoderLimits LIMITS = DecoderLimits.DEFAULT
            .withWireBytes(Long.MAX_VALUE)
            .withPayloadBytes(Long.MAX_VALUE)
            .withTrailerBytes(1 << 10)
            .withValueBytes(1 << 20);

    private final Map<Long, Answer> answers = new TreeMap<>();
    private final Meter meter;
    private int tasks;
    private double scale;

    Gathering(Meter meter) {
        this.meter = meter;
    }

    /** Folds one result's rows as they come. */
    Answer fold(String codecId, WireInput in) throws IOException {
        Answer answer = Work.emptyAnswer(codecId);
        long[] told = {0};
        answer.fold(in, rows -> {
            meter.addRows(rows);
            meter.addPayloadBytes(in.position() - told[0]);
            told[0] = in.position();
        });
        return answer;
    }

    /** Counts an answer whose result came to its proper end. */
    synchronized void complete(long task, Answer answer, TaskMetrics metrics) throws IOException {
        if (answer.rows() != metrics.rows()) {
            throw new IOException("task " + task + " sent " + answer.rows() + " rows and says " + metrics.rows());
        }
        if (answers.isEmpty()) {
            tasks = metrics.tasks();
            scale = metrics.scale();
        } else if (tasks != metrics.tasks() || scale != metrics.scale()) {
            throw new IOException("task " + task + " is of another job");
        }
        if (answers.put(task, answer) != null) {
            throw new IOException("task " + task + " came twice");
        }
    }

    /** Tasks whose answers count. */
    synchronized int size() {
        return answers.size();
    }

    /** The answer of all tasks together. */
    synchronized Answer answer() throws IOException {
        for (long task = 0; task < Math.max(1, tasks); task++) {
            if (!answers.containsKey(task)) {
                throw new IOException("the result of task " + task + " is missing");
            }
        }
        Iterator<Answer> inOrder = answers.values().iterator();
        Answer whole = inOrder.next();
        inOrder.forEachRemaining(whole::append);
        return whole;
    }

    /** What the answer must be, as far as the results themselves tell; null if nobody knows. */
    synchronized @Nullable List<String> expected() {
        return LineItems.expected(scale);
    }
}
