// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.util.Arrays;
import java.util.Locale;

/**
 * What a run has measured, times in nanoseconds.
 *
 * @param sharing connections that got credit for their results to share
 * @param peak receive memory live at once
 * @param admitted results that began
 * @param credit from each wish for credit to the first of it
 * @param longOnes from the beginning of each long result to its acceptance
 * @param small likewise of each small one
 * @param jain index of the executors' bytes per second
 */
record CapacityFigures(
        Capacity of,
        int sharing,
        long peak,
        int admitted,
        Percentiles credit,
        Percentiles longOnes,
        Percentiles small,
        double jain,
        double ofLink,
        double resultsPerSecond) {

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

    int accepted() {
        return longOnes.count + small.count;
    }

    static String heading() {
        return "| executors | results, each | budget | chunk | `sharedChunks` | decoders | connections with shared credit"
                + " | memory, peak | had to wish | wish to credit, median / 99 % | long result, least / median / 99 %"
                + " | of 1 KiB, median / 99 % | Jain | of the link | results/s |\n|"
                + "---|".repeat(15);
    }

    String row() {
        return String.format(
                Locale.ROOT,
                "| %,d | %d × %s | %s | %s | %d | %d | %,d | %s | %.0f %% | %s / %s | %s / %s / %s | %s / %s"
                        + " | %.3f | %.2f | %,.0f |",
                of.executors(),
                of.rounds(),
                size(of.bytes()),
                size(of.budget()),
                size(of.chunk()),
                of.sharedChunks(),
                of.mostDecoded(),
                sharing,
                size(peak),
                100.0 * credit.count / admitted,
                millis(credit.median),
                millis(credit.p99),
                millis(longOnes.least),
                millis(longOnes.median),
                millis(longOnes.p99),
                millis(small.median),
                millis(small.p99),
                jain,
                ofLink,
                resultsPerSecond);
    }

    private static String size(long bytes) {
        if (bytes < 1 << 20) {
            return (bytes >> 10) + " KiB";
        }
        if (bytes == 1 << 30) {
            return "1 GiB";
        }
        return String.format(Locale.ROOT, bytes % (1 << 20) == 0 ? "%,.0f MiB" : "%,.1f MiB", bytes / 1048576.0);
    }

    private static String millis(long nanos) {
        double millis = nanos / 1e6;
        return String.format(Locale.ROOT, millis < 10 ? "%.1f" : "%,.0f", millis);
    }
}
