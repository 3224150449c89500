// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.transport.ArrivingResult;
import io.tailrace.core.transport.ResultServer;
import io.tailrace.core.transport.TransportTls;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.serializer.DeserializationStream;
import org.apache.spark.serializer.Serializer;
import org.apache.spark.serializer.SerializerInstance;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * The driver's end: decodes values while they arrive and keeps them until Spark meets their tokens. An executor is told that its
 * result is accepted when the value is here, whole; only then is there a token.
 *
 * <p><b>Threads.</b> Handlers run on threads of its own, with the class loader of who made it; Spark's result getters claim.
 */
final class Receiver implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Receiver.class);
    private static final long LINGER_SECONDS = 5;
    private static final ClassTag<Object> ANY = ClassTag$.MODULE$.apply(Object.class);

    private final Serializer serializer;
    private final Token token;
    private final DriverMeters meters;
    private final Arrivals arrivals;
    private final StageTotals totals;
    private final ChunkPool pool;
    private final ExecutorService decoding;
    private final ResultServer server;
    private final Map<Long, Gathering<?>> gatherings = new ConcurrentHashMap<>();

    Receiver(
            Settings settings,
            Serializer serializer,
            InetSocketAddress address,
            byte[] secret,
            @Nullable TransportTls tls,
            DriverMeters meters,
            StageTotals totals)
            throws IOException {
        this.serializer = serializer;
        this.token = new Token(secret);
        this.meters = meters;
        this.totals = totals;
        this.arrivals = new Arrivals(() -> meters.swept().inc());
        this.pool = ChunkPool.builder()
                .chunkBytes(settings.chunkBytes())
                .budgetBytes(settings.driverMemory())
                .build();
        this.decoding = decoders(Thread.currentThread().getContextClassLoader());
        this.server = ResultServer.builder(pool)
                .address(address)
                .secret(secret)
                .tls(tls)
                .name("driver")
                .window(settings.window())
                .maxDecoders(settings.decoders())
                .decodingOn(decoding)
                .handler(this::receive)
                .start();
    }

    private static ExecutorService decoders(ClassLoader loader) {
        AtomicInteger number = new AtomicInteger();
        return Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "tailrace-decoder-" + number.incrementAndGet());
            thread.setDaemon(true);
            thread.setContextClassLoader(loader); // as Spark's result getters have it
            return thread;
        });
    }

    private void receive(ArrivingResult result) throws Exception {
        switch (result.codecId()) {
            case Sending.VALUE -> receiveValue(result, Receiver::readWhole);
            case Sending.SLICES -> receiveValue(result, ArraySlices::read);
            case Sending.ELEMENTS -> receiveElements(result);
            default -> throw new UnsupportedOperationException("results by codec " + result.codecId());
        }
    }

    /** Elements are decoded behind the handler's return, as they are asked for: who waits occupies no decoder. */
    private void receiveElements(ArrivingResult result) throws IOException {
        byte[] header = new byte[PartitionSender.HEADER_BYTES];
        result.payload().readBytes(header, 0, header.length);
        ByteBuffer fields = ByteBuffer.wrap(header);
        Gathering<?> gathering = gatherings.get(fields.getLong());
        if (gathering == null) {
            throw new CancellationException("nobody gathers these elements");
        }
        StageTotals.Account account =
                gathering.keepsAll() ? totals.open(StageAttempt.of(result.id())) : StageTotals.uncounted();
        result.publish(new ElementBatches(serializer, account), decoding)
                .subscribe(gathering.attempt(fields.getInt(), result::cancel, account::refund));
    }

    /** Results may come for it from now on. */
    void begin(Gathering<?> gathering) {
        gatherings.put(gathering.number(), gathering);
    }

    void end(Gathering<?> gathering) {
        gatherings.remove(gathering.number());
    }

    private interface Reading {
        Object read(SerializerInstance serializer, InputStream from) throws IOException;
    }

    private static Object readWhole(SerializerInstance serializer, InputStream from) {
        DeserializationStream values = serializer.deserializeStream(from);
        Object value = values.readObject(ANY);
        values.close();
        return value;
    }

    private void receiveValue(ArrivingResult result, Reading reading) throws Exception {
        StageAttempt stage = StageAttempt.of(result.id());
        StageTotals.Account account = totals.open(stage);
        Arrivals.Arrival arrival = arrivals.begin(result.id().task(), stage, account, result::cancel);
        boolean here = false;
        try {
            CountedInput in = new CountedInput(result.payload().asInputStream(), account);
            Object value = decode(in, reading);
            result.finish();
            arrivals.put(arrival, value);
            meters.received().inc();
            meters.receivedBytes().inc(in.count());
            here = true;
        } finally {
            if (!here) {
                meters.refused().inc();
                arrivals.abandon(arrival);
            }
        }
    }

    private Object decode(CountedInput in, Reading reading) {
        try {
            return reading.read(serializer.newInstance(), in);
        } catch (VirtualMachineError e) {
            throw e;
        } catch (Throwable e) {
            Throwable failure = in.failure();
            throw failure == null ? new UndecodableValueException(e) : Rethrow.as(failure);
        }
    }

    /** Takes a task's value: see {@link Arrivals#claim}. */
    @Nullable
    Object claim(long task) {
        return arrivals.claim(task);
    }

    Token token() {
        return token;
    }

    Arrivals arrivals() {
        return arrivals;
    }

    StageTotals totals() {
        return totals;
    }

    DriverMeters meters() {
        return meters;
    }

    ChunkPool pool() {
        return pool;
    }

    ResultServer server() {
        return server;
    }

    int port() {
        return ((InetSocketAddress) server.address()).getPort();
    }

    @Override
    public void close() {
        server.close();
        decoding.shutdownNow();
        try {
            if (!decoding.awaitTermination(LINGER_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("Values are still being decoded");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
