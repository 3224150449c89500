// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Map;

/**
 * Contenders and floors, run in turn, round after round, in one JVM; a round in which others were busy does not count; each
 * contender is compared with the floor of the same round, and the median of those ratios is what is told.
 */
final class RatioTable {

    /** A round counts when all others together kept less than this of one processor busy. */
    private static final double MOST_OTHERS = 0.12;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final OperatingSystemMXBean PROCESS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /**
     * How long to go on.
     *
     * @param patience how long to wait for quiet
     */
    record Pace(int warmups, int rounds, Duration patience) {}

    interface Contender {
        long run() throws Exception;
    }

    /** One contender's rounds: nanoseconds on the clock, of processor time, and of its busiest thread's. */
    private final class Row {
        private final Contender contender;

        /** What it does in a round. */
        private final double amount;

        private final List<String> floors;
        private final List<Long> clock = new ArrayList<>();
        private final List<Long> processor = new ArrayList<>();
        private final List<Long> busiest = new ArrayList<>();

        /** Keeps what the contender returns from being thrown away. */
        private long returned;

        private long lastClock;
        private long lastProcessor;
        private long lastBusiest;

        Row(Contender contender, double amount, String... floors) {
            this.contender = contender;
            this.amount = amount;
            this.floors = List.of(floors);
        }

        void run() throws Exception {
            Map<Long, Long> threads = threadNanos();
            long processStart = PROCESS.getProcessCpuTime();
            long start = System.nanoTime();
            returned ^= contender.run();
            lastClock = System.nanoTime() - start;
            long process = PROCESS.getProcessCpuTime() - processStart;
            LongSummaryStatistics spent = threadNanos().entrySet().stream()
                    .mapToLong(now -> now.getValue() - threads.getOrDefault(now.getKey(), 0L))
                    .summaryStatistics();
            lastProcessor = ofProcess ? process : spent.getSum();
            lastBusiest = spent.getMax();
        }

        void keep(boolean counts) {
            if (counts && returned != Long.MIN_VALUE) {
                clock.add(lastClock);
                processor.add(lastProcessor);
                busiest.add(lastBusiest);
            }
        }

        double speed(long nanos) {
            return amount * 1e9 / nanos;
        }
    }

    private final Map<String, Row> rows = new LinkedHashMap<>();

    /** Of each further column of ratios, whom each row is held against. */
    private final Map<String, Map<String, String>> columns = new LinkedHashMap<>();

    private final Pace pace;
    private final String unit;
    private double amount;
    private boolean ofProcess;

    RatioTable(Pace pace, String unit, double amount) {
        this.pace = pace;
        this.unit = unit;
        this.amount = amount;
    }

    /**
     * Counts the processor time of the collector and the compiler too, in hundredths of a second: rounds must be long. And
     * compares the busiest Java threads, a hint at what is left where there is a processor for each.
     */
    RatioTable ofProcess() {
        ofProcess = true;
        return this;
    }

    /** What each contender that follows does in a round. */
    void amount(double units) {
        amount = units;
    }

    void floor(String name, Contender contender) {
        rows.put(name, new Row(contender, amount));
    }

    /** A contender and the floors whose best it is held against. */
    void contender(String name, Contender contender, String... against) {
        for (String floor : against) {
            require(floor);
        }
        rows.put(name, new Row(contender, amount, against));
    }

    /** Gives a row a ratio to another one besides, in a column of that heading. */
    void also(String heading, String name, String against) {
        require(name);
        require(against);
        columns.computeIfAbsent(heading, h -> new LinkedHashMap<>()).put(name, against);
    }

    private void require(String name) {
        if (!rows.containsKey(name)) {
            throw new IllegalArgumentException("no row " + name);
        }
    }

    void run(String title) throws Exception {
        for (int i = 0; i < pace.warmups(); i++) {
            for (Row row : rows.values()) {
                row.run();
            }
        }
        OtherLoad others = new OtherLoad();
        long end = System.nanoTime() + pace.patience().toNanos();
        int quiet = 0;
        int disturbed = 0;
        while (quiet < pace.rounds() && System.nanoTime() < end) {
            others.begin();
            Thread.sleep(100);
            if (others.processors() > MOST_OTHERS) {
                continue; // whoever it is shall get done
            }
            others.begin();
            for (Row row : rows.values()) {
                row.run();
            }
            boolean counts = others.processors() <= MOST_OTHERS;
            for (Row row : rows.values()) {
                row.keep(counts);
            }
            quiet += counts ? 1 : 0;
            disturbed += counts ? 0 : 1;
        }
        System.out.printf(
                "%n%s; JDK %s, %d quiet rounds; %d disturbed ones do not count%n%n",
                title, Runtime.version(), quiet, disturbed);
        if (quiet > 0) {
            print();
        }
    }

    private void print() {
        String ratios = "median | quartiles | by CPU |" + (ofProcess ? " by the busiest thread |" : "");
        StringBuilder heading =
                new StringBuilder("| | " + unit + "/s, median | best | per CPU second | of its floor: " + ratios);
        columns.keySet()
                .forEach(column ->
                        heading.append(" ").append(column).append(": ").append(ratios));
        System.out.println(heading);
        System.out.println(
                "|---|---|---|---|" + (ofProcess ? "---|---|---|---|" : "---|---|---|").repeat(1 + columns.size()));
        rows.forEach((name, row) -> {
            System.out.printf(
                    "| %s | %,.0f | %,.0f | %,.0f | %s |",
                    name,
                    row.speed(quantile(row.clock, 0.5)),
                    row.speed(quantile(row.clock, 0)),
                    row.speed(quantile(row.processor, 0.5)),
                    ratio(row, row.floors));
            columns.values().forEach(column -> {
                String against = column.get(name);
                System.out.printf(" %s |", ratio(row, against == null ? List.of() : List.of(against)));
            });
            System.out.println();
        });
    }

    private String ratio(Row row, List<String> against) {
        Row floor = null;
        for (String one : against) {
            Row candidate = rows.get(one);
            if (candidate != null && (floor == null || quantile(candidate.clock, 0.5) < quantile(floor.clock, 0.5))) {
                floor = candidate;
            }
        }
        if (floor == null) {
            return ofProcess ? "| | |" : "| |";
        }
        double[] ratios = new double[row.clock.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = (double) floor.clock.get(i) / row.clock.get(i);
        }
        Arrays.sort(ratios);
        String told = String.format(
                "%.2f | %.2f … %.2f | %.2f",
                ratios[ratios.length / 2],
                ratios[ratios.length / 4],
                ratios[3 * ratios.length / 4],
                ofMedians(floor.processor, row.processor));
        return ofProcess ? told + String.format(" | %.2f", ofMedians(floor.busiest, row.busiest)) : told;
    }

    private static double ofMedians(List<Long> floor, List<Long> row) {
        return (double) quantile(floor, 0.5) / quantile(row, 0.5);
    }

    private static long quantile(List<Long> values, double at) {
        long[] sorted = values.stream().mapToLong(Long::longValue).sorted().toArray();
        return sorted[(int) (at * (sorted.length - 1))];
    }

    /** Of each Java thread, to the nanosecond; the process's own account counts hundredths of a second. */
    private static Map<Long, Long> threadNanos() {
        long[] ids = THREADS.getAllThreadIds();
        long[] nanos = THREADS.getThreadCpuTime(ids);
        Map<Long, Long> known = new HashMap<>();
        for (int i = 0; i < ids.length; i++) {
            if (nanos[i] > 0) {
                known.put(ids[i], nanos[i]);
            }
        }
        return known;
    }
}
