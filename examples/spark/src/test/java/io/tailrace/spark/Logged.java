// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;
import org.apache.logging.log4j.core.layout.PatternLayout;

/** What a class logs while this is open. */
final class Logged extends AbstractAppender implements AutoCloseable {

    private final Logger logger;
    private final List<String> lines = new CopyOnWriteArrayList<>();

    private Logged(Logger logger) {
        super("logged", null, PatternLayout.newBuilder().withPattern("%p %m").build(), true, Property.EMPTY_ARRAY);
        this.logger = logger;
    }

    static Logged by(Class<?> type) {
        Logged logged = new Logged((Logger) LogManager.getLogger(type));
        logged.start();
        logged.logger.addAppender(logged);
        return logged;
    }

    @Override
    public void append(LogEvent event) {
        lines.add(String.valueOf(getLayout().toSerializable(event)));
    }

    List<String> lines() {
        return lines;
    }

    @Override
    public void close() {
        logger.removeAppender(this);
        stop();
    }
}
