// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.TruncatedResultException;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.opentest4j.TestAbortedException;
import org.reactivestreams.tck.TestEnvironment;
import org.reactivestreams.tck.flow.FlowPublisherVerification;
import org.testng.SkipException;

class ElementPublisherTest {

    private static final ResultId ID = new ResultId("flow", 1, 1, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    /** Longs up to the payload's end; a negative one cannot be read. */
    private static final class Longs implements ValueCodec<Iterator<Long>> {

        @Override
        public String id() {
            return "longs/1";
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
                        long value = in.readLong();
                        if (value < 0) {
                            throw new MalformedDataException("negative", in.position());
                        }
                        return value;
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            };
        }
    }

    private byte[] result(ChunkPool pool, long... values) throws IOException {
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        ResultEncoder.builder(pool)
                .build()
                .encode(ID, new Longs(), LongStream.of(values).iterator(), sink);
        return sink.toByteArray();
    }

    private Flow.Publisher<Long> publisher(ChunkPool pool, byte[] stream, Executor executor) throws IOException {
        ResultReader reader = ResultReader.builder(pool).open(Channels.newChannel(new ByteArrayInputStream(stream)));
        reader.nextResult();
        return reader.publish(new Longs(), executor);
    }

    private Flow.Publisher<Long> publisher(byte[] stream) throws IOException {
        return publisher(audit.pool(512, 8 * 512), stream, audit.executor());
    }

    /** Keeps all that it is told. */
    private static class Told implements Flow.Subscriber<Long> {
        private final List<Long> elements = Collections.synchronizedList(new ArrayList<>());
        private final CountDownLatch over = new CountDownLatch(1);
        private volatile Flow.@Nullable Subscription subscription;
        private volatile @Nullable Throwable failure;

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
        }

        @Override
        public void onNext(Long element) {
            elements.add(element);
        }

        @Override
        public void onError(Throwable thrown) {
            failure = thrown;
            over.countDown();
        }

