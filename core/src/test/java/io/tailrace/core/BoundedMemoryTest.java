// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.testing.LeakAudit;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes with small heaps and little direct memory, and results that do not fit them. */
class BoundedMemoryTest {

    private static final String[] SMALL = {"-Xmx64m", "-XX:MaxDirectMemorySize=16m"};
    private static final Duration LONGEST = Duration.ofMinutes(LeakAudit.FULL ? 20 : 1);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void resultFarLargerThanBothHeapsGoesThroughThem(boolean threaded) throws Exception {
        long bytes = LeakAudit.FULL ? 4L << 30 : 256L << 20;
        Path port = directory.resolve("port");
        try (ChildJvm receiver = ChildJvm.of(LargeReceiver.class, directory)
                        .options(SMALL)
                        .start(port.toString());
                ChildJvm sender = ChildJvm.of(LargeSender.class, directory)
                        .options(SMALL)
                        .start(port.toString(), Long.toString(bytes), Boolean.toString(threaded))) {
            List<String> sent = sender.lines(LONGEST);
            List<String> received = receiver.lines(LONGEST);
            assertEquals(bytes, ChildJvm.number(sent, "payload"));
            assertEquals(bytes, ChildJvm.number(received, "payload"));
            bounded("sender", sent, threaded ? LargeSender.WINDOW : 1);
            bounded("receiver", received, LargeReceiver.WINDOW);
        }
    }

    private void bounded(String side, List<String> lines, int window) {
        long peak = ChildJvm.number(lines, "peakLive");
        assertTrue(peak <= (long) window * LargeSender.CHUNK, side + " had " + peak + " bytes live");
        audit.figure(side + ": peak " + peak + " bytes live in chunks of " + LargeSender.CHUNK + " (window " + window
                + "), direct " + ChildJvm.number(lines, "direct") + ", heap after collection "
                + ChildJvm.number(lines, "heap") + ", " + ChildJvm.number(lines, "millis") + " ms for "
                + ChildJvm.number(lines, "payload") + " bytes");
    }

    @Test
    void directMemorySpentUnderLoadFailsWhatNeedsItRetriablyAndIsSurvived() throws Exception {
        try (ChildJvm child = ChildJvm.of(DirectExhaustion.class, directory)
                .options("-Xmx64m", "-XX:MaxDirectMemorySize=32m")
                .start()) {
            List<String> lines = child.lines(LONGEST);
            long sockets = ChildJvm.number(lines, "socketsFailed");
            // JDK 25 no longer counts the buffers that its channels copy through: there these writes succeed.
            assertTrue(sockets > 0 || Runtime.version().feature() >= 25, lines.toString());
            assertTrue(ChildJvm.number(lines, "nettyFailed") > 0, lines.toString());
            assertTrue(ChildJvm.number(lines, "othersComplete") > 0, lines.toString());
            assertEquals(1, ChildJvm.number(lines, "readerRefusedRetriably"), lines.toString());
            assertEquals(1, ChildJvm.number(lines, "recovered"), lines.toString());
            audit.figure("with 32 MiB of direct memory spent, " + sockets + " results into sockets and "
                    + ChildJvm.number(lines, "nettyFailed") + " into Netty failed retriably, "
                    + ChildJvm.number(lines, "othersComplete") + " others were complete; then all again");
        }
    }
}
