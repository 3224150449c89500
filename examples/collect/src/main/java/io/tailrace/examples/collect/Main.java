// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.examples.collect.child.Job;
import io.tailrace.examples.collect.child.Job.Mode;
import io.tailrace.examples.collect.child.Job.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of the collect job. */
@Command(
        name = "tailrace-collect",
        mixinStandardHelpOptions = true,
        version = "0.1.0-SNAPSHOT",
        sortOptions = false,
        usageHelpAutoWidth = true,
        header = "Collects the results of many tasks on one driver.",
        description = {
            "",
            "Executor JVMs make the rows of TPC-H's lineitem and stream them over loopback TCP to a driver JVM, which"
                    + " folds them while they arrive into query 1 and checks the answer against the published one.",
            ""
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:the answer is right, or nobody knows the right one",
            "1:the answer is wrong, or the job failed",
            "2:the command line is wrong",
            "3:a JVM ran out of memory; the summary says which side"
        })
public final class Main implements Callable<Integer> {

    private static final int TASKS_AT_ONCE = 4;

    private enum Modes {
        tailrace,
        stock,
        both
    }

    private enum Transports {
        mux,
        socket
    }

    private enum Compression {
        none,
        lz4
    }

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--mode",
            defaultValue = "tailrace",
            description = "How results travel: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}). stock is the old"
                    + " way: value, value bytes, envelope bytes, wire. With both, the exit status is tailrace's.")
    private Modes mode = Modes.tailrace;

    @Option(
            names = "--transport",
            defaultValue = "mux",
            description = "What mode tailrace's results go over: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})."
                    + " mux interleaves the results of an executor on one connection with credit and a shared secret;"
                    + " socket sends one behind another.")
    private Transports transport = Transports.mux;

    @Option(
            names = "--scale",
            paramLabel = "FACTOR",
            defaultValue = "1",
            description = "TPC-H's scale factor; the answer is published for 1 (default: ${DEFAULT-VALUE}).")
    private double scale;

    @Option(
            names = "--file",
            paramLabel = "FILE",
            description = "Take the lines of this file as rows; the answer is the number of lines and bytes, and the"
                    + " CRC32C.")
    private @Nullable Path file;

    @Option(
            names = "--to",
            paramLabel = "PREFIX",
            description = "Write each result into a file PREFIX-<task>.tailrace instead of sending it to a driver.")
    private @Nullable String to;

    @Option(
            names = "--from",
            paramLabel = "FILE",
            arity = "1..*",
            description = "Read the results from these files instead of from executors.")
    private List<String> from = List.of();

    @Option(
            names = "--executors",
            paramLabel = "N",
            defaultValue = "2",
            description = "Executor JVMs (default: ${DEFAULT-VALUE}).")
    private int executors;

    @Option(
            names = {"--tasks", "--partitions"},
            paramLabel = "N",
            defaultValue = "8",
            description = "Tasks; each has one result (default: ${DEFAULT-VALUE}).")
    private int tasks;

    @Option(
            names = "--tasks-at-once",
            paramLabel = "N",
            description = "Tasks that an executor runs at a time (default: 4 with transport mux, 1 otherwise).")
    private @Nullable Integer tasksAtOnce;

    @Option(
            names = "--slow-driver",
            paramLabel = "SECONDS",
            arity = "0..1",
            fallbackValue = "20",
            description = "The driver stands still for so long, 20 s unless told, before it reads; executors spill to"
                    + " disk what finds no credit, and end their tasks meanwhile.")
    private double slowDriver;

    @Option(
            names = "--heap",
            paramLabel = "SIZE",
            defaultValue = "64m",
            description = "Each JVM's heap (-Xmx), and limit of direct memory (default: ${DEFAULT-VALUE}).")
    private ByteSize heap = new ByteSize(64 << 20);

    @Option(
            names = "--window",
            paramLabel = "CHUNKS",
            defaultValue = "8",
            description = "Most chunks live for one result (default: ${DEFAULT-VALUE}).")
    private int window;

    @Option(
            names = "--chunk",
            paramLabel = "SIZE",
            defaultValue = "64k",
            description = "A chunk's capacity (default: ${DEFAULT-VALUE}).")
    private ByteSize chunk = new ByteSize(ChunkPool.DEFAULT_CHUNK_BYTES);

    @Option(
            names = "--compress",
            defaultValue = "none",
            description = "How chunks are compressed: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Compression compress = Compression.none;

    @Option(names = "--threaded", description = "Each executor sends on a thread of its own.")
    private boolean threaded;

    @Option(names = "--sync", description = "Each executor sends on the thread that encodes. This is the default.")
    private boolean sync;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "0",
            description = "Where the driver listens on 127.0.0.1; 0 is any free port (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--plot",
            paramLabel = "PNG",
            description =
                    "Draw each side's memory over time in both modes; the other mode is run, too, unless the driver is"
                            + " slow.")
    private @Nullable Path plot;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the summary there.")
    private @Nullable Path json;

    public static void main(String[] args) {
        System.exit(execute(args));
    }

    static int execute(String... args) {
        return new CommandLine(new Main())
                .registerConverter(ByteSize.class, ByteSize::parse)
                .execute(args);
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        requireSense();
        List<Summary> summaries = new ArrayList<>();
        for (Mode each : modes()) {
            Summary summary = new Launcher(job(each), heap, port).run();
            System.out.println(summary.text());
            summaries.add(summary);
        }
        if (json != null) {
            Files.writeString(json, Summary.json(summaries));
        }
        if (plot != null) {
            Plot.draw(summaries, plot);
        }
        return summaries.get(0).exitCode();
    }

    /** The mode asked for first: its exit status counts. */
    private List<Mode> modes() {
        Mode first = mode == Modes.stock ? Mode.STOCK : Mode.TAILRACE;
        Mode second = first == Mode.STOCK ? Mode.TAILRACE : Mode.STOCK;
        boolean both = mode == Modes.both || (plot != null && slowDriver == 0);
        return both ? List.of(first, second) : List.of(first);
    }

    private Job job(Mode each) {
        int used = Math.min(executors, tasks); // one without a task would have nothing to say
        return new Job(
                each,
                transport == Transports.mux ? Transport.MUX : Transport.SOCKET,
                scale,
                file == null ? null : file.toString(),
                used,
                tasks,
                each == Mode.TAILRACE && multiplexed() ? Math.min(atOnce(), (tasks + used - 1) / used) : 1,
                slowDriver,
                (int) chunk.bytes(),
                window,
                compress == Compression.lz4,
                threaded,
                to,
                List.copyOf(from));
    }

    private boolean multiplexed() {
        return transport == Transports.mux && mode != Modes.stock && to == null && from.isEmpty();
    }

    private int atOnce() {
        return tasksAtOnce == null ? TASKS_AT_ONCE : tasksAtOnce;
    }

    private void requireSense() {
        require(scale > 0 && scale <= 100_000, "--scale is a number above 0");
        require(executors >= 1 && executors <= 256, "--executors is 1 to 256");
        require(tasks >= 1 && tasks <= 100_000, "--tasks is 1 to 100000");
        require(atOnce() >= 1 && atOnce() <= 256, "--tasks-at-once is 1 to 256");
        require(multiplexed() || tasksAtOnce == null, "--tasks-at-once is of transport mux only");
        require(slowDriver >= 0 && slowDriver <= 3_600, "--slow-driver is 0 to 3600");
        require(slowDriver == 0 || (multiplexed() && mode == Modes.tailrace), "--slow-driver is of transport mux only");
        int least = compress == Compression.lz4 ? 2 : 1; // a compressed chunk lies beside the one it was made from
        require(window >= least && window <= 4096, "--window is " + least + " to 4096");
        require(
                chunk.bytes() >= ChunkPool.MIN_CHUNK_BYTES && chunk.bytes() <= ChunkPool.MAX_CHUNK_BYTES,
                "--chunk is " + ChunkPool.MIN_CHUNK_BYTES + " bytes to 16m");
        require(heap.bytes() >= 4 << 20, "--heap is at least 4m");
        require(port >= 0 && port <= 65_535, "--port is 0 to 65535");
        require(!(threaded && sync), "--threaded and --sync exclude each other");
        require(file == null || Files.isRegularFile(file), "--file " + file + " is no file");
        boolean files = to != null || !from.isEmpty();
        require(to == null || from.isEmpty(), "--to and --from exclude each other");
        require(file == null || from.isEmpty(), "--file and --from exclude each other");
        require(!files || (mode == Modes.tailrace && plot == null), "--to and --from are of mode tailrace only");
    }

    private void require(boolean sense, String rule) {
        if (!sense) {
            throw new ParameterException(spec.commandLine(), rule);
        }
    }
}
