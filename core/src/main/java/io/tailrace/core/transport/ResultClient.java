// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.mux.Connection;
import io.tailrace.core.mux.MuxSettings;
import io.tailrace.core.mux.Proofs;
import io.tailrace.core.mux.Sender;
import io.tailrace.core.mux.SpillDirectory;
import io.tailrace.core.mux.Starving;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Sends the results of many tasks over one connection, which is made again when it is lost.
 *
 * <pre>{@code
 * try (ResultClient client = ResultClient.builder(encoder).secret(secret).connect(address)) {
 *     client.send(id, codec, value); // returns when the receiver has accepted it
 * }
 * }</pre>
 *
 * <p>A result is bound to the connection on which it was opened: with that it is lost, retriably.
 *
 * <p><b>Threads.</b> Any thread opens and sends; each result has one encoding thread, which never waits for the network, but
 * for its own window, and for the receiver's answer.
 */
public final class ResultClient implements AutoCloseable {

    private static final Logger LOG = System.getLogger(ResultClient.class.getName());

    private static final long LONGEST_BACKOFF_MILLIS = 10_000;

    /** As much goes to the system in one call, unless chunks are large: each call may wake the peer. */
    private static final int INSIDE_BYTES = 512 << 10;

    private static final int LEAST_INSIDE = 4;

    private final ResultEncoder encoder;
    private final MuxSettings settings;
    private final @Nullable Proofs proofs;
    private final SocketAddress address;
    private final NettyLoops loops;
    private final SecureRandom random = new SecureRandom();
    private final Counters counters = new Counters();
    private final @Nullable TransportTls tls;
    private final long connectNanos;
    private final @Nullable SpillDirectory disk;
    private final Starving starving;
    private volatile CompletableFuture<Connection> current = new CompletableFuture<>();
    private volatile boolean closed;
    private volatile @Nullable Channel channel;
    private volatile @Nullable Future<?> retry;
    private volatile @Nullable Throwable lastFailure;
    private final AtomicInteger failures = new AtomicInteger();

    private ResultClient(Builder builder, SocketAddress address) throws IOException {
        this.encoder = builder.encoder;
        this.address = address;
        ChunkPool pool = encoder.pool();
        this.settings = new MuxSettings(
                builder.name,
                1,
                builder.coalescingChunks,
                0,
                builder.chunksInside == 0
                        ? Math.max(LEAST_INSIDE, INSIDE_BYTES / pool.chunkBytes())
                        : builder.chunksInside,
                NettyLoops.nanos(builder.heartbeat),
                NettyLoops.nanos(builder.connectLimit),
                Long.MAX_VALUE,
                NettyLoops.nanos(builder.creditPatience),
                NettyLoops.nanos(builder.spillAfter),
                MuxSettings.MANY_RESULTS);
        Path folder = builder.spillFolder;
        Executor spiller = builder.spillingOn;
        this.disk = folder == null ? null : SpillDirectory.open(folder, builder.spillBytes);
        this.starving = disk == null || spiller == null ? Starving.WAITS : Starving.spilling(disk, spiller);
        this.proofs = builder.secret == null ? null : new Proofs(builder.secret);
        this.tls = builder.tls;
        if (tls != null && !(address instanceof InetSocketAddress)) {
            throw new IllegalArgumentException("TLS wants a host's address: " + address);
        }
        this.connectNanos = NettyLoops.nanos(builder.connectLimit);
        this.loops = NettyLoops.of(address, builder.group, 1, builder.threads, pool.chunkBytes(), builder.tls != null);
    }

    /** For results that are encoded with these settings. */
    public static Builder builder(ResultEncoder encoder) {
        return new Builder(encoder);
    }

    /**
     * Opens a result. Its writer's {@code finish} returns when the receiver has accepted it.
     *
     * @throws UndeliveredResultException when no connection can be had in time; its fate is LOST
     * @throws IOException as {@link ResultEncoder#open}
     */
    public ResultWriter open(ResultId id, String codecId) throws IOException {
        return open(id, codecId, -1);
    }

    /** The same for a payload of known size, by which the receiver judges before it comes. */
    public ResultWriter open(ResultId id, String codecId, long declaredBytes) throws IOException {
        return encoder.open(id, codecId, declaredBytes, sink(id, declaredBytes, true));
    }

    /**
     * Sends a whole result and waits until the receiver has accepted it.
     *
     * @throws UndeliveredResultException when the receiver did not accept it, or the connection was lost
     * @throws IOException as {@link ResultEncoder#encode}
     */
    public <T> ResultSummary send(ResultId id, ValueCodec<? super T> codec, T value) throws IOException {
        return encoder.encode(id, codec, value, sink(id, -1, true));
    }

