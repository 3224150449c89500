// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.bench.RatioTable.Pace;
import io.tailrace.core.sink.FrameSink;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Takes the ratios to the floors, on a machine that is never quite idle: see {@link RatioTable}.
 *
 * <pre>java -cp benchmarks.jar io.tailrace.bench.Ratios [group|mux|all] [rounds] [minutes to wait for quiet]</pre>
 */
public final class Ratios {

    static final List<String> GROUPS = List.of(
            "encode",
            "lz4",
            "loopback",
            "outofband",
            "values",
            "values-loopback",
            "values-lz4",
            "values-heap",
            "serializers",
            "arrow",
            "mux-big",
            "mux-tls",
            "mux-small",
            "mux-stalled");

    private static final int WARMUP_ROUNDS = 15;

    private final Pace pace;
    private final int mebibytes;

    private Ratios(Pace pace, int mebibytes) {
        this.pace = pace;
        this.mebibytes = mebibytes;
    }

    public static void main(String[] args) throws Exception {
        boolean all = args.length == 0 || args[0].equals("all");
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 100;
        Duration patience = Duration.ofMinutes(args.length > 2 ? Long.parseLong(args[2]) : 4);
        List<String> groups = all ? GROUPS : args[0].equals("mux") ? MuxRatios.GROUPS : List.of(args[0]);
        for (String group : groups) {
            run(group, new Pace(WARMUP_ROUNDS, rounds, patience), Workloads.MEBIBYTES, Values.COUNT);
        }
    }

    static void run(String group, Pace pace, int mebibytes, int values) throws Exception {
        Ratios ratios = new Ratios(pace, mebibytes);
        switch (group) {
            case "encode" -> ratios.encode();
            case "lz4" -> ratios.lz4();
            case "loopback" -> ratios.loopback();
            case "outofband" -> ratios.outOfBand();
            case "values" -> ValueRatios.values(pace, values);
            case "values-loopback" -> ValueRatios.loopback(pace, mebibytes, values);
            case "values-lz4" -> ValueRatios.lz4(pace, values);
            case "values-heap" -> ValueHeap.print(pace, values);
            case "serializers" -> SerializerRatios.print(pace, values);
            case "arrow" -> ArrowRatios.print(pace, mebibytes);
            case "mux-big", "mux-tls", "mux-small", "mux-stalled" -> MuxRatios.print(group, pace, mebibytes, values);
            default -> throw new IllegalArgumentException(group);
        }
    }

    private void encode() throws Exception {
        RatioTable table = new RatioTable(pace, "MiB", mebibytes);
        long[] longs = Workloads.longs(mebibytes);
        double[] doubles = Workloads.doubles(mebibytes);
        byte[][] blobs = Workloads.blobs(mebibytes, Workloads.SMALL_BLOB);
        byte[][] large = Workloads.blobs(mebibytes, Workloads.LARGE_BLOB);
        Floors floor = new Floors();
        NullSink to = new NullSink();
        try (Encoding plain = Encoding.plain()) {
            table.floor("copy of longs", () -> floor.copy(longs));
            table.floor("copy of longs, and checksum", () -> floor.copyAndChecksum(longs));
            table.floor("copy of blobs", () -> floor.copy(blobs));
            table.floor("checksum of blobs", () -> floor.checksum(blobs));
            table.contender("longs", () -> plain.longs(longs, to), "copy of longs");
            table.contender(
                    "longs, checksum in the floor", () -> plain.longs(longs, to), "copy of longs, and checksum");
            table.contender("doubles", () -> plain.doubles(doubles, to), "copy of longs");
            table.contender("longs, one by one", () -> plain.longsOneByOne(longs, to), "copy of longs");
            table.contender("blobs of 64 KiB", () -> plain.blobs(blobs, to), "copy of blobs");
            table.contender("blobs of 1 MiB", () -> plain.blobs(large, to), "copy of blobs");
            table.contender("blobs of 64 KiB, out of band", () -> plain.blobsOutOfBand(blobs, to), "checksum of blobs");
            table.contender("blobs of 1 MiB, out of band", () -> plain.blobsOutOfBand(large, to), "checksum of blobs");
            table.run("Encode alone, " + mebibytes + " MiB");
        }
    }

    private void lz4() throws Exception {
        RatioTable table = new RatioTable(pace, "MiB", mebibytes);
        byte[][] blobs = Workloads.blobs(mebibytes, Workloads.SMALL_BLOB);
        byte[][] large = Workloads.blobs(mebibytes, Workloads.LARGE_BLOB);
        Floors floor = new Floors();
        NullSink to = new NullSink();
        try (Encoding lz4 = Encoding.lz4()) {
            table.floor("LZ4 of blobs of 64 KiB", () -> floor.lz4(blobs));
            table.floor("LZ4 of blobs of 1 MiB", () -> floor.lz4(large));
            table.contender("blobs of 64 KiB", () -> lz4.blobs(blobs, to), "LZ4 of blobs of 64 KiB");
            table.contender("blobs of 1 MiB", () -> lz4.blobs(large, to), "LZ4 of blobs of 1 MiB");
            table.contender(
                    "blobs of 64 KiB, out of band", () -> lz4.blobsOutOfBand(blobs, to), "LZ4 of blobs of 64 KiB");
            table.contender(
                    "blobs of 1 MiB, out of band", () -> lz4.blobsOutOfBand(large, to), "LZ4 of blobs of 1 MiB");
            table.run("LZ4, native, ratio " + (double) floor.lz4(blobs) / ((long) mebibytes << 20));
        }
    }

