// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole job, with real child JVMs on loopback. */
@Timeout(120)
final class CollectTest {

    /** Milliseconds of work behind which an executor's rows flow. */
    private static final long IN_MID_STREAM = 5_000;

    @TempDir
    Path directory;

    private Path json;

    /** Runs the command line and keeps its summary. */
    private int collect(String... options) throws IOException {
        json = directory.resolve("summary.json");
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(List.of("--json", json.toString()));
        return Main.execute(arguments.toArray(String[]::new));
    }

    /** A member of the summary as it is written; of the inner summary if there are two and {@code inner} is set. */
    private String summary(String member) throws IOException {
        Matcher matcher =
                Pattern.compile("\"" + member + "\": (\\[[^]]*]|[^,\n]*)").matcher(Files.readString(json));
        assertTrue(matcher.find(), member);
        return matcher.group(1);
    }

    private long number(String member) throws IOException {
        return Long.parseLong(summary(member));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--sync",
                "--threaded",
                "--compress=lz4 --threaded",
                "--chunk=512 --window=1",
                "--tasks-at-once=1 --compress=lz4",
                "--transport=socket",
                "--transport=socket --threaded --compress=lz4",
            })
    void collectAtScale001GivesTheSameAnswerWhateverTheWay(String options) throws IOException {
        int status = collect((options + " --scale=0.01 --tasks=5").split(" "));

        assertEquals(0, status);
        assertEquals("60175", summary("rows"));
        assertEquals("null", summary("answerMatches"), "known for scale factor 1 only");
        assertTrue(summary("answer")
                .contains("A|F|380456.00|532348211.65|505822441.49|526165934.00|25.58|35785.71|0.05|14876"));
        assertTrue(number("payloadBytes") > 5_000_000);
        boolean compressed = options.contains("lz4");
        assertEquals(compressed, summary("compression").contains("lz4"));
        assertEquals(compressed, number("wireBytes") < number("payloadBytes"));
        assertTrue(number("peakLiveBytes") > 0);
        assertTrue(
                number("peakLiveBytes") <= number("tasksAtOnce") * number("windowBytes") + number("chunkBytes"),
                "the windows of the tasks at once, and a chunk for small results, are the bound");
        assertTrue(number("driverPeakLiveBytes") <= number("driverBudgetBytes"));
        assertEquals("0", summary("spilledBytes"));
        assertTrue(number("executorLiveHeapBytes") > 0);
        assertTrue(number("driverLiveHeapBytes") > 0);
    }

    @Test
    void defaultsGiveThePublishedAnswerInHeapsOf64Mebibytes() throws IOException {
        assertEquals(0, collect());

        assertEquals("6001215", summary("rows"));
        assertEquals("true", summary("answerMatches"));
        assertEquals("\"mux\"", summary("transport"));
        assertEquals("1.0", summary("scale"));
        assertEquals("4", summary("tasksAtOnce"));
        assertEquals(64L << 20, number("heapBytes"));
        assertTrue(number("peakLiveBytes") > 0);
        assertTrue(number("peakLiveBytes") <= number("budgetBytes"), "four windows and a chunk are the bound");
        assertTrue(number("driverPeakLiveBytes") <= number("driverBudgetBytes"));
        assertTrue(number("executorLiveHeapBytes") < 16 << 20, summary("executorLiveHeapBytes"));
        assertTrue(number("driverLiveHeapBytes") < 16 << 20, summary("driverLiveHeapBytes"));
        assertTrue(number("nettyBytesAtMost") > 0);
        assertTrue(number("nettyBytesAtMost") <= 4 << 20, summary("nettyBytesAtMost"));
        assertEquals(0, number("poolBytesAtEnd"));
    }

    @Test
    void slowDriverHasExecutorsSpillAndEndTheirTasksMeanwhile() throws Exception {
        Process launcher = launch("--scale=0.1", "--slow-driver=12", "--json=" + jsonFile());

        assertEquals(0, launcher.waitFor());

        assertEquals("600572", summary("rows"));
        assertTrue(summary("answer").contains("A|F|3774200.00|5320753880.69"), summary("answer"));
        assertTrue(number("spilledBytes") > number("payloadBytes") / 2, summary("spilledBytes"));
        assertTrue(number("spilledBytes") <= number("wireBytes"), summary("spilledBytes"));
        assertEquals("8", summary("spilledResults"));
        assertTrue(Double.parseDouble(summary("tasksSeconds")) < 12, "before anything was read");
        assertTrue(Double.parseDouble(summary("seconds")) > 12);
        assertTrue(number("peakLiveBytes") <= number("budgetBytes"));
        assertTrue(number("driverPeakLiveBytes") <= number("driverBudgetBytes"));
        assertTrue(number("executorLiveHeapBytes") < 16 << 20, summary("executorLiveHeapBytes"));
        Files.delete(json);
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(List.of(), left.toList(), "spilled results are gone");
        }
    }

    private Path jsonFile() {
        json = directory.resolve("summary.json");
        return json;
    }

    @Test
    void manyTasksShareOneConnectionOfEachExecutor() throws IOException {
        assertEquals(0, collect("--scale", "0.02", "--tasks", "200", "--tasks-at-once", "16"));

        assertEquals("120515", summary("rows"));
        assertTrue(number("peakLiveBytes") <= 16 * number("windowBytes") + number("chunkBytes"));
    }

    @Test
    void resultsOneBehindAnotherNeedOneWindow() throws IOException {
        assertEquals(0, collect("--transport", "socket"));

        assertEquals("6001215", summary("rows"));
        assertEquals("true", summary("answerMatches"));
        assertEquals("1.0", summary("scale"));
        assertEquals(64L << 20, number("heapBytes"));
        assertTrue(number("peakLiveBytes") > 0);
        assertTrue(number("peakLiveBytes") <= number("windowBytes"), "the window is the bound");
        assertTrue(number("driverPeakLiveBytes") <= 2 * number("windowBytes"), "of one result from each executor");
        assertTrue(number("executorLiveHeapBytes") < 16 << 20, summary("executorLiveHeapBytes"));
    }

    @Test
    void stockModeGivesTheSameAnswerWhereItHasTheHeap() throws IOException {
        assertEquals(0, collect("--mode", "stock", "--scale", "0.01", "--tasks", "3"));

        assertEquals("60175", summary("rows"));
        assertTrue(summary("answer").contains("N|O|742802.00|1041502841.45|989737518.63|1029418531.52"));
        assertTrue(number("peakLiveBytes") > 4_000_000, "value and envelope of a third of the rows");
    }

    @Test
    void stockModeRunsOutOfMemoryInTheExecutorWhereAPartIsTooLarge() throws IOException {
        assertEquals(3, collect("--mode", "stock", "--scale", "1", "--heap", "64m"));

        assertEquals("\"executor\"", summary("outOfMemory"));
        assertEquals("\"stock\"", summary("mode"));
        assertEquals("3", summary("exitCode"));
    }

    @Test
    void stockModeRunsOutOfMemoryInTheDriverWhereAllExecutorsSendAtOnce() throws IOException {
        assertEquals(
                3, collect("--mode", "stock", "--scale", "0.11", "--tasks", "6", "--executors", "6", "--heap", "40m"));

        assertEquals("\"driver\"", summary("outOfMemory"));
    }

    @Test
    void linesOfAFileGiveTheFilesOwnCounts() throws IOException {
        Path text = directory.resolve("text");
        Files.writeString(text, "a line of text, and no short one\n".repeat(30_000) + "the last one has no end");

        assertEquals(0, collect("--file", text.toString()));

        assertEquals("true", summary("answerMatches"));
        assertTrue(summary("answer").contains("\"lines|30001\""));
        assertTrue(summary("answer").contains("\"bytes|" + Files.size(text) + "\""));
    }

    @Test
    void resultsWrittenToFilesAreReadBack() throws IOException {
        assertEquals(
                0,
                collect(
                        "--scale",
                        "0.01",
                        "--tasks",
                        "3",
                        "--to",
                        directory.resolve("rows").toString()));
        assertEquals("60175", summary("rows"));
        List<String> options = new ArrayList<>(List.of("--from"));
        for (int task = 0; task < 3; task++) {
            options.add(directory.resolve("rows-" + task + ".tailrace").toString());
        }

        assertEquals(0, collect(options.toArray(String[]::new)));

        assertEquals("60175", summary("rows"));
        assertTrue(summary("answer").contains("A|F|380456.00|532348211.65"));
    }

    @Test
    void missingResultFileIsNoAnswer() throws IOException {
        assertEquals(
                0,
                collect(
                        "--scale",
                        "0.01",
                        "--tasks",
                        "2",
                        "--to",
                        directory.resolve("rows").toString()));

        assertEquals(1, collect("--from", directory.resolve("rows-0.tailrace").toString()));

        assertEquals("[]", summary("answer"));
        assertTrue(summary("failure").contains("task 1 is missing"), summary("failure"));
    }

    @Test
    void tornResultFileIsNoAnswer() throws IOException {
        assertEquals(
                0,
                collect(
                        "--scale",
                        "0.01",
                        "--tasks",
                        "1",
                        "--to",
                        directory.resolve("rows").toString()));
        Path file = directory.resolve("rows-0.tailrace");
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));

        assertEquals(1, collect("--from", file.toString()));

        assertTrue(summary("failure").contains("TruncatedResultException"), summary("failure"));
    }

    @Test
    void pictureOfBothModesIsDrawn() throws IOException {
        Path png = directory.resolve("out.png");

        assertEquals(0, collect("--scale", "0.05", "--plot", png.toString()));

        BufferedImage picture = Objects.requireNonNull(ImageIO.read(png.toFile()));
        assertEquals(1200, picture.getWidth());
        assertTrue(summary("mode").contains("tailrace"));
        assertTrue(Files.readString(json).contains("\"stock\": {"), "the other mode's summary is inside");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--scale=0",
                "--executors=0",
                "--heap=64x",
                "--mode=fast",
                "--chunk=1g",
                "--threaded --sync",
                "--compress=lz4 --window=1",
                "--file=/nonexistent",
                "--to=a --from=b",
                "--mode=stock --to=a",
                "--transport=pigeon",
                "--transport=socket --tasks-at-once=2",
                "--tasks-at-once=0",
                "--mode=both --slow-driver",
                "--transport=socket --slow-driver=1",
                "--slow-driver=-1",
                "--unknown"
            })
    void wrongCommandLineIsRefusedWithStatusTwo(String options) {
        assertEquals(2, quietly(options.split(" ")));
    }

    private static int quietly(String... options) {
        PrintStream error = System.err;
        System.setErr(new PrintStream(new ByteArrayOutputStream()));
        try {
            return Main.execute(options);
        } finally {
            System.setErr(error);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mux", "socket"})
    void executorThatIsKilledFailsTheJobAtOnce(String transport) throws Exception {
        Thread killer = new Thread(
                () -> await(ProcessHandle.current(), "EXECUTOR", IN_MID_STREAM).destroyForcibly());
        killer.start();

        assertEquals(1, collect("--scale", "20", "--transport", transport));

        killer.join();
        assertEquals("[]", summary("answer"));
        assertTrue(number("rows") > 0, "it was killed in mid-stream");
        assertTrue(summary("failure").contains("ended with status 137"), summary("failure"));
        assertTrue(summary("failure").contains("TruncatedResultException"), "the driver's own: " + summary("failure"));
    }

    @Test
    void driverThatIsKilledFailsTheJobThoughItsExecutorsHaveSpilled() throws Exception {
        Thread killer = new Thread(() -> {
            await(ProcessHandle.current(), "EXECUTOR", IN_MID_STREAM);
            await(ProcessHandle.current(), "DRIVER", 0).destroyForcibly();
        });
        killer.start();

        assertEquals(1, collect("--scale", "20", "--slow-driver", "100"));

        killer.join();
        assertTrue(number("spilledBytes") > 0);
        assertTrue(summary("failure").contains("driver ended with status 137"), summary("failure"));
        assertTrue(summary("failure").contains("UndeliveredResultException"), summary("failure"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void childrenEndWithTheirLauncher(boolean forcibly) throws Exception {
        Process launcher = launch("--scale=20");
        awaitExecutor(launcher.toHandle());
        List<ProcessHandle> children = launcher.descendants().toList();

        ProcessHandle handle = launcher.toHandle();
        boolean asked = forcibly ? handle.destroyForcibly() : handle.destroy();

        assertTrue(asked);
        for (ProcessHandle child : children) {
            child.onExit().get(20, TimeUnit.SECONDS);
        }
        launcher.waitFor();
        if (!forcibly) {
            try (Stream<Path> left = Files.list(directory)) {
                assertEquals(List.of(), left.toList());
            }
        }
    }

    @Test
    void nothingIsLeftInTheTemporaryDirectory() throws Exception {
        assertEquals(0, launch("--scale=0.001", "--compress=lz4").waitFor());

        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void moreExecutorsThanTasksAreOfNoUse() throws IOException {
        assertEquals(0, collect("--scale", "0.001", "--tasks", "1", "--executors", "3"));

        assertEquals("6005", summary("rows"));
        assertEquals("1", summary("executors"));
    }

    @Test
    void portInUseIsSaid() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertEquals(1, collect("--scale", "0.001", "--port", "" + taken.getLocalPort()));
        }

        assertTrue(summary("failure").contains("Address already in use"), summary("failure"));
    }

    @Test
    void emptyFileHasNoLines() throws IOException {
        assertEquals(
                0,
                collect("--file", Files.createFile(directory.resolve("empty")).toString()));

        assertEquals("true", summary("answerMatches"));
        assertTrue(summary("answer").contains("\"lines|0\""));
    }

    /** The command line in a JVM of its own, whose temporary directory is ours. */
    private Process launch(String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + directory,
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(options));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static ProcessHandle awaitExecutor(ProcessHandle launcher) {
        return await(launcher, "EXECUTOR", 1_000);
    }

    /** Waits until a launcher has a child of the role that has worked for a while. */
    private static ProcessHandle await(ProcessHandle launcher, String role, long cpuMillis) {
        for (; ; ) {
            for (ProcessHandle child : launcher.descendants().toList()) {
                boolean wanted = child.info()
                        .arguments()
                        .map(arguments -> List.of(arguments).contains(role))
                        .orElse(false);
                if (wanted
                        && child.info()
                                .totalCpuDuration()
                                .map(worked -> worked.toMillis() >= cpuMillis)
                                .orElse(false)) {
                    return child;
                }
            }
            LockSupport.parkNanos(10_000_000);
        }
    }
}
