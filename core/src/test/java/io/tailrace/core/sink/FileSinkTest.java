// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.Received;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileSinkTest {

    private static final int CHUNK = 512;
    private static final Sample VALUE = new Sample(77, 2_000);
    private static final ResultId ID = new ResultId("file", 1, 1, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path directory;

    private ChunkPool pool() {
        return audit.pool(CHUNK, 8 * CHUNK);
    }

    private ResultEncoder encoder(ChunkPool pool, boolean threaded) {
        return ResultEncoder.builder(pool)
                .window(4)
                .sendingOn(threaded ? audit.executor() : null)
                .build();
    }

    private List<String> names() throws IOException {
        return names(directory);
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void fileHasItsNameOnlyWhenItIsWhole(boolean threaded) throws IOException {
        ChunkPool pool = pool();
        Path target = directory.resolve("result");
        for (boolean force : new boolean[] {false, true}) {
            Files.deleteIfExists(target);
            try (FileSink sink = FileSink.create(target, force);
                    ResultWriter writer = encoder(pool, threaded).open(ID, "sample/1", sink)) {
                Sample.CODEC.encode(VALUE, writer.payload());
                assertEquals(1, names().size());
                assertTrue(names().get(0).matches("result\\.[0-9a-f]+\\.part"), names().toString());
                writer.finish();
                assertEquals(List.of("result"), names());
                assertTrue(sink.outsideBytes() > 0);
            }
            assertEquals(List.of("result"), names());
            List<Received> results = Received.all(pool, Files.readAllBytes(target));
            assertEquals(1, results.size());
            assertArrayEquals(VALUE.bytes(), results.get(0).payload());
        }
    }

    @Test
    void fileOfThatNameIsReplacedWhenTheResultIsComplete() throws IOException {
        ChunkPool pool = pool();
        Path target = directory.resolve("result");
        Files.write(target, new byte[] {1, 2, 3});
        try (FileSink sink = FileSink.create(target)) {
            try (ResultWriter writer = encoder(pool, false).open(ID, "sample/1", sink)) {
                Sample.CODEC.encode(VALUE, writer.payload());
                assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(target));
                writer.finish();
            }
            assertTrue(Received.all(pool, Files.readAllBytes(target)).get(0).complete());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void failedResultLeavesNoFileAndTheOldOneAsItWas(boolean threaded) throws IOException {
        ChunkPool pool = pool();
        Path target = directory.resolve("result");
        Files.write(target, new byte[] {1, 2, 3});
        try (FileSink sink = FileSink.create(target)) {
            try (ResultWriter writer = encoder(pool, threaded).open(ID, "sample/1", sink)) {
                Sample.CODEC.encode(VALUE, writer.payload());
                writer.fail(new IllegalStateException("too bad"));
            }
            assertEquals(2, names().size(), "the part is there until the sink is closed");
        }
        assertEquals(List.of("result"), names());
        assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(target));
    }

    @Test
    void sinkClosedWithoutACompleteResultDeletesItsPart() throws IOException {
        FileSink sink = FileSink.create(directory.resolve("result"));
        assertEquals(1, names().size());
        sink.close();
        assertEquals(List.of(), names());
        sink.close();
    }

    @Test
    void completeFileTakesNoSecondResult() throws IOException {
        ChunkPool pool = pool();
        Path target = directory.resolve("result");
        ResultEncoder encoder = encoder(pool, false);
        try (FileSink sink = FileSink.create(target)) {
            encoder.encode(ID, Sample.CODEC, VALUE, sink);
            long length = Files.size(target);
            ResultFailedException refused =
                    assertThrows(ResultFailedException.class, () -> encoder.encode(ID, Sample.CODEC, VALUE, sink));
            assertEquals(FailurePhase.SINK, refused.failure().phase());
            assertEquals(length, Files.size(target));
        }
        assertEquals(List.of("result"), names());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void directoryDeletedMeanwhileFailsTheTask(boolean threaded) throws IOException {
        ChunkPool pool = pool();
        Path gone = Files.createDirectory(directory.resolve("gone"));
        try (FileSink sink = FileSink.create(gone.resolve("result"), true)) {
            ResultFailedException failed = assertThrows(ResultFailedException.class, () -> {
                try (ResultWriter writer = encoder(pool, threaded).open(ID, "sample/1", sink)) {
                    Sample.CODEC.encode(VALUE, writer.payload());
                    Files.delete(gone.resolve(names(gone).get(0)));
                    Files.delete(gone);
                    writer.finish();
                }
            });
            assertInstanceOf(NoSuchFileException.class, failed.getCause());
            assertEquals(FailurePhase.SINK, failed.failure().phase());
        }
        assertEquals(List.of(), names());
    }

    @Test
    void nameTakenByADirectoryFailsTheTaskAndLeavesNoPart() throws IOException {
        ChunkPool pool = pool();
        Path target = Files.createDirectory(directory.resolve("result"));
        Files.write(target.resolve("inside"), new byte[1]);
        try (FileSink sink = FileSink.create(target)) {
            assertThrows(ResultFailedException.class, () -> encoder(pool, false).encode(ID, Sample.CODEC, VALUE, sink));
        }
        assertEquals(List.of("result"), names());
        assertEquals(List.of("inside"), names(target));
    }

    @Test
    void placeThatCannotBeWrittenIsRefusedBeforeAnythingIsEncoded() {
        assertThrows(NoSuchFileException.class, () -> FileSink.create(directory.resolve("no/such/directory/result")));
        Path readOnly = Path.of("/sys");
        assumeTrue(Files.isDirectory(readOnly), "no file system that refuses even root");
        assertThrows(IOException.class, () -> FileSink.create(readOnly.resolve("result")));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void fullDeviceFailsTheTask(boolean threaded) throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "no /dev/full");
        ChunkPool pool = pool();
        try (ChannelSink sink = ChannelSink.file(FileChannel.open(full, StandardOpenOption.WRITE))) {
            ResultFailedException failed = assertThrows(
                    ResultFailedException.class, () -> encoder(pool, threaded).encode(ID, Sample.CODEC, VALUE, sink));
            assertEquals(FailurePhase.SINK, failed.failure().phase());
            assertTrue(failed.getCause().getMessage().contains("No space left"), failed.toString());
            assertTrue(failed.retriable());
        }
    }

    @Test
    void fileLimitOfTheProcessFailsTheTaskAndLeavesNoFile() throws Exception {
        Path files = Files.createDirectory(directory.resolve("files"));
        try (ChildJvm child = ChildJvm.of(FileLimit.class, directory)
                .after("ulimit -f 128")
                .options("-Xmx64m")
                .start(files.toString())) {
            List<String> lines = child.lines(Duration.ofSeconds(40));
            assertEquals(1, ChildJvm.number(lines, "failed"), lines.toString());
            long reached = ChildJvm.number(lines, "reached");
            assertTrue(reached > 0 && reached <= 128 << 10, lines.toString());
            audit.figure("the file reached " + reached + " bytes, then it was too large for the process");
        }
        assertEquals(List.of("small"), names(files));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void deviceThatCannotForceFailsTheTaskAndLeavesNoFile(boolean threaded) throws IOException {
        ChunkPool pool = pool();
        Path target = directory.resolve("result");
        IOException error = new IOException("Input/output error");
        try (FileSink sink = over(target, new FaultyChannel.Faults(error, null, null))) {
            ResultFailedException failed = assertThrows(
                    ResultFailedException.class, () -> encoder(pool, threaded).encode(ID, Sample.CODEC, VALUE, sink));
            assertSame(error, failed.getCause());
            assertEquals(FailurePhase.SINK, failed.failure().phase());
            assertFalse(Files.exists(target));
        }
        assertEquals(List.of(), names());
    }

    @Test
    void deviceThatFailsAtCloseFailsTheTaskAndLeavesNoFile() throws IOException {
        ChunkPool pool = pool();
        Path target = directory.resolve("result");
        IOException error = new IOException("stale handle");
        FileSink complete = over(target, new FaultyChannel.Faults(null, error, null));
        ResultFailedException failed = assertThrows(
                ResultFailedException.class, () -> encoder(pool, false).encode(ID, Sample.CODEC, VALUE, complete));
        assertSame(error, failed.getCause());
        complete.close(); // a channel closes once: the second time it says nothing
        assertEquals(List.of(), names());
        FileSink abandoned = over(target, new FaultyChannel.Faults(null, error, null));
        assertSame(error, assertThrows(IOException.class, abandoned::close));
        assertEquals(List.of(), names());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void deviceThatFailsInMidStreamFailsTheTaskAndLeavesNoFile(boolean threaded) throws IOException {
        ChunkPool pool = pool();
        Path target = directory.resolve("result");
        IOException error = new IOException("Input/output error");
        try (FileSink sink = over(target, new FaultyChannel.Faults(null, null, error))) {
            ResultEncoder encoder = encoder(pool, threaded);
            ResultFailedException failed =
                    assertThrows(ResultFailedException.class, () -> encoder.encode(ID, Sample.CODEC, VALUE, sink));
            assertSame(error, failed.getCause());
            ResultFailedException refused =
                    assertThrows(ResultFailedException.class, () -> encoder.encode(ID, Sample.CODEC, VALUE, sink));
            assertSame(error, refused.getCause().getCause(), "it says why it refuses everything since");
        }
        assertEquals(List.of(), names());
    }

    private FileSink over(Path target, FaultyChannel.Faults faults) throws IOException {
        Path part = directory.resolve("faulty.part");
        FileChannel real = FileChannel.open(part, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        return new FileSink(target, part, true, new FaultyChannel(real, faults));
    }
}
