// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.BaseUnits;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/**
 * A server's or a client's numbers as Micrometer's meters, all named {@code tailrace.…}. Micrometer is an optional dependency,
 * which the embedder brings.
 *
 * <p><b>Threads.</b> Any: the registry reads when it wants to.
 */
public final class TransportMeters implements MeterBinder {

    private final String side;
    private final Set<StallCause> causes;
    private final Supplier<TransportCounters> counters;
    private final Supplier<List<ConnectionCounters>> connections;
    private final Supplier<Number> open;
    private final Supplier<Number> outside;
    private final Supplier<Number> disk;
    private final Tags tags;

    private TransportMeters(
            String side,
            Set<StallCause> causes,
            Supplier<TransportCounters> counters,
            Supplier<List<ConnectionCounters>> connections,
            Supplier<Number> open,
            Supplier<Number> outside,
            Supplier<Number> disk,
            Iterable<Tag> tags) {
        this.side = side;
        this.causes = causes;
        this.counters = counters;
        this.connections = connections;
        this.open = open;
        this.outside = outside;
        this.disk = disk;
        this.tags = Tags.of(tags);
    }

    public static TransportMeters of(ResultServer server, Iterable<Tag> tags) {
        return new TransportMeters(
                "receiver",
                EnumSet.range(StallCause.DECODER, StallCause.BYTES),
                server::counters,
                server::connectionCounters,
                server::openResults,
                server::outsideBytes,
                server::spilledBytes,
                tags);
    }

    public static TransportMeters of(ResultClient client, Iterable<Tag> tags) {
        return new TransportMeters(
                "sender",
                EnumSet.range(StallCause.ADMISSION, StallCause.ACKNOWLEDGEMENT),
                client::counters,
                client::connectionCounters,
                client::openResults,
                client::outsideBytes,
                client::spilledBytes,
                tags);
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
        count("tailrace.frames", from -> from.frameBytes())
                .baseUnit(BaseUnits.BYTES)
                .tags(all)
                .register(registry);
        count("tailrace.spilled", from -> from.spilledBytes())
                .baseUnit(BaseUnits.BYTES)
                .tags(all)
                .register(registry);
        for (StallCause cause : causes) {
            count("tailrace.stall", from -> from.stallNanos(cause) / 1e9)
                    .baseUnit("seconds")
                    .tags(all.and("cause", cause.name().toLowerCase(Locale.ROOT)))
                    .register(registry);
        }
        sum(registry, "tailrace.credit", all.and("account", "shared"), ConnectionCounters::sharedCreditBytes);
        sum(registry, "tailrace.credit", all.and("account", "own"), ConnectionCounters::ownCreditBytes);
        sum(registry, "tailrace.inside", all, ConnectionCounters::insideBytes);
        sum(registry, "tailrace.backlog", all, ConnectionCounters::backlogBytes);
        Gauge.builder("tailrace.results.open", open).tags(all).register(registry);
        Gauge.builder("tailrace.memory.netty", outside)
                .baseUnit(BaseUnits.BYTES)
                .tags(all)
                .register(registry);
        Gauge.builder("tailrace.disk", disk).baseUnit(BaseUnits.BYTES).tags(all).register(registry);
    }

    /** Of all connections that are open. */
    private void sum(MeterRegistry registry, String name, Tags with, ToLongFunction<ConnectionCounters> of) {
        Supplier<List<ConnectionCounters>> from = connections;
        Gauge.builder(name, () -> from.get().stream().mapToLong(of).sum())
                .baseUnit(BaseUnits.BYTES)
                .tags(with)
                .register(registry);
    }

    private void count(MeterRegistry registry, String name, Tags with, ToDoubleFunction<TransportCounters> of) {
        count(name, of).tags(with).register(registry);
    }

    /** A registry holds a counter's object weakly and its function strongly; nobody but the function may know ours. */
    private FunctionCounter.Builder<?> count(String name, ToDoubleFunction<TransportCounters> of) {
        Supplier<TransportCounters> from = counters;
        return FunctionCounter.builder(name, from, weak -> of.applyAsDouble(from.get()));
    }
}