    /**
     * Encodes a whole result and returns what becomes of it. This waits for chunks to encode into, not for the receiver, so
     * one thread can have many results under way; small ones share chunks. Where 256 small ones are
     * under way, the next one, and each answer, may wait a millisecond or two for others to go with; where there is no credit for
     * small ones, several wait some five for that before each asks for its own.
     *
     * @return completed with the receiver's answer, on an event loop: what depends on it must not block
     * @throws IOException as {@link ResultEncoder#encode}, when it is not sent at all
     */
    public <T> CompletableFuture<ResultFate> submit(ResultId id, ValueCodec<? super T> codec, T value)
            throws IOException {
        ResultSink sink = sink(id, -1, false);
        encoder.encode(id, codec, value, sink);
        return sink.fate();
    }

    /** Whether there is a connection over which results can be sent now. */
    public boolean isConnected() {
        return current.isDone() && !current.isCompletedExceptionally();
    }

    public TransportCounters counters() {
        return counters.read(disk == null ? 0 : disk.writtenBytes());
    }

    /** What its connection, if there is one now, has counted. */
    public List<ConnectionCounters> connectionCounters() {
        Channel open = channel;
        return open == null ? List.of() : NettyConnection.countersOf(List.of(open), spilledBytes());
    }

    /** Results begun and not ended. */
    public long openResults() {
        return counters().resultsOpen();
    }

    /** Memory that Netty uses for this client: direct, and under TLS on the heap too. */
    public long outsideBytes() {
        return loops.memory().usedBytes();
    }

    /** Closes the connection. Results that were not accepted are lost, sent or not. */
    @Override
    public void close() {
        closed = true;
        current.completeExceptionally(new IOException("the client is closed"));
        Future<?> next = retry;
        if (next != null) {
            next.cancel(false);
        }
        Channel open = channel;
        if (open != null) {
            NettyConnection.endAll(List.of(open), ByeReason.DONE);
            open.close().awaitUninterruptibly();
        }
        loops.close();
        if (proofs != null) {
            proofs.close();
        }
        if (disk != null) {
            try {
                disk.close();
            } catch (IOException e) {
                LOG.log(Level.WARNING, "spill files could not be removed", e);
            }
        }
    }

    /** Bytes of results now on disk, for want of credit. */
    public long spilledBytes() {
        return disk == null ? 0 : disk.bytesOnDisk();
    }

    /** The most that were on disk at once. */
    public long peakSpilledBytes() {
        return disk == null ? 0 : disk.peakBytesOnDisk();
    }

    private ResultSink sink(ResultId id, long declaredBytes, boolean awaitsFate) throws IOException {
        long began = current.isDone() ? 0 : System.nanoTime();
        Sender sender = connection(id).sender();
        long waited = began == 0 ? 0 : System.nanoTime() - began;
        return new ResultSink(sender, counters, id, declaredBytes, awaitsFate, waited);
    }

