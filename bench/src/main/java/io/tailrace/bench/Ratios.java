// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import com.sun.management.ThreadMXBean;
import io.tailrace.codec.Codecs;
import io.tailrace.core.sink.FrameSink;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Takes the ratios to the floors, on a machine that is never quite idle: all contenders run in turn, round after round,
 * in one JVM; a round in which others were busy does not count; each contender is compared with the floor of the same
 * round, and the median of those ratios is what is told.
 *
 * <pre>java -cp benchmarks.jar io.tailrace.bench.Ratios [encode|lz4|loopback|values|all] [rounds] [minutes to wait for quiet]</pre>
 */
public final class Ratios {

    private static final int MEBIBYTES = Workloads.MEBIBYTES;
    private static final int WARMUP_ROUNDS = 15;

    /** A round counts when all others together kept less than this of one processor busy. */
    private static final double MOST_OTHERS = 0.12;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private interface Contender {
        long run() throws Exception;
    }

    /** Of all Java threads, to the nanosecond; the process's own account counts hundredths of a second. */
    private static long processorNanos() {
        return Arrays.stream(THREADS.getThreadCpuTime(THREADS.getAllThreadIds()))
                .filter(nanos -> nanos > 0)
                .sum();
    }

    /** One contender's rounds: nanoseconds on the clock and of processor time. */
    private static final class Row {
        private final Contender contender;
        private final List<Long> clock = new ArrayList<>();
        private final List<Long> processor = new ArrayList<>();

        /** Keeps what the contender returns from being thrown away. */
        private long returned;

        private long lastClock;
        private long lastProcessor;

        Row(Contender contender) {
            this.contender = contender;
        }

        void run() throws Exception {
            long processorStart = processorNanos();
            long start = System.nanoTime();
            returned ^= contender.run();
            lastClock = System.nanoTime() - start;
            lastProcessor = processorNanos() - processorStart;
        }

        void keep(boolean counts) {
            if (counts && returned != Long.MIN_VALUE) {
                clock.add(lastClock);
                processor.add(lastProcessor);
            }
        }
    }

    private final Map<String, Row> rows = new LinkedHashMap<>();
    private final Map<String, List<String>> floors = new LinkedHashMap<>();

    private final Duration patience;

    /** What each contender does in a round. */
    private final double amount;

    private final String unit;

    private Ratios(Duration patience, double amount, String unit) {
        this.patience = patience;
        this.amount = amount;
        this.unit = unit;
    }

    public static void main(String[] args) throws Exception {
        boolean all = args.length == 0 || args[0].equals("all");
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 100;
        Duration patience = Duration.ofMinutes(args.length > 2 ? Long.parseLong(args[2]) : 4);
        for (String group : all ? List.of("encode", "lz4", "loopback", "values") : List.of(args[0])) {
            Ratios ratios = group.equals("values")
                    ? new Ratios(patience, Values.COUNT / 1e3, "thousand values")
                    : new Ratios(patience, MEBIBYTES, "MiB");
            switch (group) {
                case "encode" -> ratios.encode(rounds);
                case "lz4" -> ratios.lz4(rounds);
                case "loopback" -> ratios.loopback(rounds);
                case "values" -> ratios.values(rounds);
                default -> throw new IllegalArgumentException(group);
            }
        }
    }

    private void floor(String name, Contender contender) {
        rows.put(name, new Row(contender));
    }

    /** A contender and the floors whose best it is held against. */
    private void contender(String name, Contender contender, String... against) {
        rows.put(name, new Row(contender));
        floors.put(name, List.of(against));
    }

