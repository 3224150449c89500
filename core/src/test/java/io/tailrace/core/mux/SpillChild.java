// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.wire.BudgetExhaustedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A process that spills, and ends in a way of its own. */
final class SpillChild {

    private SpillChild() {}

    @SuppressWarnings("MustBeClosed")
    public static void main(String[] args) throws IOException, InterruptedException {
        Path directory = Path.of(args[1]);
        if (args[0].equals("churn")) {
            churn(directory, Integer.parseInt(args[2]));
            return;
        }
        SpillDirectory spill = SpillDirectory.open(directory, 1 << 30, Boolean.parseBoolean(args[2]));
        for (int i = 0; i < 3; i++) {
            spill.open(Spills.ID).append(Spills.chunk(10_000));
        }
        switch (args[0]) {
            case "live" -> {
                Files.createFile(Path.of(args[3]));
                Thread.sleep(60_000);
            }
            case "exit" -> System.exit(0);
            case "limit" -> limit(spill);
            default -> System.out.println("spilled=" + Spills.spilled(directory).size());
        }
    }

    /** Opens and closes; each time its own file must live until it is closed, whoever else comes and goes. */
    private static void churn(Path directory, int rounds) throws IOException {
        int whole = 0;
        for (int i = 0; i < rounds; i++) {
            try (SpillDirectory spill = SpillDirectory.open(directory, 1 << 20, true);
                    SpillFile file = spill.open(Spills.ID)) {
                file.append(Spills.chunk(10));
                Path lock = spill.lockFile();
                SpillDirectory.open(directory, 1 << 20, true).close();
                boolean locked = Files.exists(lock);
                String name = String.valueOf(lock.getFileName()).replace(".lock", "-0.spill");
                whole += locked && Files.exists(directory.resolve(name)) ? 1 : 0;
            }
        }
        System.out.println("whole=" + whole);
    }

    private static void limit(SpillDirectory spill) throws IOException {
        long written;
        int failed = 0;
        try (SpillFile file = spill.open(Spills.ID)) {
            for (int i = 0; i < 100; i++) {
                try {
                    file.append(Spills.chunk(10_000));
                } catch (BudgetExhaustedException e) {
                    throw e;
                } catch (IOException e) {
                    failed++;
                }
            }
            written = file.written();
            byte[] into = new byte[1 << 20];
            int read = 0;
            while (file.transferable() > 0) {
                read += file.read(into, read, into.length - read);
            }
            System.out.println("read=" + read);
        }
        System.out.println("failed=" + failed);
        System.out.println("written=" + written);
        System.out.println("disk=" + spill.bytesOnDisk());
    }
}
