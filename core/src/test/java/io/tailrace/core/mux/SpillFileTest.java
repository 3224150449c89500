// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.BudgetExhaustedException;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpillFileTest {

    private static final long BUDGET = 64 << 20;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path temporary;

    private Path directory;

    @BeforeEach
    void place() {
        directory = temporary.resolve("spill");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void framesComeBackByteForByteWithTheirBodies(boolean named) throws IOException {
        Random random = audit.random();
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET, named)) {
            SpillFile file = spill.open(Spills.ID);
            for (int round = 0; round < 5; round++) {
                ByteArrayOutputStream sent = new ByteArrayOutputStream();
                for (int i = 0; i < 20; i++) {
                    Chunk frame = Spills.frame(random, i % 5, sent);
                    int bytes = frame.wireBytes();
                    long before = file.written();
                    file.append(frame);
                    assertEquals(before + bytes, file.written());
                    assertEquals(1, frame.refCnt());
                    assertEquals(bytes, frame.wireBytes(), "what is borrowed comes back as it was");
                    frame.release();
                }
                assertEquals(0, file.read(new byte[9], 9, 0));
                assertArrayEquals(sent.toByteArray(), Spills.readAll(file, random));
                assertEquals(0, file.read(new byte[9], 0, 9));
                assertFalse(file.exhausted());
            }
            assertEquals(file.written(), spill.bytesOnDisk());
            file.endOfResult();
            assertEquals(-1, file.read(new byte[9], 0, 9));
            assertTrue(file.exhausted());
            assertThrows(IllegalStateException.class, () -> file.append(Spills.chunk(1)));
            assertThrows(IllegalStateException.class, file::endOfResult);
            file.close();
            assertEquals(0, spill.bytesOnDisk());
            assertTrue(spill.peakBytesOnDisk() >= file.written());
        }
    }

    @Test
    void oneThreadReadsWhatAnotherAppends() throws Exception {
        Random random = audit.random();
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET);
                SpillFile file = spill.open(Spills.ID)) {
            Future<byte[]> reader = audit.executor().submit(() -> {
                ByteArrayOutputStream all = new ByteArrayOutputStream();
                byte[] into = new byte[10_000];
                for (int n = 0; n >= 0; n = file.read(into, 0, into.length)) {
                    all.write(into, 0, n);
                }
                return all.toByteArray();
            });
            for (int i = 0; i < 400; i++) {
                file.append(Spills.frame(random, i % 5, sent));
            }
            file.endOfResult();
            assertArrayEquals(sent.toByteArray(), reader.get());
            assertTrue(file.exhausted());
        }
    }

    @Test
    void channelTransfersAndReadingTakeTurns() throws IOException {
        Random random = audit.random();
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        ByteArrayOutputStream got = new ByteArrayOutputStream();
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET);
                SpillFile file = spill.open(Spills.ID)) {
            for (int i = 0; i < 20; i++) {
                file.append(Spills.frame(random, i % 5, sent));
                long half = file.transferable() / 2;
                long moved = file.channel().transferTo(file.read(), half, Channels.newChannel(got));
                file.consumed(moved);
                got.writeBytes(Spills.readAll(file, random));
            }
            assertThrows(IllegalArgumentException.class, () -> file.consumed(1));
            assertThrows(IllegalArgumentException.class, () -> file.consumed(-1));
        }
        assertArrayEquals(sent.toByteArray(), got.toByteArray());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void onlyTheOwnerMayReadOrWriteTheFile(boolean named) throws IOException {
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET, named)) {
            spill.open(Spills.ID).append(Spills.chunk(100));
            assertEquals("rwx------", permissions(directory));
            for (String each : Spills.names(directory)) {
                assertEquals("rw-------", permissions(directory.resolve(each)), each);
            }
            assertEquals(named ? 1 : 0, Spills.spilled(directory).size());
            assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")), "no list of descriptors");
            List<Path> descriptors = Spills.descriptors(directory);
            assertEquals(3, descriptors.size(), "of the lock, and two of the file");
            for (Path each : descriptors) {
                assertEquals(
                        "rw-------",
                        permissions(each),
                        Files.readSymbolicLink(each).toString());
            }
        }
        assertEquals(List.of(), Spills.names(directory));
        assertEquals(List.of(), Spills.descriptors(directory));
    }

    @Test
    void interruptedThreadsWriteAndReadOnAndKeepTheirFlag() throws IOException {
        Random random = audit.random();
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET)) {
            SpillFile file;
            Thread.currentThread().interrupt();
            try {
                file = spill.open(Spills.ID);
                for (int i = 0; i < 10; i++) {
                    file.append(Spills.frame(random, i % 5, sent));
                }
                file.endOfResult();
                assertArrayEquals(sent.toByteArray(), Spills.readAll(file, random));
                file.close();
            } finally {
                assertTrue(Thread.interrupted());
            }
        }
        assertEquals(List.of(), Spills.names(directory));
    }

    @Test
    void interruptsInTheMiddleOfCallsDoNoHarm() throws Exception {
        Random random = audit.random();
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET);
                SpillFile file = spill.open(Spills.ID)) {
            Thread worker = Thread.currentThread();
            Future<?> interrupter = audit.executor().submit(() -> {
                while (!file.exhausted()) {
                    worker.interrupt();
                    Thread.onSpinWait();
                }
            });
            ByteArrayOutputStream got = new ByteArrayOutputStream();
            for (int i = 0; i < 200; i++) {
                file.append(Spills.frame(random, i % 5, sent));
                got.writeBytes(Spills.readAll(file, random));
            }
            file.endOfResult();
            while (!interrupter.isDone()) {
                Thread.onSpinWait();
            }
            assertTrue(Thread.interrupted());
            assertArrayEquals(sent.toByteArray(), got.toByteArray());
        }
    }

    @Test
    void interruptedTransferEndsReadingButLeavesNoFile() throws IOException {
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET, true)) {
            SpillFile file = spill.open(Spills.ID);
            file.append(Spills.chunk(100));
            FileChannel channel = file.channel();
            Thread.currentThread().interrupt();
            assertThrows(
                    ClosedByInterruptException.class,
                    () -> channel.transferTo(0, 100, Channels.newChannel(new ByteArrayOutputStream())));
            assertTrue(Thread.interrupted());
            assertThrows(IOException.class, () -> file.read(new byte[9], 0, 9));
            file.close();
            assertEquals(0, spill.bytesOnDisk());
            assertEquals(List.of(), Spills.spilled(directory));
        }
    }

    @Test
    void frameThatTheBudgetRefusesLeavesTheFileAsItWas() throws IOException {
        try (SpillDirectory spill = SpillDirectory.open(directory, 1_000);
                SpillFile file = spill.open(Spills.ID)) {
            file.append(Spills.chunk(999));
            BudgetExhaustedException refused =
                    assertThrows(BudgetExhaustedException.class, () -> file.append(Spills.chunk(2)));
            assertEquals(1_000, refused.limit());
            assertEquals(999, refused.actual());
            assertSame(Spills.ID, refused.resultId());
            assertEquals(999, spill.bytesOnDisk());
            file.append(Spills.chunk(new byte[] {7}));
            file.endOfResult();
            byte[] all = Spills.readAll(file, audit.random());
            assertEquals(1_000, all.length);
            assertEquals(7, all[999]);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void closedFileIsGoneAndRefusesEverything(boolean named) throws IOException {
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET, named)) {
            SpillFile file = spill.open(Spills.ID);
            file.append(Spills.chunk(100));
            FileChannel channel = file.channel();
            assertEquals(1, spill.files());
            file.close();
            file.close();
            assertEquals(0, spill.files());
            assertEquals(0, spill.bytesOnDisk());
            assertEquals(100, spill.peakBytesOnDisk());
            assertEquals(List.of(), Spills.spilled(directory));
            assertFalse(channel.isOpen());
            IOException refused = assertThrows(IOException.class, () -> file.append(Spills.chunk(1)));
            assertEquals("the spilled rest of spill/1/2#3 is closed", refused.getMessage());
            assertThrows(IOException.class, () -> file.read(new byte[9], 0, 9));
            assertThrows(IOException.class, file::channel);
            assertThrows(IOException.class, () -> file.consumed(0));
            assertThrows(IOException.class, file::endOfResult);
            assertEquals(0, spill.bytesOnDisk());
        }
    }

    @Test
    void closeInTheMiddleOfWritingAndReadingFailsBothAndLeavesNothing() throws Exception {
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET)) {
            for (int i = 0; i < 50; i++) {
                SpillFile file = spill.open(Spills.ID);
                Future<IOException> writer = audit.executor()
                        .submit(() -> assertThrows(IOException.class, () -> {
                            for (; ; ) {
                                file.append(Spills.chunk(100));
                            }
                        }));
                Future<IOException> reader = audit.executor()
                        .submit(() -> assertThrows(IOException.class, () -> {
                            for (byte[] into = new byte[100]; ; ) {
                                file.read(into, 0, into.length);
                            }
                        }));
                while (file.read() == 0) {
                    Thread.onSpinWait();
                }
                file.close();
                assertTrue(
                        writer.get().getMessage().endsWith("is closed"),
                        writer.get().toString());
                assertTrue(
                        reader.get().getMessage().endsWith("is closed"),
                        reader.get().toString());
                assertEquals(0, spill.bytesOnDisk());
            }
        }
    }

    @Test
    void fileDeletedMeanwhileIsReadAllTheSame() throws IOException {
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET, true);
                SpillFile file = spill.open(Spills.ID)) {
            file.append(Spills.chunk(new byte[] {1, 2}));
            Files.delete(directory.resolve(Spills.spilled(directory).get(0)));
            file.append(Spills.chunk(new byte[] {3}));
            assertArrayEquals(new byte[] {1, 2, 3}, Spills.readAll(file, audit.random()));
        }
    }

    @Test
    void fileCutMeanwhileFailsItsReader() throws IOException {
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET, true);
                SpillFile file = spill.open(Spills.ID)) {
            file.append(Spills.chunk(100));
            Path path = directory.resolve(Spills.spilled(directory).get(0));
            try (FileChannel other = FileChannel.open(path, StandardOpenOption.WRITE)) {
                other.truncate(40);
            }
            byte[] into = new byte[100];
            assertEquals(40, file.read(into, 0, 100));
            EOFException cut = assertThrows(EOFException.class, () -> file.read(into, 0, 100));
            assertTrue(cut.getMessage().contains("of 60 bytes at 40"), cut.getMessage());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void directoryRemovedMeanwhileFailsNewFilesOnly(boolean named) throws IOException {
        SpillDirectory spill = SpillDirectory.open(directory, BUDGET, named);
        SpillFile file = spill.open(Spills.ID);
        file.append(Spills.chunk(100));
        for (String each : Spills.names(directory)) {
            Files.delete(directory.resolve(each));
        }
        Files.delete(directory);
        assertThrows(NoSuchFileException.class, () -> spill.open(Spills.ID));
        assertEquals(1, spill.files());
        file.append(Spills.chunk(100));
        assertEquals(200, Spills.readAll(file, audit.random()).length);
        file.close();
        assertEquals(0, spill.bytesOnDisk());
        spill.close();
        assertEquals(List.of(), Arrays.asList(temporary.toFile().list()));
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
