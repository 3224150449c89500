// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line of the collect job. */
@Command(
        name = "tailrace-collect",
        mixinStandardHelpOptions = true,
        version = "0.1.0-SNAPSHOT",
        description = "Collects the results of many tasks on one driver.")
public final class Main implements Runnable {

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).execute(args));
    }

    @Override
    public void run() {
        CommandLine.usage(this, System.out);
    }
}
