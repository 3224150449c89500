// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.util.List;
import java.util.function.LongConsumer;

/** What a number of rows were folded into; answers of several tasks are appended to one another in the tasks' order. */
public sealed interface Answer permits Query1, TextTally {

    /**
     * Folds rows in as they arrive, until the payload ends.
     *
     * @param progress is told now and then how many rows were folded since it was last told
     */
    void fold(WireInput in, LongConsumer progress) throws IOException;

    /** Adds the answer of the rows that follow ours. */
    void append(Answer following);

    long rows();

    List<String> lines();
}