        @Override
        public void onComplete() {
            over.countDown();
        }
    }

    private static long[] upTo(int count) {
        return LongStream.range(0, count).toArray();
    }

    @Test
    void onlyWhatIsAskedForIsDecoded() throws Exception {
        Told told = new Told();
        publisher(result(audit.pool(512, 8 * 512), upTo(1_000))).subscribe(told);
        for (int asked = 10; asked <= 990; asked += 10) {
            told.subscription.request(10);
            int expected = asked;
            Eventually.isTrue(asked + " elements", () -> told.elements.size() == expected);
        }
        Eventually.settlesAt("elements", 990, told.elements::size);
        told.subscription.request(Long.MAX_VALUE);
        told.over.await();
        assertNull(told.failure);
        assertEquals(Arrays.stream(upTo(1_000)).boxed().toList(), told.elements);
    }

    @Test
    void elementsComeWhileFramesArrive() throws Exception {
        ChunkPool pool = audit.pool(512, 32 * 512);
        Pipe pipe = Pipe.open();
        try (Pipe.SinkChannel to = pipe.sink();
                Pipe.SourceChannel from = pipe.source()) {
            byte[] stream = result(pool, upTo(10_000));
            to.write(ByteBuffer.wrap(stream, 0, 20_000));
            ResultReader reader = ResultReader.builder(pool).open(from);
            reader.nextResult();
            Told told = new Told();
            reader.publish(new Longs(), audit.executor()).subscribe(told);
            told.subscription.request(1_000);
            Eventually.isTrue("the first thousand", () -> told.elements.size() == 1_000);
            told.subscription.request(100_000);
            Eventually.isTrue("what has arrived", () -> told.elements.size() > 2_000);
            assertEquals(1, told.over.getCount());
            to.write(ByteBuffer.wrap(stream, 20_000, stream.length - 20_000));
            told.over.await();
            assertNull(told.failure);
            assertEquals(10_000, told.elements.size());
        }
    }

    @Test
    void truncatedResultNeverCompletes() throws Exception {
        byte[] stream = result(audit.pool(512, 8 * 512), upTo(1_000));
        Told told = new Told();
        publisher(Arrays.copyOf(stream, stream.length - 1)).subscribe(told);
        told.subscription.request(Long.MAX_VALUE);
        told.over.await();
        assertInstanceOf(TruncatedResultException.class, told.failure);
    }

    @Test
    void failureOfTheSenderIsTold() throws Exception {
        ChunkPool pool = audit.pool(512, 8 * 512);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        try (ResultWriter writer = ResultEncoder.builder(pool).build().open(ID, "longs/1", sink)) {
            writer.payload().writeLong(1);
            writer.fail(new IllegalStateException("lost"));
        }
        Told told = new Told();
        publisher(sink.toByteArray()).subscribe(told);
        told.subscription.request(Long.MAX_VALUE);
        told.over.await();
        assertInstanceOf(ResultFailedException.class, told.failure);
        audit.requireWhole();
    }

    @Test
    void elementThatCannotBeReadEndsThem() throws Exception {
        Told told = new Told();
        publisher(result(audit.pool(512, 8 * 512), 1, 2, -1, 3)).subscribe(told);
        told.subscription.request(Long.MAX_VALUE);
        told.over.await();
        assertInstanceOf(MalformedDataException.class, told.failure);
        assertEquals(List.of(1L, 2L), told.elements);
        audit.requireWhole();
    }

    @Test
    void otherCodecsPayloadIsRefused() throws Exception {
        ChunkPool pool = audit.pool(512, 8 * 512);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        try (ResultWriter writer = ResultEncoder.builder(pool).build().open(ID, "shorts/1", sink)) {
            writer.finish();
        }
        Told told = new Told();
        publisher(sink.toByteArray()).subscribe(told);
        told.subscription.request(1);
        told.over.await();
        assertInstanceOf(MalformedDataException.class, told.failure);
    }

    @Test
    void cancelClosesTheReader() throws Exception {
        ChunkPool pool = audit.pool(512, 8 * 512);
        ResultReader reader = ResultReader.builder(pool)
                .open(Channels.newChannel(new ByteArrayInputStream(result(pool, upTo(1_000)))));
        reader.nextResult();
        Told told = new Told();
        reader.publish(new Longs(), audit.executor()).subscribe(told);
        told.subscription.request(10);
        Eventually.isTrue("10 elements", () -> told.elements.size() == 10);
        told.subscription.cancel();
        told.subscription.request(10);
        Eventually.isTrue("the reader is closed", () -> reader.liveBytes() == 0);
        assertEquals(10, told.elements.size());
        assertEquals(1, told.over.getCount(), "nothing is said to one that cancelled");
    }

    @Test
    void executorThatRefusesIsToldAndTheReaderClosed() throws Exception {
        ChunkPool pool = audit.pool(512, 8 * 512);
        Told told = new Told();
        publisher(pool, result(pool, upTo(10)), task -> {
                    throw new RejectedExecutionException("full");
                })
                .subscribe(told);
        told.subscription.request(1);
        assertInstanceOf(RejectedExecutionException.class, told.failure);
        audit.requireWhole();
    }

    @Test
    void subscriberThatThrowsIsGivenUp() throws Exception {
        audit.expectWarnings();
        ChunkPool pool = audit.pool(512, 8 * 512);
        Told told = new Told() {
            @Override
            public void onNext(Long element) {
                super.onNext(element);
                throw new IllegalStateException("no more");
            }
        };
        publisher(pool, result(pool, upTo(10)), audit.executor()).subscribe(told);
        told.subscription.request(5);
        Eventually.isTrue("the reader is closed", () -> pool.liveBytes() == 0 && told.elements.size() == 1);
        assertEquals(1, told.over.getCount());
        assertEquals(1, audit.warnings().size(), "it is said somewhere");
    }

    @Test
    void nothingFollowsAnEndThatTheSubscriberThrowsFrom() throws Exception {
        audit.expectWarnings();
        ChunkPool pool = audit.pool(512, 8 * 512);
        List<String> ends = new ArrayList<>();
        byte[] cut = result(pool, upTo(10));
        for (byte[] stream : List.of(result(pool, upTo(10)), Arrays.copyOf(cut, cut.length - 1))) {
            Told told = new Told() {
                @Override
                public void onComplete() {
                    ends.add("complete");
                    throw new IllegalStateException("of the subscriber");
                }

                @Override
                public void onError(Throwable thrown) {
                    ends.add("error");
                    throw new IllegalStateException("of the subscriber");
                }
            };
            publisher(pool, stream, Runnable::run).subscribe(told);
            told.subscription.request(100);
        }
        assertEquals(List.of("complete", "error"), ends);
        audit.requireWhole();
    }

    @Test
    void executorThatFailsIsToldAndTheReaderClosed() throws Exception {
        ChunkPool pool = audit.pool(512, 8 * 512);
        Error noThread = new Error("no thread can be had");
        Told told = new Told();
        publisher(pool, result(pool, upTo(10)), task -> {
                    throw noThread;
                })
                .subscribe(told);
        told.subscription.request(1);
        assertSame(noThread, told.failure);
        audit.requireWhole();
    }

    @Test
    void nullAmongTheElementsIsTold() throws Exception {
        ChunkPool pool = audit.pool(512, 8 * 512);
        ResultReader reader =
                ResultReader.builder(pool).open(Channels.newChannel(new ByteArrayInputStream(result(pool, upTo(10)))));
        reader.nextResult();
        ValueCodec<Iterator<Long>> nulls = new ValueCodec<>() {
            @Override
            public String id() {
                return "longs/1";
            }

            @Override
            public void encode(Iterator<Long> values, WireOutput out) {}

            @Override
            public Iterator<Long> decode(WireInput in) {
                return Arrays.asList(1L, null, 2L).iterator();
            }
        };
        Told told = new Told();
        reader.publish(nulls, Runnable::run).subscribe(told);
        told.subscription.request(3);
        assertEquals(List.of(1L), told.elements);
        assertInstanceOf(NullPointerException.class, told.failure);
        audit.requireWhole();
    }

    /** Reactive Streams' own verification, which is written for another test framework. */
    @TestFactory
    Stream<DynamicTest> itKeepsTheRulesOfReactiveStreams() {
        ChunkPool pool = audit.pool(512, 1_000 * 512);
        return Arrays.stream(FlowPublisherVerification.class.getMethods())
                .filter(method -> method.isAnnotationPresent(org.testng.annotations.Test.class))
                .filter(method -> !method.getName().startsWith("untested_")) // rules without a test
                .map(method -> DynamicTest.dynamicTest(method.getName(), () -> verify(method, pool)));
    }

    private void verify(Method method, ChunkPool pool) throws Throwable {
        Verification verification = new Verification(pool, audit.executor());
        verification.setUp();
        try {
            method.invoke(verification);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof SkipException skipped) {
                throw new TestAbortedException(skipped.getMessage(), skipped);
            }
            throw e.getCause();
        } finally {
            verification.closeAll();
        }
    }

    private final class Verification extends FlowPublisherVerification<Long> {
        private final ChunkPool pool;
        private final Executor executor;
        private final List<ResultReader> readers = new ArrayList<>();

        Verification(ChunkPool pool, Executor executor) {
            super(new TestEnvironment(500, 50));
            this.pool = pool;
            this.executor = executor;
        }

        @Override
        public Flow.Publisher<Long> createFlowPublisher(long elements) {
            return publisher(LongStream.range(0, elements).toArray());
        }

        @Override
        public Flow.Publisher<Long> createFailedFlowPublisher() {
            return null; // it fails when elements are asked for, not before
        }

        @Override
        public long maxElementsFromPublisher() {
            return 100_000;
        }

        private Flow.Publisher<Long> publisher(long... values) {
            try {
                ResultReader reader = ResultReader.builder(pool)
                        .open(Channels.newChannel(new ByteArrayInputStream(result(pool, values))));
                reader.nextResult();
                readers.add(reader);
                return reader.publish(new Longs(), executor);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Those that a test left before their end. */
        void closeAll() throws InterruptedException {
            Thread.sleep(20); // their tasks are through
            readers.forEach(ResultReader::close);
        }
    }
}
