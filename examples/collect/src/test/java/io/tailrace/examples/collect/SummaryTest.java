// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.examples.collect.child.Child.Role;
import io.tailrace.examples.collect.child.Job;
import io.tailrace.examples.collect.child.Job.Mode;
import io.tailrace.examples.collect.child.Job.Transport;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SummaryTest {

    private static Summary summary(Mode mode, Boolean matches, String outOfMemory, String failure) {
        Job job = new Job(mode, Transport.MUX, 1, null, 2, 8, 4, 20, 65_536, 8, false, false, null, List.of());
        return new Summary(
                job,
                new ByteSize(64 << 20),
                new Counts(10, 1_000, 1_100),
                List.of("A|F|1"),
                matches,
                2,
                900,
                9,
                7,
                List.of(
                        new ProcessMemory("driver", Role.DRIVER, 0, 131_072, 524_288, 81_920, 0, 0),
                        new ProcessMemory("executor 0", Role.EXECUTOR, 0, 65_536, 524_288, 8_192, 5_000_000, 1 << 20)),
                "none",
                outOfMemory,
                failure,
                List.of());
    }

    @Test
    void exitStatusTellsTheOutcome() {
        assertEquals(0, summary(Mode.TAILRACE, true, null, null).exitCode());
        assertEquals(0, summary(Mode.TAILRACE, null, null, null).exitCode());
        assertEquals(1, summary(Mode.TAILRACE, false, null, null).exitCode());
        assertEquals(1, summary(Mode.TAILRACE, null, null, "driver: no").exitCode());
        assertEquals(
                3,
                summary(Mode.STOCK, null, "executor", "executor 0 ran out of memory")
                        .exitCode());
    }

    @Test
    void wrongAnswerIsSaid() {
        assertTrue(summary(Mode.TAILRACE, false, null, null).text().contains("DIFFERS"));
    }

    @Test
    void memoryOfEachProcessAndItsLimitsAreSaid() {
        String text = summary(Mode.TAILRACE, true, null, null).text();

        assertTrue(
                text.lines().anyMatch(line -> line.matches("  driver +0 B +128.0 KiB +512.0 KiB +80.0 KiB +\\? +0 B")),
                text);
        assertTrue(text.contains("pool 6.0 MiB in the driver and 2.1 MiB in an executor"), text);
        assertTrue(text.contains("7 results spilled, at most 1.0 MiB on disk"), text);
    }

    @Test
    void secondRunsSummaryIsInsideTheFirsts() {
        String json = Summary.json(
                List.of(summary(Mode.TAILRACE, true, null, null), summary(Mode.STOCK, null, "executor", "ran out")));

        assertTrue(json.startsWith("{\n  \"mode\": \"tailrace\",\n  \"transport\": \"mux\",\n  \"scale\": 1.0,"), json);
        assertTrue(json.contains("  \"stock\": {\n    \"mode\": \"stock\","), json);
        assertTrue(json.contains("\"windowBytes\": 524288"), json);
        assertTrue(json.contains("\"driverLiveHeapBytes\": null"), "nothing was measured there");
    }
}
