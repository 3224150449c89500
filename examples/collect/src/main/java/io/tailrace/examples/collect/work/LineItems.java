// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import io.tailrace.core.wire.WireOutput;
import io.trino.tpch.Distributions;
import io.trino.tpch.LineItem;
import io.trino.tpch.LineItemGenerator;
import io.trino.tpch.TextPool;
import java.io.IOException;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * TPC-H's {@code lineitem} as work: each task generates its part of the table, the driver answers query 1.
 *
 * <p><b>Threads.</b> Tasks run side by side; they share the pool of text, which is made under the lock by the first.
 */
public final class LineItems implements Work {

    /** How often, in rows, progress is told. */
    static final int STEP = 4096;

    private final double scale;
    private final int tasks;
    private @Nullable TextPool textPool;

    public LineItems(double scale, int tasks) {
        this.scale = scale;
        this.tasks = tasks;
    }

    /** About how many rows a table of that scale has: an order has one to seven lines, at random. */
    public static long expectedRows(double scale) {
        return Math.round(6_001_215 * scale);
    }

    /** The rows of one task, made while they are iterated over. */
    public Iterable<LineItem> rows(int task) {
        return new LineItemGenerator(scale, task + 1, tasks, Distributions.getDefaultDistributions(), textPool());
    }

    /** The generator's own pool of text takes 300 MB; from a small one only the comments differ, which query 1 skips. */
    private synchronized TextPool textPool() {
        TextPool pool = textPool;
        if (pool == null) {
            pool = new TextPool(1 << 20, Distributions.getDefaultDistributions());
            textPool = pool;
        }
        return pool;
    }

    @Override
    public String codecId() {
        return LineItemRow.CODEC.id();
    }

    @Override
    public void produce(int task, WireOutput out, LongConsumer progress) throws IOException {
        LineItemRow.CODEC.encode(new Told<>(rows(task).iterator(), LineItemRow::of, progress), out);
    }

    @Override
    public Answer emptyAnswer() {
        return new Query1();
    }

    @Override
    public @Nullable List<String> expected() {
        return expected(scale);
    }

    /** The published answer, which exists for scale factor 1. */
    public static @Nullable List<String> expected(double scale) {
        return scale == 1 ? Query1.PUBLISHED : null;
    }
}
