// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.TruncatedResultException;
import io.tailrace.core.wire.UndeliveredResultException;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A result whose elements a subscriber takes as it likes is accepted when it has taken all of them. */
final class PublishedResultTest {

    private static final long COUNT = 400_000;

    /** The longs below the number. */
    record Below() implements ValueCodec<Iterator<Long>> {
        @Override
        public String id() {
            return "below/1";
        }

        @Override
        public void encode(Iterator<Long> values, WireOutput out) throws IOException {
            while (values.hasNext()) {
                out.writeLong(values.next());
            }
        }

        @Override
        public Iterator<Long> decode(WireInput in) {
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    try {
                        return !in.exhausted();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }

                @Override
                public Long next() {
                    if (!hasNext()) {
                        throw new NoSuchElementException();
                    }
                    try {
                        return in.readLong();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            };
        }
    }

    /** Takes so many at a time; remembers how it ended. */
    private static final class Taking implements Flow.Subscriber<Long> {
        private final long atATime;
        private final AtomicLong sum = new AtomicLong();
        private final AtomicLong count = new AtomicLong();
        private final CompletableFuture<Long> end = new CompletableFuture<>();
        private Flow.Subscription subscription;

        Taking(long atATime) {
            this.atATime = atATime;
        }

        @Override
        public void onSubscribe(Flow.Subscription from) {
            subscription = from;
            from.request(atATime);
        }

        @Override
        public void onNext(Long element) {
            sum.addAndGet(element);
            if (count.incrementAndGet() % atATime == 0 && atATime != COUNT / 2) {
                subscription.request(atATime);
            }
        }

        @Override
        public void onError(Throwable cause) {
            end.completeExceptionally(cause);
        }

        @Override
        public void onComplete() {
            end.complete(sum.get());
        }
    }

    @TempDir
    Path temporary;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private ChunkPool pool;

    @BeforeEach
    void open() {
        pool = ChunkPool.builder().paranoid(true).build();
    }

    @AfterEach
    void close() throws InterruptedException {
        threads.shutdown();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS));
        pool.close();
    }

    private ResultServer server(Flow.Subscriber<Long> subscriber) throws IOException {
        return ResultServer.builder(pool)
                .decodingOn(threads)
                .handler(result -> result.publish(new Below(), threads).subscribe(subscriber))
                .start();
    }

    private ResultClient client(ResultServer server) throws IOException {
        return ResultClient.builder(ResultEncoder.builder(pool).build()).connect(server.address());
    }

    private static Iterator<Long> values() {
        return java.util.stream.LongStream.range(0, COUNT).boxed().iterator();
    }

    @Test
    void isAcceptedWhenItsSubscriberHasTakenAll() throws Exception {
        Taking taking = new Taking(1_000);
        try (ResultServer server = server(taking);
                ResultClient client = client(server)) {
            client.send(new ResultId("job", 1, 1, 0), new Below(), values());
            assertEquals(COUNT * (COUNT - 1) / 2, taking.end.get(10, TimeUnit.SECONDS));
        }
    }

    @Test
    void isNotAcceptedWhileItsSubscriberWantsNoMore() throws Exception {
        Taking taking = new Taking(COUNT / 2);
        try (ResultServer server = server(taking);
                ResultClient client = client(server)) {
            CompletableFuture<ResultFate> fate = threadsSubmit(client);
            Eventually.isTrue("half is taken", () -> taking.count.get() == COUNT / 2);
            assertFalse(fate.isDone());
            taking.subscription.request(COUNT);
            assertEquals(Verdict.ACCEPTED, fate.get(10, TimeUnit.SECONDS).verdict());
        }
    }

    @Test
    void goesToDiskWhileItsSubscriberAsksForNothing() throws Exception {
        Taking taking = new Taking(COUNT / 2);
        try (ResultServer server = ResultServer.builder(pool)
                        .decodingOn(threads)
                        .handler(result -> result.publish(new Below(), threads).subscribe(taking))
                        .heartbeat(Duration.ofMillis(400))
                        .spill(temporary.resolve("spill"), 64 << 20, Duration.ofMillis(20), threads)
                        .start();
                ResultClient client = client(server)) {
            CompletableFuture<ResultFate> fate =
                    client.submit(new ResultId("job", 1, 1, 0), new Below(), values()); // returns when it is encoded
            Eventually.isTrue("on disk", () -> server.spilledBytes() > 0);
            Eventually.isTrue("half is taken", () -> taking.count.get() == COUNT / 2);
            assertFalse(fate.isDone());
            taking.subscription.request(COUNT);
            assertEquals(Verdict.ACCEPTED, fate.get(10, TimeUnit.SECONDS).verdict());
            assertEquals(COUNT * (COUNT - 1) / 2, taking.end.get(10, TimeUnit.SECONDS));
            Eventually.isTrue("it is gone", () -> server.spilledBytes() == 0);
        }
    }

    @Test
    void isCancelledWithItsSubscription() throws Exception {
        Taking taking = new Taking(COUNT / 2);
        try (ResultServer server = server(taking);
                ResultClient client = client(server)) {
            CompletableFuture<ResultFate> fate = threadsSubmit(client);
            Eventually.isTrue("half is taken", () -> taking.count.get() == COUNT / 2);
            taking.subscription.cancel();
            assertEquals(Verdict.CANCELLED, fate.get(10, TimeUnit.SECONDS).verdict());
            Eventually.isTrue("the result has ended", () -> server.openResults() == 0);
        }
    }

    /** Its encoder may still be at it when the cancel comes: both ways to learn of it are one here. */
    private CompletableFuture<ResultFate> threadsSubmit(ResultClient client) {
        CompletableFuture<ResultFate> told = new CompletableFuture<>();
        threads.execute(() -> {
            try {
                told.complete(client.submit(new ResultId("job", 1, 1, 0), new Below(), values())
                        .get(10, TimeUnit.SECONDS));
            } catch (UndeliveredResultException e) {
                told.complete(e.fate());
            } catch (Exception e) {
                told.completeExceptionally(e);
            }
        });
        return told;
    }

    @Test
    void failsItsSubscriberWhenTheConnectionIsLost() throws Exception {
        Taking taking = new Taking(COUNT / 2);
        try (ResultServer server = server(taking)) {
            try (ResultClient client = client(server)) {
                CompletableFuture<ResultFate> fate = threadsSubmit(client);
                Eventually.isTrue("half is taken", () -> taking.count.get() == COUNT / 2);
                assertFalse(fate.isDone());
            }
            taking.subscription.request(COUNT);
            Eventually.isTrue("the subscriber is told", taking.end::isDone);
            Eventually.isTrue("the result has ended", () -> server.openResults() == 0);
            ExecutionException told = assertThrows(ExecutionException.class, taking.end::get);
            assertInstanceOf(TruncatedResultException.class, told.getCause());
        }
    }
}
