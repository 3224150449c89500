// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.bench.RatioTable.Pace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The groups of {@link Ratios} that ask what it costs that many results share one connection. The processor's time is the
 * whole process's.
 */
final class MuxRatios {

    static final List<String> GROUPS = List.of("mux-big", "mux-tls", "mux-small", "mux-stalled");

    /** A round takes seconds, and there are several tables: fewer will do. */
    private static final int MOST_WARMUPS = 5;

    private static final List<String> WORKLOADS = List.of("long[] of 64 KiB", "blobs of 64 KiB", "rows");
    private static final int STALLED = 15;

    /** Rounds of less than a tenth of a second would be too short for the account of processor time. */
    private static final int SMALL_TIMES = 3;

    private MuxRatios() {}

    static void print(String group, Pace full, int mebibytes, int values) throws Exception {
        Pace pace = new Pace(Math.min(MOST_WARMUPS, full.warmups()), full.rounds(), full.patience());
        switch (group) {
            case "mux-big" -> big(pace, mebibytes, values);
            case "mux-tls" -> tls(pace, mebibytes, values);
            case "mux-small" -> small(pace, values);
            case "mux-stalled" -> stalled(pace, mebibytes, values);
            default -> throw new IllegalArgumentException(group);
        }
    }

    private static double mebibytes(long bytes) {
        return bytes / (double) (1 << 20);
    }