    private void loopback() throws Exception {
        RatioTable table = new RatioTable(pace, "MiB", mebibytes);
        long[] longs = Workloads.longs(mebibytes);
        byte[][] large = Workloads.blobs(mebibytes, Workloads.LARGE_BLOB);
        long bytes = (long) mebibytes << 20;
        ExecutorService sending = Executors.newCachedThreadPool();
        try (Loopback over = new Loopback();
                Encoding plain = Encoding.of(64 << 10, 8, null);
                Encoding wide = Encoding.of(1 << 20, 2, null);
                Encoding threaded = Encoding.of(64 << 10, 8, sending);
                Encoding ahead = Encoding.of(64 << 10, 32, sending);
                Encoding larger = Encoding.of(256 << 10, 8, sending)) {
            List<String> raw = new ArrayList<>();
            for (int kib : new int[] {16, 64, 256, 1_024}) {
                ByteBuffer block = ByteBuffer.allocateDirect(kib << 10);
                raw.add("raw, " + kib + " KiB blocks");
                table.floor("raw, " + kib + " KiB blocks", () -> over.sendRaw(bytes, block));
            }
            String[] floor = raw.toArray(new String[0]);
            FrameSink to = over.sink();
            table.floor("copied, then sent, 64 KiB", () -> over.copyAndSend(longs, 64 << 10));
            table.floor("copied, then sent, 1 MiB", () -> over.copyAndSend(longs, 1 << 20));
            table.contender("longs", () -> plain.longs(longs, to) + over.awaitReceived(), floor);
            table.contender("longs, chunks of 1 MiB", () -> wide.longs(longs, to) + over.awaitReceived(), floor);
            table.contender("longs, threaded", () -> threaded.longs(longs, to) + over.awaitReceived(), floor);
            table.contender("longs, threaded, window 32", () -> ahead.longs(longs, to) + over.awaitReceived(), floor);
            table.contender(
                    "longs, threaded, chunks of 256 KiB", () -> larger.longs(longs, to) + over.awaitReceived(), floor);
            table.contender("blobs of 1 MiB", () -> plain.blobs(large, to) + over.awaitReceived(), floor);
            table.contender(
                    "the same, threaded, window 32", () -> ahead.blobs(large, to) + over.awaitReceived(), floor);
            table.contender(
                    "the same, threaded, chunks of 256 KiB",
                    () -> larger.blobs(large, to) + over.awaitReceived(),
                    floor);
            table.contender(
                    "the same, out of band", () -> plain.blobsOutOfBand(large, to) + over.awaitReceived(), floor);
            table.contender(
                    "the same, out of band, threaded, window 32",
                    () -> ahead.blobsOutOfBand(large, to) + over.awaitReceived(),
                    floor);
            table.contender(
                    "the same, out of band, threaded, chunks of 256 KiB",
                    () -> larger.blobsOutOfBand(large, to) + over.awaitReceived(),
                    floor);
            table.run("Encode and send over loopback, " + mebibytes + " MiB");
        } finally {
            sending.shutdown();
        }
    }

    /**
     * From which size on is it faster to send a blob by reference than to copy it? Encoders copy below half a chunk,
     * so smaller blobs go by reference out of smaller chunks; a window is counted in chunks.
     */
    private void outOfBand() throws Exception {
        RatioTable table = new RatioTable(pace, "MiB", mebibytes);
        byte[] bytes = Workloads.blobs(mebibytes, mebibytes << 20)[0];
        NullSink drop = new NullSink();
        List<Encoding> open = new ArrayList<>();
        try (Loopback over = new Loopback();
                Encoding plain = Encoding.plain()) {
            FrameSink to = over.sink();
            for (int kib = 1; kib <= 256; kib *= 2) {
                int piece = kib << 10;
                Encoding reference = Encoding.of(Math.min(64 << 10, 2 * piece), 8, null);
                open.add(reference);
                String blobs = "blobs of " + kib + " KiB";
                String sent = blobs + ", over loopback";
                table.floor(blobs, () -> plain.pieces(bytes, piece, drop));
                table.contender(blobs + ", by reference", () -> reference.piecesOutOfBand(bytes, piece, drop), blobs);
                table.floor(sent, () -> plain.pieces(bytes, piece, to) + over.awaitReceived());
                table.contender(
                        sent + ", by reference",
                        () -> reference.piecesOutOfBand(bytes, piece, to) + over.awaitReceived(),
                        sent);
            }
            table.run("By reference beside in band, " + mebibytes + " MiB");
        } finally {
            open.forEach(Encoding::close);
        }
    }
}
