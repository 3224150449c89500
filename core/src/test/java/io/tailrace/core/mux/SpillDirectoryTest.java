// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.BudgetExhaustedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpillDirectoryTest {

    private static final Duration LONGEST = Duration.ofSeconds(40);
    private static final long BUDGET = 1 << 20;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path temporary;

    private Path directory;

    @BeforeEach
    void place() {
        directory = temporary.resolve("a/spill");
    }

    @Test
    void missingDirectoryIsMadeForItsOwnerAlone() throws IOException {
        SpillDirectory.open(directory, BUDGET).close();
        for (Path each : List.of(directory, directory.getParent())) {
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(each)));
        }
        assertEquals(List.of(), Spills.names(directory));
    }

    @ParameterizedTest
    @ValueSource(strings = {"rwxrwx---", "rwx---rwx", "rwxrwxrwx", "rwx----w-"})
    void directoryThatOthersCanWriteToIsRefused(String permissions) throws IOException {
        Files.createDirectories(directory);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(permissions));
        IOException refused = assertThrows(IOException.class, () -> SpillDirectory.open(directory, BUDGET));
        assertTrue(refused.getMessage().contains(permissions), refused.getMessage());
        assertEquals(List.of(), Spills.names(directory));
    }

    @Test
    void stickyDirectoryIsRefusedButOneInsideItIsNot() throws IOException {
        Files.createDirectories(directory);
        Files.setAttribute(directory, "unix:mode", 0x3ff);
        assertThrows(IOException.class, () -> SpillDirectory.open(directory, BUDGET));
        SpillDirectory.open(directory.resolve("inside"), BUDGET).close();
    }

    @Test
    void directoryThatOthersReadIsTaken() throws IOException {
        Files.createDirectories(directory);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        SpillDirectory.open(directory, BUDGET).close();
    }

    @Test
    void directoryOfAnotherUserIsRefused() throws IOException {
        Files.createDirectories(directory);
        try {
            UserPrincipal nobody =
                    directory.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody");
            Files.setOwner(directory, nobody);
        } catch (IOException e) {
            assumeTrue(false, "may not give files away: " + e);
        }
        IOException refused = assertThrows(IOException.class, () -> SpillDirectory.open(directory, BUDGET));
        assertTrue(refused.getMessage().contains("owned by nobody"), refused.getMessage());
        assertEquals(List.of(), Spills.names(directory));
    }

    @Test
    void placeThatCannotBeWrittenIsRefused() throws IOException {
        Path file = Files.createFile(temporary.resolve("file"));
        assertThrows(IOException.class, () -> SpillDirectory.open(file, BUDGET));
        assertThrows(IOException.class, () -> SpillDirectory.open(file.resolve("inside"), BUDGET));
        Path readOnly = Path.of("/sys");
        assumeTrue(Files.isDirectory(readOnly), "no file system that refuses even root");
        assertThrows(IOException.class, () -> SpillDirectory.open(readOnly, BUDGET));
        assertThrows(IOException.class, () -> SpillDirectory.open(readOnly.resolve("inside"), BUDGET));
    }

    @Test
    void directoryReadOnlyMeanwhileFailsNewFilesOnly() throws IOException {
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET)) {
            SpillFile file = spill.open(Spills.ID);
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("r-x------"));
            try {
                assumeFalse(Files.isWritable(directory), "root may write everywhere");
                assertThrows(IOException.class, () -> spill.open(Spills.ID));
                file.append(Spills.chunk(100));
                assertEquals(1, spill.files());
                file.close();
                assertEquals(0, spill.bytesOnDisk());
            } finally {
                Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
            }
        }
    }

    @Test
    void budgetIsFilledToTheLastByteAndNeverExceededByManyThreads() throws Exception {
        long budget = 100_003;
        try (SpillDirectory spill = SpillDirectory.open(directory, budget)) {
            for (int round = 0; round < 20; round++) {
                AtomicLong most = new AtomicLong();
                List<Future<Long>> writers = new ArrayList<>();
                List<SpillFile> files = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    SpillFile file = spill.open(Spills.ID);
                    files.add(file);
                    int size = 1 + 100 * i;
                    writers.add(audit.executor().submit(() -> {
                        for (; ; ) {
                            try {
                                file.append(Spills.chunk(size));
                                most.accumulateAndGet(spill.bytesOnDisk(), Math::max);
                            } catch (BudgetExhaustedException e) {
                                return file.written();
                            }
                        }
                    }));
                }
                long sum = 0;
                for (Future<Long> each : writers) {
                    sum += each.get();
                }
                assertEquals(budget, sum, "the one that writes single bytes fills it");
                assertEquals(budget, spill.bytesOnDisk());
                assertEquals(budget, spill.peakBytesOnDisk());
                assertTrue(most.get() <= budget);
                for (SpillFile each : files) {
                    long before = spill.bytesOnDisk();
                    each.close();
                    assertEquals(before - each.written(), spill.bytesOnDisk());
                }
                assertEquals(0, spill.bytesOnDisk());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void filesThatWereForgottenGoWithTheDirectory(boolean named) throws IOException {
        SpillDirectory spill = SpillDirectory.open(directory, BUDGET, named);
        SpillFile forgotten = spill.open(Spills.ID);
        forgotten.append(Spills.chunk(100));
        spill.open(Spills.ID);
        spill.close();
        spill.close();
        assertEquals(List.of(), Spills.names(directory));
        assertEquals(List.of(), Spills.descriptors(directory));
        assertEquals(0, spill.files());
        assertEquals(0, spill.bytesOnDisk());
        assertThrows(IOException.class, () -> forgotten.append(Spills.chunk(1)));
        assertThrows(IOException.class, () -> spill.open(Spills.ID));
    }

    @Test
    void fileThatCannotBeRemovedStaysChargedUntilItIs() throws IOException {
        try (SpillDirectory spill = SpillDirectory.open(directory, BUDGET, true)) {
            SpillFile file = spill.open(Spills.ID);
            file.append(Spills.chunk(100));
            Path path = directory.resolve(Spills.spilled(directory).get(0));
            Files.delete(path);
            Files.createDirectories(path.resolve("in the way"));
            assertThrows(IOException.class, file::close);
            assertEquals(100, spill.bytesOnDisk());
            assertEquals(1, spill.files());
            Files.delete(path.resolve("in the way"));
        }
        assertEquals(List.of(), Spills.names(directory));
    }

    @Test
    void fullDeviceFailsTheFrameAndLeavesNoFile() throws Exception {
        try (ChildJvm child = ChildJvm.of(SpillChild.class, temporary)
                .after("ulimit -f 128")
                .start("limit", directory.toString(), "true")) {
            List<String> lines = child.lines(LONGEST);
            long written = ChildJvm.number(lines, "written");
            assertTrue(written > 0 && written <= 128 << 10 && written % 10_000 == 0, lines.toString());
            assertEquals(100 - written / 10_000, ChildJvm.number(lines, "failed"), lines.toString());
            assertEquals(written, ChildJvm.number(lines, "read"), "frames before it are whole");
            assertEquals(30_000, ChildJvm.number(lines, "disk"), "of the three that are still open");
        }
        assertEquals(List.of(), Spills.names(directory));
    }

    @ParameterizedTest
    @ValueSource(strings = {"return", "exit"})
    void processThatExitsWithoutClosingLeavesNoFile(String way) throws Exception {
        try (ChildJvm child = ChildJvm.of(SpillChild.class, temporary).start(way, directory.toString(), "true")) {
            List<String> lines = child.lines(LONGEST);
            if (way.equals("return")) {
                assertEquals(3, ChildJvm.number(lines, "spilled"));
            }
        }
        assertEquals(List.of(), Spills.names(directory));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatAKilledProcessLeavesIsRemovedByTheNextAndWhatALiveOneHasIsNot(boolean named) throws Exception {
        try (ChildJvm killed = live(named, "first");
                ChildJvm alive = live(named, "second")) {
            started("first", "second");
            Path foreign = Files.createFile(directory.resolve("tailrace-of-somebody-else.spill"));
            List<String> both = Spills.names(directory);
            assertEquals(2 + 1 + (named ? 6 : 0), both.size(), both.toString());
            SpillDirectory.open(directory, BUDGET).close();
            assertEquals(both, Spills.names(directory), "both live");
            killed.kill();
            assertEquals(both, Spills.names(directory));
            openAndClose();
            List<String> left = Spills.names(directory);
            assertEquals(1 + 1 + (named ? 3 : 0), left.size(), left.toString());
            assertEquals(named ? 4 : 1, Spills.spilled(directory).size());
            alive.kill();
            openAndClose();
            assertEquals(List.of("tailrace-of-somebody-else.spill"), Spills.names(directory));
            assertTrue(Files.exists(foreign));
        }
    }

    @Test
    void processesThatComeAndGoTakeNothingFromOneAnother() throws Exception {
        int rounds = LeakAudit.FULL ? 1_000 : 300;
        String[] arguments = {"churn", directory.toString(), Integer.toString(rounds)};
        try (ChildJvm first = ChildJvm.of(SpillChild.class, temporary).start(arguments);
                ChildJvm second = ChildJvm.of(SpillChild.class, temporary).start(arguments);
                ChildJvm third = ChildJvm.of(SpillChild.class, temporary).start(arguments)) {
            for (ChildJvm each : List.of(first, second, third)) {
                assertEquals(rounds, ChildJvm.number(each.lines(LONGEST), "whole"));
            }
        }
        assertEquals(List.of(), Spills.names(directory));
        audit.cases(3L * rounds);
    }

    @Test
    void secondDirectoryOfAProcessDoesNotGiveTheFirstOnesAway() throws Exception {
        try (SpillDirectory first = SpillDirectory.open(directory, BUDGET, true)) {
            first.open(Spills.ID).append(Spills.chunk(100));
            List<String> names = Spills.names(directory);
            openAndClose();
            assertEquals(names, Spills.names(directory));
            try (ChildJvm other =
                    ChildJvm.of(SpillChild.class, temporary).start("exit", directory.toString(), "true")) {
                other.lines(LONGEST);
            }
            assertEquals(names, Spills.names(directory), "its lock outlived the other one's look around");
        }
        assertEquals(List.of(), Spills.names(directory));
    }

    @Test
    void lockFileThatIsNoneIsLeftAlone() throws IOException {
        Files.createDirectories(directory);
        Path target = Files.createFile(temporary.resolve("target"));
        Path link = directory.resolve("tailrace-1-2-0123456789abcdef.lock");
        Files.createSymbolicLink(link, target);
        Path data = Files.createFile(directory.resolve("tailrace-1-2-0123456789abcdef-0.spill"));
        openAndClose();
        assertTrue(Files.isSymbolicLink(link));
        assertTrue(Files.exists(data));
        Files.delete(link);
        Files.createFile(link);
        openAndClose();
        assertFalse(Files.exists(link));
        assertFalse(Files.exists(data));
    }

    private void openAndClose() {
        try {
            SpillDirectory.open(directory, BUDGET).close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private ChildJvm live(boolean named, String flag) throws IOException {
        return ChildJvm.of(SpillChild.class, temporary)
                .start(
                        "live",
                        directory.toString(),
                        Boolean.toString(named),
                        temporary.resolve(flag).toString());
    }

    private void started(String... flags) throws InterruptedException {
        for (String flag : flags) {
            Eventually.isTrue(flag + " spills", () -> Files.exists(temporary.resolve(flag)));
        }
    }
}
