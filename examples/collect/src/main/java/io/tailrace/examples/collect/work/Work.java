// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** The two halves of a job: what a task writes on an executor, and what the driver makes of it. */
public sealed interface Work permits LineItems, TextLines {

    /** Names the layout of the rows, as the open frame carries it. */
    String codecId();

    /**
     * Writes the rows of one task. Their number is not known before the last one.
     *
     * @param progress is told now and then how many rows were written since it was last told
     */
    void produce(int task, WireOutput out, LongConsumer progress) throws IOException;

    /** An empty answer for one task's rows. */
    Answer emptyAnswer();

    /** What the answer must be; null if nobody knows. */
    @Nullable
    List<String> expected() throws IOException;

    /** The empty answer for rows that were found under a codec id. */
    static Answer emptyAnswer(String codecId) throws IOException {
        if (codecId.equals(LineItemRow.CODEC.id())) {
            return new Query1();
        }
        if (codecId.equals(TextLines.CODEC_ID)) {
            return new TextTally();
        }
        throw new IOException("rows of the unknown codec " + codecId);
    }
}
