// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.wire.ResultId;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Verifies every byte of what arrives, and keeps how much came of each attempt and what was thrown.
 *
 * <p><b>Threads.</b> Any.
 */
final class Arrivals implements ResultServer.Handler {

    private final Map<ResultId, Long> whole = new ConcurrentHashMap<>();
    private final Map<ResultId, Throwable> thrown = new ConcurrentHashMap<>();
    private final Set<ResultId> begun = ConcurrentHashMap.newKeySet();
    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicInteger atOnce = new AtomicInteger();
    private final AtomicInteger mostAtOnce = new AtomicInteger();
    private final ResultServer.Handler first;

    Arrivals() {
        this(result -> {});
    }

    /** One in which something else is done with each result before its rest is read. */
    Arrivals(ResultServer.Handler first) {
        this.first = first;
    }

    @Override
    public void receive(ArrivingResult result) throws Exception {
        calls.incrementAndGet();
        begun.add(result.id());
        mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
        try {
            first.receive(result);
            long bytes = Filling.read(result.id(), Long.MAX_VALUE, result.payload());
            result.finish();
            whole.put(result.id(), bytes);
        } catch (Throwable e) {
            thrown.put(result.id(), e);
            throw e;
        } finally {
            atOnce.decrementAndGet();
        }
    }

    /** How many results were begun. */
    int calls() {
        return calls.get();
    }

    /** Those that were begun. */
    Set<ResultId> begun() {
        return begun;
    }

    int mostAtOnce() {
        return mostAtOnce.get();
    }

    /** The payload bytes of each result that came whole. */
    Map<ResultId, Long> whole() {
        return whole;
    }

    /** What the reader of each other result was told. */
    Map<ResultId, Throwable> thrown() {
        return thrown;
    }
}
