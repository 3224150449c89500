// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.text.MessageFormat;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What a class logs while this is open, whatever its level; with what was thrown. */
public final class Logged implements AutoCloseable {

    private final Logger logger;
    private final Level before;
    private final ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();

    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord record) {
            Object[] parameters = record.getParameters();
            String text =
                    parameters == null ? record.getMessage() : MessageFormat.format(record.getMessage(), parameters);
            lines.add(record.getThrown() == null ? text : text + " " + record.getThrown());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    public Logged(Class<?> by) {
        logger = Logger.getLogger(by.getName());
        before = logger.getLevel();
        logger.setLevel(Level.ALL);
        logger.addHandler(handler);
    }

    public List<String> lines() {
        return List.copyOf(lines);
    }

    /** Whether a line has these words. */
    public boolean has(String words) {
        return lines.stream().anyMatch(line -> line.contains(words));
    }

    @Override
    public void close() {
        logger.removeHandler(handler);
        logger.setLevel(before);
    }
}
