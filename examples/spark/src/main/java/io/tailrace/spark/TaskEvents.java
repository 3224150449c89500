// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.spark.Success$;
import org.apache.spark.executor.TaskMetrics;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Learns from Spark which results nobody will claim: those of tasks that ended otherwise, and of stages that no job needs.
 *
 * <p>A stage's own end tells nothing: tasks of an attempt that was given up may still bring results that count.
 *
 * <p><b>Threads.</b> The listener bus's.
 */
final class TaskEvents extends SparkListener {

    private static final String RESULT_TASK = "ResultTask";

    private final Arrivals arrivals;
    private final StageTotals totals;
    private final Map<Integer, Set<Integer>> stagesOfJobs = new HashMap<>();

    TaskEvents(Arrivals arrivals, StageTotals totals) {
        this.arrivals = arrivals;
        this.totals = totals;
    }

    @Override
    public void onJobStart(SparkListenerJobStart started) {
        Set<Integer> stages = new HashSet<>();
        CollectionConverters.asJava(started.stageIds()).forEach(stage -> stages.add((Integer) stage));
        stagesOfJobs.put(started.jobId(), stages);
    }

    @Override
    public void onJobEnd(SparkListenerJobEnd ended) {
        Set<Integer> stages = stagesOfJobs.remove(ended.jobId());
        if (stages != null) {
            stagesOfJobs.values().forEach(stages::removeAll);
            arrivals.stagesEnded(stages);
            totals.forget(stages);
        }
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd ended) {
        boolean success = ended.reason() == Success$.MODULE$;
        boolean streamed = arrivals.taskEnded(ended.taskInfo().taskId(), success);
        TaskMetrics metrics = ended.taskMetrics();
        if (success && !streamed && metrics != null && ended.taskType().equals(RESULT_TASK)) {
            totals.addInline(new StageAttempt(ended.stageId(), ended.stageAttemptId()), metrics.resultSize());
        }
    }
}