    /** Beside a plain socket with the same encoder: the same chunks, window and sending thread. */
    private static void big(Pace pace, int mebibytes, int values) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        try {
            for (String workload : WORKLOADS) {
                BigResult<?> result = BigResult.named(workload, mebibytes, values);
                RatioTable table = new RatioTable(pace, "MiB", mebibytes(result.wireBytes())).ofProcess();
                try (Encoding small = Encoding.of(64 << 10, 32, threads);
                        Encoding wide = Encoding.of(256 << 10, 8, threads);
                        BesidePlain chunks64 = new BesidePlain("chunks of 64 KiB, window 32", small, threads);
                        BesidePlain chunks256 = new BesidePlain("chunks of 256 KiB, window 8", wide, threads)) {
                    chunks64.enter(table, result);
                    chunks256.enter(table, result);
                    table.run(String.format("One result, %s, %.0f MiB", workload, mebibytes(result.wireBytes())));
                }
            }
        } finally {
            threads.shutdown();
        }
    }

    /** The connections of one encoder. Only the plain ones have its sending thread: the multiplexed one has its event loop. */
    private static final class BesidePlain implements AutoCloseable {
        private final String settings;
        private final PlainPair plain;
        private final PlainPair ahead;
        private final MuxPair mux;

        BesidePlain(String settings, Encoding encoding, ExecutorService threads) throws Exception {
            this.settings = settings;
            plain = new PlainPair(encoding, null);
            ahead = new PlainPair(encoding, threads);
            mux = MuxPair.ofBigResults(encoding, 0);
        }

        void enter(RatioTable table, BigResult<?> result) {
            String floor = "plain socket, " + settings;
            table.floor(floor, () -> plain.send(result).wireBytes());
            table.contender(
                    "the same, read ahead by one more thread, " + settings,
                    () -> ahead.send(result).wireBytes(),
                    floor);
            table.contender("multiplexed, " + settings, () -> mux.send(result).wireBytes(), floor);
        }

        @Override
        public void close() throws IOException {
            plain.close();
            ahead.close();
            mux.close();
        }
    }

    /** Beside what Netty's handler carries by itself, of as many bytes. */
    private static void tls(Pace pace, int mebibytes, int values) throws Exception {
        BigResult<?> result = BigResult.named("blobs of 64 KiB", mebibytes, values);
        long bytes = result.wireBytes();
        RatioTable table = new RatioTable(pace, "MiB", mebibytes(bytes)).ofProcess();
        TlsParties parties = new TlsParties();
        List<AutoCloseable> open = new ArrayList<>();
        try (TlsFloor bare = new TlsFloor(parties)) {
            List<String> floors = new ArrayList<>();
            for (int kib : new int[] {16, 64, 256, 1_024}) {
                String floor = "SslHandler alone, writes of " + kib + " KiB";
                floors.add(floor);
                table.floor(floor, () -> bare.send(bytes, kib << 10));
            }
            for (int kib : new int[] {64, 256}) {
                Encoding encoding = Encoding.of(kib << 10, 8, null);
                open.add(encoding);
                CodecAlone alone = new CodecAlone(encoding, result);
                table.floor(
                        "codec alone, no transport, chunks of " + kib + " KiB",
                        () -> alone.send(result).wireBytes());
            }
            for (int[] each : new int[][] {{64, 8}, {64, 32}, {256, 8}}) {
                int kib = each[0];
                int window = each[1];
                String settings = "chunks of " + kib + " KiB, window " + window;
                Encoding encoding = Encoding.of(kib << 10, window, null);
                open.add(encoding);
                MuxPair pair = MuxPair.ofBigResults(encoding, parties);
                open.add(pair);
                table.contender(
                        "multiplexed, " + settings, () -> pair.send(result).wireBytes(), floors.toArray(new String[0]));
            }
            table.run(String.format("TLS, one result of blobs of 64 KiB, %.0f MiB", mebibytes(bytes)));
        } finally {
            closeAll(open);
        }
    }

    private static void small(Pace pace, int values) throws Exception {
        Values<Workloads.Row> rows = Values.smallResults(values);
        Map<String, SmallResults> transports = new LinkedHashMap<>();
        try {
            transports.put("codec alone, no transport", SmallResults.codecAlone(rows));
            transports.put("gRPC, direct executor", SmallResults.grpc(rows, true));
            transports.put("gRPC, its own executor", SmallResults.grpc(rows, false));
            transports.put("multiplexed, one decoding thread", SmallResults.multiplexed(rows, 1));
            transports.put("multiplexed, two decoding threads", SmallResults.multiplexed(rows, 2));
            RatioTable table = new RatioTable(pace, "thousand results", 0).ofProcess();
            for (Map.Entry<String, SmallResults> each : transports.entrySet()) {
                SmallResults small = each.getValue();
                table.amount(SMALL_TIMES * small.count() / 1e3);
                if (each.getKey().startsWith("multiplexed")) {
                    table.contender(
                            each.getKey(),
                            () -> small.run(SMALL_TIMES),
                            "gRPC, direct executor",
                            "gRPC, its own executor");
                } else {
                    table.floor(each.getKey(), () -> small.run(SMALL_TIMES));
                }
            }
            table.run("Results of 1 KiB, " + SmallResults.OUTSTANDING + " under way");
            HeapOfAll heap = new HeapOfAll(pace, rows.results().size());
            for (Map.Entry<String, SmallResults> each : transports.entrySet()) {
                heap.print(each.getKey(), each.getValue()::run);
            }
        } finally {
            closeAll(new ArrayList<>(transports.values()));
        }
    }

    private static void stalled(Pace pace, int mebibytes, int values) throws Exception {
        BigResult<?> result = BigResult.named("blobs of 64 KiB", mebibytes, values);
        RatioTable table = new RatioTable(pace, "MiB", mebibytes(result.wireBytes())).ofProcess();
        try (Encoding free = Encoding.plain();
                Encoding shared = Encoding.plain();
                MuxPair alone = MuxPair.ofBigResults(free, 0);
                MuxPair beside = MuxPair.ofBigResults(shared, STALLED);
                Stalled others = new Stalled(STALLED)) {
            others.begin(beside, result);
            table.floor("alone", () -> alone.send(result).wireBytes());
            table.contender(
                    "beside " + STALLED + " that stand still",
                    () -> beside.send(result).wireBytes(),
                    "alone");
            table.run(String.format("One result of blobs of 64 KiB, %.0f MiB", mebibytes(result.wireBytes())));
        }
    }

    private static void closeAll(List<? extends AutoCloseable> open) throws Exception {
        Collections.reverse(open);
        for (AutoCloseable each : open) {
            each.close();
        }
    }
}