    private void encode(int rounds) throws Exception {
        long[] longs = Workloads.longs(MEBIBYTES);
        double[] doubles = Workloads.doubles(MEBIBYTES);
        byte[][] blobs = Workloads.blobs(MEBIBYTES, Workloads.SMALL_BLOB);
        byte[][] large = Workloads.blobs(MEBIBYTES, Workloads.LARGE_BLOB);
        Floors floor = new Floors();
        NullSink to = new NullSink();
        try (Encoding plain = Encoding.plain()) {
            floor("copy of longs", () -> floor.copy(longs));
            floor("copy of longs, and checksum", () -> floor.copyAndChecksum(longs));
            floor("copy of blobs", () -> floor.copy(blobs));
            floor("checksum of blobs", () -> floor.checksum(blobs));
            contender("longs", () -> plain.longs(longs, to), "copy of longs");
            contender("longs, checksum in the floor", () -> plain.longs(longs, to), "copy of longs, and checksum");
            contender("doubles", () -> plain.doubles(doubles, to), "copy of longs");
            contender("longs, one by one", () -> plain.longsOneByOne(longs, to), "copy of longs");
            contender("blobs of 64 KiB", () -> plain.blobs(blobs, to), "copy of blobs");
            contender("blobs of 1 MiB", () -> plain.blobs(large, to), "copy of blobs");
            contender("blobs of 64 KiB, out of band", () -> plain.blobsOutOfBand(blobs, to), "checksum of blobs");
            contender("blobs of 1 MiB, out of band", () -> plain.blobsOutOfBand(large, to), "checksum of blobs");
            run("Encode alone", rounds);
        }
    }

    private void lz4(int rounds) throws Exception {
        byte[][] blobs = Workloads.blobs(MEBIBYTES, Workloads.SMALL_BLOB);
        byte[][] large = Workloads.blobs(MEBIBYTES, Workloads.LARGE_BLOB);
        Floors floor = new Floors();
        NullSink to = new NullSink();
        try (Encoding lz4 = Encoding.lz4()) {
            floor("LZ4 of blobs of 64 KiB", () -> floor.lz4(blobs));
            floor("LZ4 of blobs of 1 MiB", () -> floor.lz4(large));
            contender("blobs of 64 KiB", () -> lz4.blobs(blobs, to), "LZ4 of blobs of 64 KiB");
            contender("blobs of 1 MiB", () -> lz4.blobs(large, to), "LZ4 of blobs of 1 MiB");
            contender("blobs of 64 KiB, out of band", () -> lz4.blobsOutOfBand(blobs, to), "LZ4 of blobs of 64 KiB");
            contender("blobs of 1 MiB, out of band", () -> lz4.blobsOutOfBand(large, to), "LZ4 of blobs of 1 MiB");
            run("LZ4, native, ratio " + (double) floor.lz4(blobs) / ((long) MEBIBYTES << 20), rounds);
        }
    }

    private void loopback(int rounds) throws Exception {
        long[] longs = Workloads.longs(MEBIBYTES);
        byte[][] large = Workloads.blobs(MEBIBYTES, Workloads.LARGE_BLOB);
        long bytes = (long) MEBIBYTES << 20;
        ExecutorService sending = Executors.newCachedThreadPool();
        try (Loopback over = new Loopback();
                Encoding plain = Encoding.of(64 << 10, 8, null);
                Encoding wide = Encoding.of(1 << 20, 2, null);
                Encoding threaded = Encoding.of(64 << 10, 8, sending);
                Encoding ahead = Encoding.of(64 << 10, 32, sending)) {
            List<String> raw = new ArrayList<>();
            for (int kib : new int[] {16, 64, 256, 1_024}) {
                ByteBuffer block = ByteBuffer.allocateDirect(kib << 10);
                raw.add("raw, " + kib + " KiB blocks");
                floor("raw, " + kib + " KiB blocks", () -> over.sendRaw(bytes, block));
            }
            String[] floor = raw.toArray(new String[0]);
            FrameSink to = over.sink();
            floor("copied, then sent, 64 KiB", () -> over.copyAndSend(longs, 64 << 10));
            floor("copied, then sent, 1 MiB", () -> over.copyAndSend(longs, 1 << 20));
            contender("longs", () -> plain.longs(longs, to) + over.awaitReceived(), floor);
            contender("longs, chunks of 1 MiB", () -> wide.longs(longs, to) + over.awaitReceived(), floor);
            contender("longs, threaded", () -> threaded.longs(longs, to) + over.awaitReceived(), floor);
            contender("longs, threaded, window 32", () -> ahead.longs(longs, to) + over.awaitReceived(), floor);
            contender("blobs of 1 MiB", () -> plain.blobs(large, to) + over.awaitReceived(), floor);
            contender("the same, threaded, window 32", () -> ahead.blobs(large, to) + over.awaitReceived(), floor);
            contender("the same, out of band", () -> plain.blobsOutOfBand(large, to) + over.awaitReceived(), floor);
            contender(
                    "the same, out of band, threaded, window 32",
                    () -> ahead.blobsOutOfBand(large, to) + over.awaitReceived(),
                    floor);
            run("Encode and send over loopback", rounds);
        } finally {
            sending.shutdown();
        }
    }

