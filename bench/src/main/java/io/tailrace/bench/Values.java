// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.trino.tpch.Distributions;
import io.trino.tpch.LineItem;
import io.trino.tpch.LineItemGenerator;
import io.trino.tpch.TextPool;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Typed values, the same in every run: {@code ArrayList}s of one class, each a result.
 *
 * @param type of the values
 * @param results of all values; one, unless the question is what a result costs
 */
record Values<E>(Class<E> type, List<List<E>> results) {

    /** As many in a round; whole results of {@link #ROWS_OF_A_KIBIBYTE} each. */
    static final int COUNT = 360_000;

    private static final int ROWS_OF_A_KIBIBYTE = 18;

    /** So many results of 1 KiB are that many values. */
    static final int SMALL_RESULTS = COUNT / ROWS_OF_A_KIBIBYTE;

    /** Lines of it in a table of scale 1. */
    private static final double LINE_ITEMS = 6_001_215;

    static Values<?> named(String name, int count) {
        return switch (name) {
            case "rows" -> rows(count);
            case "ASCII rows" -> of(Workloads.Row.class, Workloads.asciiRows(count));
            case "usual rows" -> of(Workloads.Row.class, Workloads.usualRows(count));
            case "usual lines" -> of(String.class, Workloads.usualLines(count));
            case "lineitem" -> lineItems(count);
            case "lines" -> lines(count);
            case "results" -> smallResults(count);
            default -> throw new IllegalArgumentException(name);
        };
    }

    static Values<Workloads.Row> rows(int count) {
        return of(Workloads.Row.class, Workloads.rows(count));
    }

    /** The same rows, in results of about 1 KiB. */
    static Values<Workloads.Row> smallResults(int count) {
        List<Workloads.Row> rows = Arrays.asList(Workloads.rows(count));
        List<List<Workloads.Row>> results = new ArrayList<>();
        for (int from = 0; from < count; from += ROWS_OF_A_KIBIBYTE) {
            results.add(new ArrayList<>(rows.subList(from, Math.min(count, from + ROWS_OF_A_KIBIBYTE))));
        }
        return new Values<>(Workloads.Row.class, results);
    }

    /** The first rows of TPC-H's {@code lineitem}, but for the comments, which come from a small pool of text. */
    static Values<TableLine> lineItems(int count) {
        double scale = Math.max(0.01, 1.1 * count / LINE_ITEMS);
        Distributions distributions = Distributions.getDefaultDistributions();
        TextPool text = new TextPool(1 << 20, distributions);
        ArrayList<TableLine> lines = new ArrayList<>(count);
        for (LineItem item : new LineItemGenerator(scale, 1, 1, distributions, text)) {
            if (lines.size() == count) {
                break;
            }
            lines.add(TableLine.of(item));
        }
        if (lines.size() < count) {
            throw new IllegalStateException("scale " + scale + " has " + lines.size() + " lines only");
        }
        return new Values<>(TableLine.class, List.of(lines));
    }

    static Values<String> lines(int count) {
        return of(String.class, Workloads.lines(count));
    }

    private static <E> Values<E> of(Class<E> type, E[] values) {
        return new Values<>(type, List.of(new ArrayList<>(Arrays.asList(values))));
    }
}
