// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How much processor time everybody but this process takes, from Linux's accounts, which count hundredths of a second.
 * Where there are none, nobody seems to take any.
 */
final class OtherLoad {

    private static final Path ACCOUNTS = Path.of("/proc/stat");
    private static final long NANOS_PER_TICK = 10_000_000;

    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private long since;
    private long othersThen;

    void begin() throws IOException {
        since = System.nanoTime();
        othersThen = others();
    }

    /** Processors that others kept busy since {@link #begin}. */
    double processors() throws IOException {
        long others = others() - othersThen;
        return Math.max(0, (double) others / (System.nanoTime() - since));
    }

    private long others() throws IOException {
        if (!Files.isReadable(ACCOUNTS)) {
            return 0;
        }
        List<String> all = List.of(Files.readAllLines(ACCOUNTS).get(0).trim().split(" +"));
        // user, nice and system; not the interrupts, which work for all
        long ticks = Long.parseLong(all.get(1)) + Long.parseLong(all.get(2)) + Long.parseLong(all.get(3));
        return ticks * NANOS_PER_TICK - system.getProcessCpuTime();
    }
}
