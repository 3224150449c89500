// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.bench.RatioTable.Pace;
import io.tailrace.codec.Codecs;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.sink.FrameSink;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The groups of {@link Ratios} that are about typed values. */
final class ValueRatios {

    private ValueRatios() {}

    private interface Doing {
        long with(ValueContender<?> contender) throws IOException;
    }

    /** The rivals make bare bytes; Tailrace makes and reads frames with checksums. */
    static void values(Pace pace, int count) throws Exception {
        RatioTable table = new RatioTable(pace, "thousand values", count / 1e3);
        List<ValueContender<?>> open = new ArrayList<>();
        try {
            for (String workload : List.of("rows", "lineitem", "lines", "results")) {
                Values<?> values = Values.named(workload, count);
                Map<String, ValueContender<?>> contenders = new LinkedHashMap<>();
                for (String name : List.of("Fory", "Kryo", "Kryo by hand", "Tailrace")) {
                    ValueContender<?> contender = ValueContender.named(name, values);
                    contenders.put(name, contender);
                    open.add(contender);
                }
                if (workload.equals("results")) {
                    beside(table, "encode rows in results of 1 KiB", contenders, ValueContender::encode);
                } else {
                    beside(table, "encode " + workload, contenders, ValueContender::encode);
                    beside(table, "decode " + workload, contenders, ValueContender::decode);
                }
            }
            table.run("Typed values, text by " + Codecs.textAccess());
        } finally {
            open.forEach(ValueContender::close);
        }
    }

    private static void beside(RatioTable table, String what, Map<String, ValueContender<?>> contenders, Doing doing) {
        contenders.forEach((name, contender) -> {
            if (name.equals("Fory")) {
                table.floor(what + ", Fory", () -> doing.with(contender));
            } else {
                table.contender(what + ", " + name, () -> doing.with(contender), what + ", Fory");
            }
        });
        table.also("of Kryo", what + ", Tailrace", what + ", Kryo");
        table.also("of Kryo by hand", what + ", Tailrace", what + ", Kryo by hand");
    }

    /** Each workload beside raw sends of as many bytes as its frames have. */
    static void loopback(Pace pace, int mebibytes, int count) throws Exception {
        RatioTable table = new RatioTable(pace, "MiB", mebibytes);
        ExecutorService sending = Executors.newCachedThreadPool();
        try (Loopback over = new Loopback();
                Encoding plain = Encoding.of(64 << 10, 8, null);
                Encoding wide = Encoding.of(256 << 10, 8, null);
                Encoding threaded = Encoding.of(64 << 10, 8, sending);
                Encoding ahead = Encoding.of(64 << 10, 32, sending);
                Encoding wideThreaded = Encoding.of(256 << 10, 8, sending)) {
            FrameSink to = over.sink();
            for (String workload : List.of("rows", "lineitem", "lines", "long[]")) {
                TypedResult<?> result =
                        workload.equals("long[]") ? TypedResult.longs(mebibytes) : TypedResult.list(workload, count);
                long bytes = result.send(plain, new NullSink()).wireBytes();
                table.amount(bytes / (double) (1 << 20));
                String[] floor = rawSends(table, workload, over, bytes);
                sent(table, workload, over, () -> result.send(plain, to), floor);
                sent(table, workload + ", chunks of 256 KiB", over, () -> result.send(wide, to), floor);
                sent(table, workload + ", threaded", over, () -> result.send(threaded, to), floor);
                sent(table, workload + ", threaded, window 32", over, () -> result.send(ahead, to), floor);
                sent(
                        table,
                        workload + ", threaded, chunks of 256 KiB",
                        over,
                        () -> result.send(wideThreaded, to),
                        floor);
            }
            table.run("Typed values over loopback, text by " + Codecs.textAccess());
        } finally {
            sending.shutdown();
        }
    }

    private static String[] rawSends(RatioTable table, String workload, Loopback over, long bytes) {
        List<String> raw = new ArrayList<>();
        for (int kib : new int[] {16, 64, 256, 1_024}) {
            ByteBuffer block = ByteBuffer.allocateDirect(kib << 10);
            String name = String.format("%s, %.1f MiB raw, %d KiB blocks", workload, bytes / (double) (1 << 20), kib);
            raw.add(name);
            table.floor(name, () -> over.sendRaw(bytes, block));
        }
        String[] floor = raw.toArray(new String[0]);
        byte[] copied = new byte[Math.toIntExact(bytes)];
        for (int kib : new int[] {64, 1_024}) {
            String name = workload + ", as many bytes copied, then sent, " + kib + " KiB";
            table.contender(name, () -> over.copyAndSend(copied, kib << 10), floor);
        }
        return floor;
    }

    private interface Sent {
        ResultSummary once() throws IOException;
    }

    private static void sent(RatioTable table, String name, Loopback over, Sent sent, String[] floor) {
        table.contender(name, () -> sent.once().wireBytes() + over.awaitReceived(), floor);
    }

    /** Beside LZ4 alone, of the same payload in blocks of 64 KiB. Of random rows and lines it would leave nothing to compress. */
    static void lz4(Pace pace, int count) throws Exception {
        RatioTable table = new RatioTable(pace, "MiB", 0);
        Floors floor = new Floors();
        NullSink to = new NullSink();
        try (Encoding plain = Encoding.plain();
                Encoding lz4 = Encoding.lz4()) {
            for (String workload : List.of("usual rows", "lineitem", "usual lines")) {
                TypedResult<?> result = TypedResult.list(workload, count);
                byte[][] payload = {result.payload()};
                table.amount(payload[0].length / (double) (1 << 20));
                String raw = String.format(
                        "LZ4 of the payload of %s, ratio %.2f",
                        workload, (double) floor.lz4(payload) / payload[0].length);
                table.floor(raw, () -> floor.lz4(payload));
                table.floor(
                        workload + ", encoded without LZ4",
                        () -> result.send(plain, to).wireBytes());
                table.contender(
                        workload + ", encoded with LZ4",
                        () -> result.send(lz4, to).wireBytes(),
                        raw);
            }
            table.run("Typed values with LZ4, text by " + Codecs.textAccess());
        }
    }
}
