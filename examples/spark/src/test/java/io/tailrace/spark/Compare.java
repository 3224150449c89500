// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.ArrayList;
import java.util.List;

/** Spark's own collects and the plugin's, on real clusters of this machine: {@code examples/spark/compare} runs it. */
final class Compare {

    private Compare() {}

    public static void main(String[] arguments) throws Exception {
        List<Load> loads = new ArrayList<>();
        List<Way> ways = new ArrayList<>();
        for (String argument : List.of(arguments).subList(1, arguments.length)) {
            if (List.of(Way.values()).stream().anyMatch(way -> way.name().equals(argument))) {
                ways.add(Way.valueOf(argument));
            } else {
                loads.add(Load.valueOf(argument));
            }
        }
        System.out.println("Spark " + System.getProperty("tailrace.spark.version") + ", JDK "
                + Runtime.version().feature() + " " + ChildJvm.region());
        switch (arguments[0]) {
            case "elapsed" ->
                Elapsed.compare(
                        loads.isEmpty()
                                ? List.of(Load.BLOCKS, Load.OBJECTS, Load.LINEITEM, Load.LINEITEM_ROWS, Load.SMALL)
                                : loads);
            case "heaps" ->
                HeapFloor.find(
                        loads.isEmpty() ? List.of(Load.BLOCKS, Load.OBJECTS, Load.LINEITEM, Load.LINEITEM_ROWS) : loads,
                        ways.isEmpty() ? List.of(Way.values()) : ways);
            default -> throw new IllegalArgumentException(arguments[0] + " is neither elapsed nor heaps");
        }
    }
}
