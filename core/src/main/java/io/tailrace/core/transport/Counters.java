// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * What one end has counted since it began.
 *
 * <p><b>Threads.</b> Any thread counts and reads; what is read together need not be of one moment.
 */
final class Counters {

    private final LongAdder connectionsOpened = new LongAdder();
    private final LongAdder connectionsLost = new LongAdder();
    private final LongAdder results = new LongAdder();
    private final LongAdder frameBytes = new LongAdder();
    private final LongAdder spilledResults = new LongAdder();
    private final Map<Verdict, LongAdder> fates = new EnumMap<>(Verdict.class);
    private final Map<StallCause, LongAdder> stalls = new EnumMap<>(StallCause.class);

    Counters() {
        for (Verdict verdict : Verdict.values()) {
            fates.put(verdict, new LongAdder());
        }
        for (StallCause cause : StallCause.values()) {
            stalls.put(cause, new LongAdder());
        }
    }

    void connectionOpened() {
        connectionsOpened.increment();
    }

    void connectionLost() {
        connectionsLost.increment();
    }

    void resultOpened() {
        results.increment();
    }

    void resultEnded(ResultFate fate, long bytes) {
        LongAdder count = fates.get(fate.verdict());
        if (count != null) {
            count.increment();
        }
        frameBytes.add(bytes);
    }

    void stalled(StallCause cause, long nanos) {
        LongAdder sum = nanos == 0 ? null : stalls.get(cause);
        if (sum != null) {
            sum.add(nanos);
        }
    }

    void spilled() {
        spilledResults.increment();
    }

    /** @param spilledBytes counted where they are written */
    TransportCounters read(long spilledBytes) {
        Map<StallCause, Long> waited = new EnumMap<>(StallCause.class);
        stalls.forEach((cause, nanos) -> waited.put(cause, nanos.sum()));
        return new TransportCounters(
                connectionsOpened.sum(),
                connectionsLost.sum(),
                results.sum(),
                count(Verdict.ACCEPTED),
                count(Verdict.REFUSED),
                count(Verdict.SUPERSEDED),
                count(Verdict.LOST),
                count(Verdict.CANCELLED),
                frameBytes.sum(),
                spilledResults.sum(),
                spilledBytes,
                waited);
    }

    private long count(Verdict verdict) {
        LongAdder count = fates.get(verdict);
        return count == null ? 0 : count.sum();
    }
}
