// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import io.tailrace.examples.collect.child.Child.Role;
import io.tailrace.examples.collect.child.Report;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All memory of one child that has to do with results.
 *
 * @param liveBytes serialised bytes live when it ended: of the pool, or what stock mode holds
 * @param peakLiveBytes the most of them ever
 * @param nettyBytes the most direct memory of Netty's, as sampled
 * @param jdkBytes the most direct memory of the JDK's own count, as sampled
 * @param heapBytes the most heap that outlived a full collection; the pool is part of it; 0 if nobody looked
 * @param diskBytes the most that was spilled at once
 */
record ProcessMemory(
        String name,
        Role role,
        long liveBytes,
        long peakLiveBytes,
        long nettyBytes,
        long jdkBytes,
        long heapBytes,
        long diskBytes) {

    static ProcessMemory of(ChildProcess child) {
        String said = child.last(Report.MEMORY);
        String[] numbers = (said == null ? "0 0 0 0" : said).split(" ", -1);
        return new ProcessMemory(
                child.name(),
                child.role(),
                Long.parseLong(numbers[0]),
                child.number(Report.PEAK_LIVE),
                Long.parseLong(numbers[1]),
                Long.parseLong(numbers[2]),
                child.number(Report.LIVE_HEAP),
                Long.parseLong(numbers[3]));
    }

    static long sumOfDisk(List<ProcessMemory> processes) {
        return processes.stream().mapToLong(ProcessMemory::diskBytes).sum();
    }

    /** A row each, for people. */
    static List<String> table(List<ProcessMemory> processes, boolean pool) {
        List<String> lines = new ArrayList<>();
        String of = pool ? "pool" : "held";
        lines.add(row("memory", of + " at end", of + ", most", "Netty", "JDK direct", "heap live", "disk"));
        for (ProcessMemory each : processes) {
            lines.add(row(
                    each.name,
                    shown(each.liveBytes),
                    shown(each.peakLiveBytes),
                    shown(each.nettyBytes),
                    shown(each.jdkBytes),
                    each.heapBytes == 0 ? "?" : shown(each.heapBytes),
                    shown(each.diskBytes)));
        }
        return lines;
    }

    private static String row(String... cells) {
        return String.format(Locale.ROOT, "  %-14s %11s %11s %11s %11s %11s %11s", (Object[]) cells);
    }

    private static String shown(long bytes) {
        return new ByteSize(bytes).toString();
    }

    Map<String, @Nullable Object> members() {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        members.put("process", name);
        members.put("poolBytesAtEnd", liveBytes);
        members.put("poolBytesAtMost", peakLiveBytes);
        members.put("nettyBytesAtMost", nettyBytes);
        members.put("jdkDirectBytesAtMost", jdkBytes);
        members.put("heapBytesLiveAtMost", heapBytes == 0 ? null : heapBytes);
        members.put("diskBytesAtMost", diskBytes);
        return members;
    }
}
