// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * A child JVM's main class. It ends when its launcher does: standard input is then closed.
 *
 * <p><b>Threads.</b> The main thread works; a daemon waits for the end of standard input and then halts the JVM, sharing nothing.
 */
public final class Child {

    /** The exit status of a JVM that ran out of memory; {@code -XX:+ExitOnOutOfMemoryError} has the same. */
    public static final int OUT_OF_MEMORY = 3;

    private static final int FAILED = 1;

    /** What a child is for. */
    public enum Role {
        DRIVER,
        EXECUTOR
    }

    private Child() {}

    /**
     * Arguments: role, job file, the executor's number, the driver's port. The job's secret comes as the first line of
     * standard input: arguments can be seen by everybody.
     */
    public static void main(String[] args) {
        byte[] secret = readSecret();
        Thread watch = new Thread(Child::endWithLauncher, "launcher watch");
        watch.setDaemon(true);
        watch.start();
        try {
            run(
                    Role.valueOf(args[0]),
                    Job.load(Path.of(args[1])),
                    Integer.parseInt(args[2]),
                    Integer.parseInt(args[3]),
                    secret);
        } catch (OutOfMemoryError e) {
            // The JVM itself ends on a full heap; the limit of direct memory is thrown like any exception.
            Runtime.getRuntime().halt(OUT_OF_MEMORY);
        } catch (Throwable e) {
            Report.FAILURE.say(describe(e));
            System.exit(FAILED);
        }
    }

    private static void run(Role role, Job job, int number, int port, byte[] secret) throws Exception {
        try (Carrier carrier = Carrier.of(job, role, secret)) {
            Meter meter = new Meter(carrier);
            meter.start();
            switch (role) {
                case DRIVER -> new Driver(job, carrier, meter).run(port);
                case EXECUTOR -> new Executor(job, carrier, meter).run(number, port);
            }
            meter.finish();
        }
    }

    /** The exception and its causes; of an ordinary I/O exception the text alone. */
    private static String describe(Throwable e) {
        StringBuilder text = new StringBuilder();
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            boolean plain = cause.getClass() == IOException.class && cause.getMessage() != null;
            text.append(text.isEmpty() ? "" : ": ").append(plain ? cause.getMessage() : cause.toString());
        }
        return text.toString();
    }

    /** Sixteen bytes or more in hexadecimal digits. */
    private static byte[] readSecret() {
        StringBuilder line = new StringBuilder();
        try {
            for (int c = System.in.read(); c >= 0 && c != '\n'; c = System.in.read()) {
                line.append((char) c);
            }
        } catch (IOException e) {
            Runtime.getRuntime().halt(FAILED); // the launcher is gone
        }
        return HexFormat.of().parseHex(line);
    }

    private static void endWithLauncher() {
        try {
            while (System.in.read() >= 0) {
                // nothing more is ever said to a child
            }
        } catch (IOException e) {
            // the same as its end
        }
        Runtime.getRuntime().halt(FAILED);
    }
}
