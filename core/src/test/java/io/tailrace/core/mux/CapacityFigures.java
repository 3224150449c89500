// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.util.Arrays;
import java.util.Locale;

/**
 * What a run has measured, times in nanoseconds.
 *
 * @param sharing connections that got credit for their results to share
 * @param peak receive memory live at once
 * @param credit from each wish for credit to the first of it
 * @param small from the beginning of each small result to its acceptance
 * @param finished when each executor had all its results accepted, from the beginning
 */
record CapacityFigures(
        Capacity of,
        int sharing,
        long peak,
        int accepted,
        Percentiles credit,
        Percentiles small,
        Percentiles finished,
        double jain,
        double throughput,
        double ofLink) {

    /** Of some durations; all are 0 of none. */
    record Percentiles(int count, long least, long median, long p99, long most) {

        static Percentiles of(long[] values, int count) {
            if (count == 0) {
                return new Percentiles(0, 0, 0, 0, 0);
            }
            long[] sorted = Arrays.copyOf(values, count);
            Arrays.sort(sorted);
            return new Percentiles(
                    count, sorted[0], sorted[count / 2], sorted[(int) (count * 0.99)], sorted[count - 1]);
        }
    }

    /** Jain's index of what each had per second: 1 where all had the same, 1/n where one had all. */
    static double jain(long[] durations) {
        double sum = 0;
        double squares = 0;
        for (long duration : durations) {
            double rate = 1e9 / duration;
            sum += rate;
            squares += rate * rate;
        }
        return sum * sum / (durations.length * squares);
    }

    static String heading() {
        return "| executors | long results | budget | chunk | shared credit of a connection | connections that have it"
                + " | receive memory, peak | wish for credit to credit, median / p99 | share that had to wish"
                + " | result of 1 KiB to its acceptance, median / p99 | Jain's index | first / last done"
                + " | of the link |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|";
    }

    String row() {
        return String.format(
                Locale.ROOT,
                "| %,d | %d × %s | %s | %s | %s | %,d | %s | %s / %s ms | %.2f | %s / %s ms | %.3f | %.2f | %.2f |",
                of.executors(),
                of.rounds(),
                size(of.bytes()),
                size(of.budget()),
                size(of.chunk()),
                size((long) of.sharedChunks() * of.chunk()),
                sharing,
                size(peak),
                millis(credit.median),
                millis(credit.p99),
                (double) credit.count / accepted,
                millis(small.median),
                millis(small.p99),
                jain,
                (double) finished.least / finished.most,
                ofLink);
    }

    private static String size(long bytes) {
        return bytes >= 1L << 30 && bytes % (1L << 30) == 0
                ? (bytes >> 30) + " GiB"
                : bytes >= 1L << 20
                        ? String.format(Locale.ROOT, "%.3g", bytes / 1048576.0).replaceAll("\\.0+$", "") + " MiB"
                        : (bytes >> 10) + " KiB";
    }

    private static String millis(long nanos) {
        double millis = nanos / 1e6;
        return String.format(Locale.ROOT, millis < 10 ? "%.2f" : "%,.0f", millis);
    }
}
