// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import io.tailrace.examples.collect.child.Child.Role;
import io.tailrace.examples.collect.child.Job;
import io.tailrace.examples.collect.child.Job.Mode;
import io.tailrace.examples.collect.child.Report;
import io.tailrace.examples.collect.work.Query1;
import java.io.IOException;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a run has to say.
 *
 * @param answerMatches null if nobody knows the right answer
 * @param seconds from the first connection to the last row folded
 * @param firstByteMicros from a task's start to its first payload byte at the socket or file, median of the tasks
 * @param tasksSeconds from an executor's first task to the end of its last, of the slowest executor
 * @param outOfMemory the side that ran out of memory, null if none did
 * @param failure why there is no answer, null if there is one
 */
record Summary(
        Job job,
        ByteSize heap,
        Counts counts,
        List<String> answer,
        @Nullable Boolean answerMatches,
        double seconds,
        long firstByteMicros,
        double tasksSeconds,
        long spilledResults,
        List<ProcessMemory> processes,
        String compression,
        @Nullable String outOfMemory,
        @Nullable String failure,
        List<Samples> samples) {

    static Summary of(Job job, ByteSize heap, List<ChildProcess> children) throws IOException {
        List<ChildProcess> failed = children.stream()
                .filter(ChildProcess::failed)
                .sorted(Comparator.comparing(child -> !child.ranOutOfMemory())) // causes before consequences
                .toList();
        List<Samples> samples = new ArrayList<>();
        for (ChildProcess child : children) {
            samples.add(Samples.of(child));
        }
        return new Summary(
                job,
                heap,
                Counts.of(children),
                said(children, Report.ANSWER).toList(),
                said(children, Report.MATCHES)
                        .filter(text -> !text.equals("null"))
                        .map(Boolean::valueOf)
                        .findFirst()
                        .orElse(null),
                said(children, Report.SECONDS)
                        .mapToDouble(Double::parseDouble)
                        .max()
                        .orElse(0),
                median(said(children, Report.FIRST_BYTE)
                        .map(Long::valueOf)
                        .sorted()
                        .toList()),
                said(children, Report.TASKS_ENDED)
                        .mapToDouble(Double::parseDouble)
                        .max()
                        .orElse(0),
                said(children, Report.SPILLED).mapToLong(Long::parseLong).sum(),
                children.stream().map(ProcessMemory::of).toList(),
                said(children, Report.COMPRESSION).findFirst().orElse("none"),
                failed.stream()
                        .filter(ChildProcess::ranOutOfMemory)
                        .map(child -> child.role().name().toLowerCase(Locale.ROOT))
                        .findFirst()
                        .orElse(null),
                failed.isEmpty()
                        ? null
                        : failed.stream().map(ChildProcess::failure).collect(Collectors.joining("; ")),
                samples);
    }

    private static Stream<String> said(List<ChildProcess> children, Report report) {
        return children.stream().flatMap(child -> child.all(report).stream());
    }

    private long largest(Role role, ToLongFunction<ProcessMemory> number) {
        return processes.stream()
                .filter(process -> process.role() == role)
                .mapToLong(number)
                .max()
                .orElse(0);
    }

    /** The most serialised bytes live in one executor; in tailrace mode the pool's own count. */
    private long peakLiveBytes() {
        return largest(job.from().isEmpty() ? Role.EXECUTOR : Role.DRIVER, ProcessMemory::peakLiveBytes);
    }

    private static long median(List<Long> sorted) {
        return sorted.isEmpty() ? 0 : sorted.get(sorted.size() / 2);
    }

    String mode() {
        return job.mode().name().toLowerCase(Locale.ROOT);
    }

    /** The scale factor as people write it. */
    String scale() {
        return new DecimalFormat("0.######", DecimalFormatSymbols.getInstance(Locale.ROOT)).format(job.scale());
    }

    int exitCode() {
        if (outOfMemory != null) {
            return 3;
        }
        return failure != null || Objects.equals(answerMatches, false) ? 1 : 0;
    }

    long windowBytes() {
        return (long) job.window() * job.chunkBytes();
    }

    /** The first run's summary; another one's inside it, under its mode's name. */
    static String json(List<Summary> summaries) {
        Map<String, @Nullable Object> members = summaries.get(0).members();
        for (Summary other : summaries.subList(1, summaries.size())) {
            members.put(other.mode(), other.members());
        }
        return Json.of(members);
    }

    private Map<String, @Nullable Object> members() {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        members.put("mode", mode());
        members.put("transport", transport());
        members.put("scale", job.text() == null ? job.scale() : null);
        members.put("file", job.text());
        members.put("rows", counts.rows());
        members.put("answer", answer);
        members.put("answerMatches", answerMatches);
        members.put("payloadBytes", counts.payloadBytes());
        members.put("wireBytes", counts.wireBytes());
        members.put("seconds", seconds == 0 ? null : seconds);
        members.put("firstByteMicros", measured(firstByteMicros));
        members.put("windowBytes", job.mode() == Mode.TAILRACE ? windowBytes() : null);
        members.put("budgetBytes", job.mode() == Mode.TAILRACE ? job.budgetBytes(Role.EXECUTOR) : null);
        members.put("driverBudgetBytes", job.mode() == Mode.TAILRACE ? job.budgetBytes(Role.DRIVER) : null);
        members.put("peakLiveBytes", peakLiveBytes());
        members.put("driverPeakLiveBytes", largest(Role.DRIVER, ProcessMemory::peakLiveBytes));
        members.put("driverLiveHeapBytes", measured(largest(Role.DRIVER, ProcessMemory::heapBytes)));
        members.put("executorLiveHeapBytes", measured(largest(Role.EXECUTOR, ProcessMemory::heapBytes)));
        members.put("spilledBytes", ProcessMemory.sumOfDisk(processes));
        members.put("spilledResults", spilledResults);
        members.put("slowSeconds", job.slowSeconds());
        members.put("tasksSeconds", tasksSeconds == 0 ? null : tasksSeconds);
        members.put("heapBytes", heap.bytes());
        members.put("executors", job.executors());
        members.put("tasks", job.tasks());
        members.put("tasksAtOnce", job.tasksAtOnce());
        members.put("chunkBytes", job.chunkBytes());
        members.put("compression", compression);
        members.put("sending", job.threaded() ? "threaded" : "sync");
        members.put("outOfMemory", outOfMemory);
        members.put("failure", failure);
        members.put("exitCode", exitCode());
        members.put("processes", processes.stream().map(ProcessMemory::members).toList());
        return members;
    }

    /** A process that is not there, or that died before it was looked at, has no heap of 0 bytes. */
    private static @Nullable Long measured(long number) {
        return number == 0 ? null : number;
    }

    /** For people. */
    String text() {
        List<String> lines = new ArrayList<>();
        lines.add(head());
        if (failure != null) {
            lines.add("  FAILED         " + failure);
        }
        if (!answer.isEmpty()) {
            lines.add("");
            if (answer.get(0).chars().filter(c -> c == '|').count() > 1) {
                lines.add("  " + Query1.COLUMNS);
            }
            answer.forEach(line -> lines.add("  " + line));
            lines.add("  " + verdict());
            lines.add("");
        }
        lines.addAll(ProcessMemory.table(processes, job.mode() == Mode.TAILRACE));
        lines.add("  limits         " + limits());
        if (job.slowSeconds() > 0) {
            lines.add("  slow driver    " + slow());
        }
        if (firstByteMicros > 0) {
            lines.add("  first byte     " + String.format(Locale.ROOT, "%.1f ms", firstByteMicros / 1e3)
                    + " after a task's start (median of the tasks)");
        }
        return String.join(System.lineSeparator(), lines) + System.lineSeparator();
    }

    private String head() {
        String what = job.text() != null ? job.text() : "TPC-H at scale factor " + scale();
        String head = String.format(
                Locale.ROOT,
                "%s, %s: %,d rows, %s payload, %s wire",
                job.mode() == Mode.TAILRACE && transport() != null ? mode() + " over " + transport() : mode(),
                job.from().isEmpty() ? what : job.from().size() + " result files",
                counts.rows(),
                new ByteSize(counts.payloadBytes()),
                new ByteSize(counts.wireBytes()));
        return seconds == 0
                ? head
                : head
                        + String.format(Locale.ROOT, ", %.2f s, %s/s", seconds, new ByteSize((long)
                                (counts.payloadBytes() / seconds)));
    }

    private String verdict() {
        if (answerMatches == null) {
            return "(nobody has published the answer to this)";
        }
        String source = job.text() != null ? "the file's own" : "the published answer";
        return answerMatches ? "equals " + source : "DIFFERS from " + source;
    }

    private String limits() {
        String ofHeap = "heap " + heap + ", direct memory as much";
        if (job.mode() == Mode.STOCK) {
            return ofHeap;
        }
        return "window " + new ByteSize(windowBytes()) + " a result (" + job.window() + " x "
                + new ByteSize(job.chunkBytes()) + "), pool " + sides() + ", " + ofHeap;
    }

    /** Of the sides that there are. */
    private String sides() {
        String driver = new ByteSize(job.budgetBytes(Role.DRIVER)) + " in the driver";
        String executor = new ByteSize(job.budgetBytes(Role.EXECUTOR)) + " in an executor";
        if (!job.from().isEmpty()) {
            return driver;
        }
        return job.to() != null ? executor : driver + " and " + executor;
    }

    private String slow() {
        return String.format(
                Locale.ROOT,
                "stood still for %.1f s; %d results spilled, at most %s on disk; the executors had ended their tasks after %.1f s",
                job.slowSeconds(),
                spilledResults,
                new ByteSize(ProcessMemory.sumOfDisk(processes)),
                tasksSeconds);
    }

    /** What was between executors and driver, null where nothing was. */
    private @Nullable String transport() {
        return job.to() == null && job.from().isEmpty() ? job.transport().name().toLowerCase(Locale.ROOT) : null;
    }
}
