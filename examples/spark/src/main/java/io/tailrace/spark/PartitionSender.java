// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.serializer.SerializationStream;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * What an executor does with a partition: its iterator is written as it goes, and the task's result is the number of elements.
 *
 * @param gathering for whom
 */
record PartitionSender<T>(long gathering) implements FlatMapFunction<Iterator<T>, Long> {

    private static final ClassTag<Object> ANY = ClassTag$.MODULE$.apply(Object.class);

    /** What a payload begins with: for whom, and which partition. */
    static final int HEADER_BYTES = Long.BYTES + Integer.BYTES;

    @Override
    public Iterator<Long> call(Iterator<T> elements) throws IOException {
        Sending sending = Ends.sending();
        if (sending == null) {
            throw new IllegalStateException("Tailrace is inert in this executor: its log says why");
        }
        RunningTask task = new RunningTask(TaskContext.get());
        Diversion diversion = new Diversion(task, sending, Sending.ELEMENTS, 0);
        try {
            diversion.write(ByteBuffer.allocate(HEADER_BYTES)
                    .putLong(gathering)
                    .putInt(TaskContext.getPartitionId())
                    .array());
            long count = write(elements, diversion);
            diversion.finish();
            return List.of(count).iterator();
        } catch (Throwable e) {
            diversion.abandon(e);
            task.throwIfKilled();
            Throwable failure = diversion.failure();
            if (failure instanceof UndeliveredResultException undelivered
                    && undelivered.fate().verdict() == Verdict.CANCELLED) {
                if (undelivered.fate().reason().equals(Gathering.COMPLETE)) {
                    return List.of(-1L).iterator(); // and this one does not know of how many elements
                }
                throw new TaskKilledException(undelivered.fate().reason());
            }
            throw Rethrow.as(failure == null ? e : failure);
        }
    }

    private long write(Iterator<T> elements, Diversion to) {
        TailraceSerializer serializer = (TailraceSerializer) SparkEnv.get().serializer();
        SerializationStream out = serializer.delegate().newInstance().serializeStream(to);
        long count = 0;
        while (elements.hasNext()) {
            out.writeObject(elements.next(), ANY);
            count++;
        }
        out.close();
        return count;
    }
}
