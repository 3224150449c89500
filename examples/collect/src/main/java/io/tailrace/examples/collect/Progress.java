// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import java.io.IOException;
import java.lang.reflect.Method;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** How far the run is, on standard error: a bar on a terminal, elsewhere a line now and then. */
final class Progress implements AutoCloseable {

    private static final long LINE_NANOS = 5_000_000_000L;
    private static final int BAR_COLUMNS = 100;

    private final String name;
    private final String unit;
    private final long total;
    private final @Nullable ProgressBar bar;
    private long firstBytes;
    private long nextLine = System.nanoTime() + LINE_NANOS;
    private long done;

    private Progress(String name, long total, String unit, @Nullable ProgressBar bar) {
        this.name = name;
        this.total = total;
        this.unit = unit;
        this.bar = bar;
    }

    static Progress start(String mode, long total, String unit) {
        String name = mode.toLowerCase(Locale.ROOT);
        return new Progress(name, total, unit, onTerminal() ? bar(name, total, unit) : null);
    }

    private static ProgressBar bar(String name, long total, String unit) {
        return new ProgressBarBuilder()
                .setTaskName(name)
                .setInitialMax(total)
                .setUnit(unit, 1)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(100)
                .setConsumer(new ConsoleProgressBarConsumer(System.err, BAR_COLUMNS))
                .build();
    }

    /** Since JDK 22 there is a console without a terminal, too; then it has a method that tells. */
    @SuppressWarnings("SystemConsoleNull")
    private static boolean onTerminal() {
        if (System.console() == null) {
            return false;
        }
        try {
            Method isTerminal = System.console().getClass().getMethod("isTerminal");
            return (boolean) isTerminal.invoke(System.console());
        } catch (ReflectiveOperationException e) {
            return true;
        }
    }

    /** The rate is that since the first payload was seen: JVMs take their time to start. */
    void update(long nowDone, long payloadBytes) {
        done = nowDone;
        if (payloadBytes > 0 && firstBytes == 0) {
            firstBytes = System.nanoTime();
        }
        long nanos = firstBytes == 0 ? 0 : System.nanoTime() - firstBytes;
        String rate = new ByteSize(nanos <= 0 ? 0 : (long) (payloadBytes * 1e9 / nanos)) + "/s";
        if (bar != null) {
            bar.stepTo(done);
            bar.setExtraMessage(rate);
        } else if (System.nanoTime() >= nextLine) {
            nextLine += LINE_NANOS;
            System.err.printf("%s: %,d of about %,d%s, %s%n", name, done, total, unit, rate);
        }
    }

    @Override
    public void close() throws IOException {
        if (bar != null) {
            bar.maxHint(done); // the total was an estimate
            bar.close();
        }
    }
}
