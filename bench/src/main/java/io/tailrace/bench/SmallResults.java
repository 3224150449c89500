// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.codec.Codecs;
import io.tailrace.codec.Derivation;
import io.tailrace.core.transport.ArrivingResult;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Results of about 1 KiB, from objects to objects, many of them under way: one thread submits, and waits where the answers to
 * {@value #OUTSTANDING} are still to come.
 *
 * <p><b>Threads.</b> One sends; what receives and what answers are the transport's.
 */
final class SmallResults implements AutoCloseable {

    static final int OUTSTANDING = 2_000;

    private final List<List<Workloads.Row>> results;
    private final long values;
    private final Semaphore free = new Semaphore(OUTSTANDING);
    private final LongAdder received = new LongAdder();
    private volatile @Nullable Throwable failure;
    private final Transport transport;

    /** Sends one result, and has {@link #answered} called, on any thread, when its receiver has called {@link #received}. */
    interface Transport extends AutoCloseable {
        void submit(List<Workloads.Row> result) throws IOException;

        @Override
        void close();
    }

    private interface Opening {
        Transport of(SmallResults results) throws Exception;
    }

    private SmallResults(Values<Workloads.Row> of, Opening opening) throws Exception {
        results = of.results();
        values = results.stream().mapToLong(List::size).sum();
        transport = opening.of(this);
    }

    /** With the default settings of both ends, but for so many decoding threads. */
    static SmallResults multiplexed(Values<Workloads.Row> of, int decoders) throws Exception {
        return new SmallResults(of, results -> new Mux(results, decoders));
    }

    /** @param direct as {@link GrpcCalls} says */
    static SmallResults grpc(Values<Workloads.Row> of, boolean direct) throws Exception {
        return new SmallResults(of, results -> new GrpcCalls(results, direct));
    }

    /** Without a transport: into an array and back. */
    static SmallResults codecAlone(Values<Workloads.Row> of) throws Exception {
        return new SmallResults(of, Alone::new);
    }

    static ValueCodec<List<Workloads.Row>> codec() {
        return Codecs.value(
                Codecs.list(Derivation.builder(MethodHandles.lookup()).build().of(Workloads.Row.class)));
    }

    /** That each {@link #run} sends. */
    int count() {
        return results.size();
    }

    /** Sends all, and waits for the last answer. */
    long run() throws IOException, InterruptedException {
        received.reset();
        for (List<Workloads.Row> result : results) {
            free.acquire();
            transport.submit(result);
        }
        free.acquire(OUTSTANDING);
        free.release(OUTSTANDING);
        Throwable thrown = failure;
        if (thrown != null || received.sum() != values) {
            throw new IOException(received + " values came of " + values, thrown);
        }
        return values;
    }

    long run(int times) throws IOException, InterruptedException {
        long all = 0;
        for (int i = 0; i < times; i++) {
            all += run();
        }
        return all;
    }

    void received(List<Workloads.Row> result) {
        received.add(result.size());
    }

    void answered(@Nullable Throwable thrown) {
        if (thrown != null) {
            failure = thrown;
        }
        free.release();
    }

    @Override
    public void close() {
        transport.close();
    }

    private static final class Mux implements Transport {
        private final ValueCodec<List<Workloads.Row>> codec = codec();
        private final SmallResults results;
        private final Encoding encoding = Encoding.plain();
        private final MuxPair pair;

        Mux(SmallResults results, int decoders) throws Exception {
            this.results = results;
            pair = MuxPair.handling(encoding, decoders, this::receive);
        }

        private void receive(ArrivingResult result) throws IOException {
            results.received(result.decode(codec));
        }

        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // answered is told in any case
        public void submit(List<Workloads.Row> result) throws IOException {
            pair.submit(codec, result).whenComplete((fate, thrown) -> {
                boolean refused = thrown == null && fate.verdict() != Verdict.ACCEPTED;
                results.answered(refused ? new IOException(fate.toString()) : thrown);
            });
        }

        @Override
        public void close() {
            pair.close();
            encoding.close();
        }
    }

    private static final class Alone implements Transport {
        private final SmallResults results;
        private final CodecBytes<List<Workloads.Row>> bytes = new CodecBytes<>(codec());

        Alone(SmallResults results) {
            this.results = results;
        }

        @Override
        public void submit(List<Workloads.Row> result) throws IOException {
            results.received(bytes.decode(bytes.encode(result)));
            results.answered(null);
        }

        @Override
        public void close() {
            // Its memory is the heap's.
        }
    }
}