    /** The rivals make bare bytes; Tailrace makes and reads frames with checksums. */
    private void values(int rounds) throws Exception {
        List<ValueContender<?>> open = new ArrayList<>();
        try {
            for (String workload : List.of("rows", "lineitem", "lines", "results")) {
                Values<?> values = Values.named(workload, Values.COUNT);
                ValueContender<?> tailrace = ValueContender.tailrace(values);
                open.add(tailrace);
                ValueContender<?> kryo = ValueContender.kryo(values);
                open.add(kryo);
                ValueContender<?> fory = ValueContender.fory(values);
                open.add(fory);
                String encode = workload.equals("results") ? "encode rows in results of 1 KiB" : "encode " + workload;
                floor(encode + ", Fory", fory::encode);
                contender(encode + ", Kryo", kryo::encode, encode + ", Fory");
                contender(encode + ", Tailrace", tailrace::encode, encode + ", Fory");
                if (!workload.equals("results")) {
                    floor("decode " + workload + ", Fory", fory::decode);
                    contender("decode " + workload + ", Tailrace", tailrace::decode, "decode " + workload + ", Fory");
                }
            }
            run("Typed values, text by " + Codecs.textAccess(), rounds);
        } finally {
            open.forEach(ValueContender::close);
        }
    }

    private void run(String title, int rounds) throws Exception {
        for (int i = 0; i < WARMUP_ROUNDS; i++) {
            for (Row row : rows.values()) {
                row.run();
            }
        }
        OtherLoad others = new OtherLoad();
        long end = System.nanoTime() + patience.toNanos();
        int quiet = 0;
        int disturbed = 0;
        while (quiet < rounds && System.nanoTime() < end) {
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
                "%n%s; JDK %s, %d quiet rounds of %,.0f %s; %d disturbed ones do not count%n%n",
                title, Runtime.version(), quiet, amount, unit, disturbed);
        if (quiet > 0) {
            print();
        }
    }

    private void print() {
        System.out.println(
                "| | " + unit + "/s, median | best | per CPU second | of its floor: median | quartiles | by CPU |");
        System.out.println("|---|---|---|---|---|---|---|");
        rows.forEach((name, row) -> System.out.printf(
                "| %s | %,.0f | %,.0f | %,.0f | %s |%n",
                name,
                speed(quantile(row.clock, 0.5)),
                speed(quantile(row.clock, 0)),
                speed(quantile(row.processor, 0.5)),
                ratio(name, row)));
    }

    private String ratio(String name, Row row) {
        List<String> against = floors.get(name);
        if (against == null) {
            return "| |";
        }
        Row floor = null;
        for (String one : against) {
            Row candidate = rows.get(one);
            if (candidate != null && (floor == null || quantile(candidate.clock, 0.5) < quantile(floor.clock, 0.5))) {
                floor = candidate;
            }
        }
        if (floor == null) {
            throw new IllegalStateException("no floor for " + name);
        }
        double[] ratios = new double[row.clock.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = (double) floor.clock.get(i) / row.clock.get(i);
        }
        Arrays.sort(ratios);
        double byProcessor = (double) quantile(floor.processor, 0.5) / quantile(row.processor, 0.5);
        return String.format(
                "%.2f | %.2f … %.2f | %.2f",
                ratios[ratios.length / 2], ratios[ratios.length / 4], ratios[3 * ratios.length / 4], byProcessor);
    }

    private static long quantile(List<Long> values, double at) {
        long[] sorted = values.stream().mapToLong(Long::longValue).sorted().toArray();
        return sorted[(int) (at * (sorted.length - 1))];
    }

    private double speed(long nanos) {
        return amount * 1e9 / nanos;
    }
}
