// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One attempt's elements on their way to a {@link Gathering}.
 *
 * <p><b>Threads.</b> Decoding threads, one behind the other, and under the gathering's lock whoever begins or asks.
 */
final class Attempt implements Flow.Subscriber<List<Object>> {

    private final Gathering<?> gathering;
    private final int partition;
    private final Consumer<String> cancel;
    private final Runnable ended;
    private List<List<Object>> kept = new ArrayList<>();
    private volatile Flow.@Nullable Subscription subscription;

    /** Elements to pass over, which the consumer has had. Written before the first batch is asked for. */
    private long had;

    Attempt(Gathering<?> gathering, int partition, Consumer<String> cancel, Runnable ended) {
        this.gathering = gathering;
        this.partition = partition;
        this.cancel = cancel;
        this.ended = ended;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        subscription = given;
        if (!gathering.enter(partition, this)) {
            stop(Gathering.COMPLETE);
        }
    }

    /** It is its turn. */
    void begin(long passOver, int batches) {
        had = passOver;
        ask(batches);
    }

    void ask(int batches) {
        Flow.Subscription given = subscription;
        if (given != null) {
            given.request(batches);
        }
    }

    /** Nobody wants it any more. */
    void stop(String reason) {
        ended.run();
        cancel.accept(reason);
        Flow.Subscription given = subscription;
        if (given != null) {
            given.cancel();
        }
    }

    @Override
    public void onNext(List<Object> batch) {
        int over = (int) Math.min(had, batch.size());
        had -= over;
        if (gathering.deliver(partition, this, batch.subList(over, batch.size()))) {
            ask(1);
        }
    }

    void keep(List<Object> elements) {
        kept.add(elements);
    }

    /** What was kept, once. */
    List<List<Object>> kept() {
        List<List<Object>> all = kept;
        kept = new ArrayList<>();
        return all;
    }

    @Override
    public void onError(Throwable cause) {
        kept = new ArrayList<>();
        ended.run();
        gathering.brokeOff(partition, this);
    }

    @Override
    public void onComplete() {
        gathering.complete(partition, this);
    }
}