    private Connection connection(ResultId id) throws IOException {
        CompletableFuture<Connection> wanted = current;
        try {
            return wanted.isDone() ? wanted.get() : wanted.get(connectNanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for a connection");
        } catch (ExecutionException | TimeoutException e) {
            Throwable cause = e instanceof ExecutionException ? e.getCause() : lastFailure;
            String reason = "no connection to " + address + (cause == null ? " in time" : ": " + cause);
            throw new UndeliveredResultException(new ResultFate(Verdict.LOST, reason, true), 0, id, cause);
        }
    }

    private void connect() {
        if (closed) {
            return;
        }
        CompletableFuture<Connection> wanted = current;
        ChannelFuture connecting = loops.client()
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel over) {
                        prepare(over, wanted);
                    }
                })
                .connect(address);
        channel = connecting.channel();
        connecting.addListener(done -> {
            if (!done.isSuccess()) {
                lastFailure = done.cause(); // the connection's end, which Netty tells besides, has it tried again
            } else if (closed) {
                connecting.channel().close().addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
            }
        });
    }

    private void prepare(Channel over, CompletableFuture<Connection> wanted) {
        NettyConnection connection =
                new NettyConnection(settings, tls != null, random, (link, made) -> make(link, made, wanted));
        if (tls != null && address instanceof InetSocketAddress where) {
            tls.secure(over.pipeline(), where.getHostString(), where.getPort(), connection);
        }
        over.pipeline().addLast(connection);
    }

    private Connection make(NettyConnection link, Channel over, CompletableFuture<Connection> wanted) {
        Turns turns = new Turns(wanted, over);
        Connection made = Connection.client(
                link,
                System::nanoTime,
                NettyLoops.loop(over),
                settings,
                proofs,
                turns,
                encoder.pool().chunkBytes(),
                encoder.pool().openWithoutWaiting("small results", settings.sharedChunks(), 0),
                starving);
        turns.connection = made;
        return made;
    }

    private void again() {
        if (closed) {
            return;
        }
        long most = Math.min(LONGEST_BACKOFF_MILLIS, 50L << Math.min(20, failures.incrementAndGet()));
        long millis = most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1);
        try {
            retry = loops.group().next().schedule(this::connect, millis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.log(Level.DEBUG, "the event loops have ended: there will be no other connection", e);
        }
    }

    /** Follows one connection's turns. */
    private final class Turns implements Connection.Events {
        private final CompletableFuture<Connection> wanted;
        private final Channel over;
        private @Nullable Connection connection;
        private @Nullable ConnectionEvent event;

        Turns(CompletableFuture<Connection> wanted, Channel over) {
            this.wanted = wanted;
            this.over = over;
        }

        @Override
        public void opened(String peer) {
            failures.set(0);
            counters.connectionOpened();
            event = ConnectionEvent.begin("outgoing", peer, over.toString());
            wanted.complete(connection);
        }

        @Override
        public void closed(String reason, @Nullable IOException cause) {
            LOG.log(Level.DEBUG, over + " ended: " + reason, cause);
            ConnectionEvent told = event;
            if (told != null) {
                Connection ended = connection;
                if (ended != null) {
                    told.end(reason, cause, ended.tally());
                }
                if (cause != null && !closed) {
                    counters.connectionLost();
                }
            } else if (cause != null && over.isRegistered()) {
                lastFailure = cause;
            }
            if (wanted.isDone()) {
                current = new CompletableFuture<>();
                if (ResultClient.this.closed) {
                    current.completeExceptionally(new IOException("the client is closed"));
                }
            }
            again();
        }
    }

    /** Settings of a client. */
    public static final class Builder {
        private final ResultEncoder encoder;
        private @Nullable EventLoopGroup group;
        private ThreadFactory threads = ResultClient::daemon;
        private byte @Nullable [] secret;
        private @Nullable TransportTls tls;
        private String name = "client";
        private int chunksInside;
        private int coalescingChunks = 4;
        private Duration heartbeat = Duration.ofSeconds(10);
        private Duration connectLimit = Duration.ofSeconds(10);
        private Duration creditPatience = ChronoUnit.FOREVER.getDuration();
        private Duration spillAfter = ChronoUnit.FOREVER.getDuration();
        private @Nullable Path spillFolder;
        private long spillBytes;
        private @Nullable Executor spillingOn;

        private Builder(ResultEncoder encoder) {
            this.encoder = encoder;
        }

        /** Event loops of the embedder's own, of the address's kind; the default is one thread of this client's. */
        public Builder loops(@Nullable EventLoopGroup own) {
            group = own;
            return this;
        }

        /** Who makes this client's own thread. */
        public Builder threads(ThreadFactory factory) {
            threads = factory;
            return this;
        }

        /** What both ends must know, at least 16 bytes; null, the default, proves nothing and asks for nothing. */
        public Builder secret(byte @Nullable [] shared) {
            secret = shared == null ? null : shared.clone();
            return this;
        }

        /** TLS with certificates on both sides; null, the default, is plaintext. The server's must name the address's host. */
        public Builder tls(@Nullable TransportTls both) {
            tls = both;
            return this;
        }

        /** What this process calls itself to the receiver; at most 255 bytes of UTF-8. */
        public Builder name(String own) {
            NettyLoops.requireName(own);
            name = own;
            return this;
        }

        /** Most chunks inside Netty at once, by their bytes; the default is what makes half a mebibyte, and 4 at least. */
        public Builder chunksInside(int most) {
            NettyLoops.requireAtLeast(1, most, "chunks inside Netty");
            chunksInside = most;
            return this;
        }

        /** Most chunks in which small results gather; the default is 4. */
        public Builder coalescingChunks(int most) {
            NettyLoops.requireAtLeast(1, most, "coalescing chunks");
            coalescingChunks = most;
            return this;
        }

        /** How often the connection says something; a peer that is silent for twice its own is given up. The default is 10 s. */
        public Builder heartbeat(Duration interval) {
            NettyLoops.requireNotNegative(interval, "heartbeat");
            heartbeat = interval;
            return this;
        }

        /** How long to wait for a connection, and for the peer's proof; the default is 10 seconds. */
        public Builder connectLimit(Duration longest) {
            NettyLoops.requireNotNegative(longest, "connect limit");
            connectLimit = longest;
            return this;
        }

        /**
         * How long a result may want credit; then it is lost, retriably. Without limit by default: who receives is slow, and
         * its heartbeat tells that it lives.
         */
        public Builder creditPatience(Duration longest) {
            creditPatience = longest;
            return this;
        }

        /**
         * Where the rest of a result goes that has wanted credit for so long: the encoder then goes on at the disk's pace and the
         * writer's {@code finish} returns when all is on disk, whatever becomes of the result. What is on disk is not encrypted;
         * its files are the process owner's alone, and are removed in every case.
         *
         * @param folder made if need be; others must not be able to write to it
         * @param diskBytes most bytes on disk for all results of this client; beyond, results wait in memory
         * @param executor for what may wait for the disk
         */
        public Builder spill(Path folder, long diskBytes, Duration after, Executor executor) {
            spillFolder = folder;
            spillBytes = diskBytes;
            spillAfter = after;
            spillingOn = executor;
            return this;
        }

        /**
         * Begins to connect; who opens a result waits for it.
         *
         * @throws IOException when the spill folder cannot be used
         */
        public ResultClient connect(SocketAddress address) throws IOException {
            ResultClient client = new ResultClient(this, address);
            client.connect();
            return client;
        }
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "tailrace-client");
        thread.setDaemon(true);
        return thread;
    }
}
