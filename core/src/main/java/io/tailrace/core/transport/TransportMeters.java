// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.BaseUnits;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * A server's or a client's numbers as Micrometer's meters, all named {@code tailrace.…}. Micrometer is an optional dependency,
 * which the embedder brings.
 *
 * <p><b>Threads.</b> Any: the registry reads when it wants to.
 */
public final class TransportMeters implements MeterBinder {

    private final String side;
    private final Supplier<TransportCounters> counters;
    private final Supplier<Number> open;
    private final Supplier<Number> outside;
    private final Supplier<Number> disk;
    private final Tags tags;

    private TransportMeters(
            String side,
            Supplier<TransportCounters> counters,
            Supplier<Number> open,
            Supplier<Number> outside,
            Supplier<Number> disk,
            Iterable<Tag> tags) {
        this.side = side;
        this.counters = counters;
        this.open = open;
        this.outside = outside;
        this.disk = disk;
        this.tags = Tags.of(tags);
    }

    public static TransportMeters of(ResultServer server, Iterable<Tag> tags) {
        return new TransportMeters(
                "receiver", server::counters, server::openResults, server::outsideBytes, server::spilledBytes, tags);
    }

    public static TransportMeters of(ResultClient client, Iterable<Tag> tags) {
        return new TransportMeters(
                "sender", client::counters, client::openResults, client::outsideBytes, client::spilledBytes, tags);
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        Tags all = tags.and("side", side);
        count(registry, "tailrace.connections.opened", all, TransportCounters::connectionsOpened);
        count(registry, "tailrace.connections.lost", all, TransportCounters::connectionsLost);
        count(registry, "tailrace.results.opened", all, TransportCounters::resultsOpened);
        count(registry, "tailrace.results", all.and("fate", "accepted"), TransportCounters::resultsAccepted);
        count(registry, "tailrace.results", all.and("fate", "refused"), TransportCounters::resultsRefused);
        count(registry, "tailrace.results", all.and("fate", "superseded"), TransportCounters::resultsSuperseded);
        count(registry, "tailrace.results", all.and("fate", "lost"), TransportCounters::resultsLost);
        count(registry, "tailrace.results", all.and("fate", "cancelled"), TransportCounters::resultsCancelled);
        count(registry, "tailrace.results.spilled", all, TransportCounters::resultsSpilled);
        FunctionCounter.builder("tailrace.frames", counters, from -> from.get().frameBytes())
                .baseUnit(BaseUnits.BYTES)
                .tags(all)
                .register(registry);
        FunctionCounter.builder(
                        "tailrace.credit.stall", counters, from -> from.get().creditStallNanos() / 1e9)
                .baseUnit("seconds")
                .tags(all)
                .register(registry);
        Gauge.builder("tailrace.results.open", open).tags(all).register(registry);
        Gauge.builder("tailrace.memory.netty", outside)
                .baseUnit(BaseUnits.BYTES)
                .tags(all)
                .register(registry);
        Gauge.builder("tailrace.disk", disk).baseUnit(BaseUnits.BYTES).tags(all).register(registry);
    }

    private void count(MeterRegistry registry, String name, Tags with, ToDoubleFunction<TransportCounters> of) {
        FunctionCounter.builder(name, counters, from -> of.applyAsDouble(from.get()))
                .tags(with)
                .register(registry);
    }
}
