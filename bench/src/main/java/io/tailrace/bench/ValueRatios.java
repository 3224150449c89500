// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.bench.RatioTable.Pace;
import io.tailrace.codec.Codecs;
import java.util.ArrayList;
import java.util.List;

/** The groups of {@link Ratios} that are about typed values. */
final class ValueRatios {

    private ValueRatios() {}

    /** The rivals make bare bytes; Tailrace makes and reads frames with checksums. */
    static void values(Pace pace, int count) throws Exception {
        RatioTable table = new RatioTable(pace, "thousand values", count / 1e3);
        List<ValueContender<?>> open = new ArrayList<>();
        try {
            for (String workload : List.of("rows", "lineitem", "lines", "results")) {
                Values<?> values = Values.named(workload, count);
                ValueContender<?> tailrace = ValueContender.tailrace(values);
                open.add(tailrace);
                ValueContender<?> kryo = ValueContender.kryo(values);
                open.add(kryo);
                ValueContender<?> fory = ValueContender.fory(values);
                open.add(fory);
                String encode = workload.equals("results") ? "encode rows in results of 1 KiB" : "encode " + workload;
                beside(table, encode, tailrace::encode, kryo::encode, fory::encode);
                if (!workload.equals("results")) {
                    beside(table, "decode " + workload, tailrace::decode, kryo::decode, fory::decode);
                }
            }
            table.run("Typed values, text by " + Codecs.textAccess());
        } finally {
            open.forEach(ValueContender::close);
        }
    }

    private static void beside(
            RatioTable table,
            String name,
            RatioTable.Contender tailrace,
            RatioTable.Contender kryo,
            RatioTable.Contender fory) {
        table.floor(name + ", Fory", fory);
        table.contender(name + ", Kryo", kryo, name + ", Fory");
        table.contender(name + ", Tailrace", tailrace, name + ", Fory");
        table.also("of Kryo", name + ", Fory", name + ", Kryo");
        table.also("of Kryo", name + ", Tailrace", name + ", Kryo");
    }
}
