// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.Serializable;
import java.util.Locale;

/**
 * What a sender tells of a result that failed: plain texts and numbers, so that no class is needed to read it.
 *
 * @param className the error's class
 * @param text the error's own text, empty when it has none
 * @param stack the first lines of its stack trace
 * @param payloadBytes payload written before it failed
 * @param frames frames written before it failed
 */
public record ResultFailure(
        FailurePhase phase,
        String className,
        String text,
        String stack,
        long payloadBytes,
        long frames,
        boolean retriable)
        implements Serializable {

    String summary() {
        String error = text.isEmpty() ? className : className + ": " + text;
        return "result failed in phase " + phase.name().toLowerCase(Locale.ROOT) + ": " + error;
    }
}
