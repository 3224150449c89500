// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.mux.Arriving;
import io.tailrace.core.mux.Connection;
import io.tailrace.core.mux.Incarnations;
import io.tailrace.core.mux.JobAccounts;
import io.tailrace.core.mux.MuxSettings;
import io.tailrace.core.mux.Overflow;
import io.tailrace.core.mux.Proofs;
import io.tailrace.core.mux.SpillDirectory;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ResultTooLargeException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Receives the results of many senders, many at a time on each connection.
 *
 * <pre>{@code
 * ResultServer server = ResultServer.builder(pool)
 *         .secret(secret)
 *         .decodingOn(executor)
 *         .handler(result -> rows.add(result.decodeWhole(codec)))
 *         .start();
 * }</pre>
 *
 * <p>Each result is given to the handler while it arrives. Its sender is told that it was accepted when the handler has
 * returned and the result was complete; else that it was refused, with the reason. All memory for what arrives is the
 * pool's: credit is given only for chunks that are at hand.
 *
 * <p><b>Threads.</b> Any thread. Handlers run on the executor; event loops run no codec.
 */
public final class ResultServer implements AutoCloseable {

    private static final Logger LOG = System.getLogger(ResultServer.class.getName());

    /** What is done with a result. */
    @FunctionalInterface
    public interface Handler {
        /**
         * Reads the result, on a decoding thread, as far as it wants: what it leaves is verified and skipped. What it throws
         * refuses the result.
         */
        void receive(ArrivingResult result) throws Exception;
    }

    private final NettyLoops loops;
    private final Reception reception;
    private final JobAccounts jobs;
    private final Incarnations incarnations;
    private final ChannelGroup connections;
    private final Counters counters = new Counters();
    private final Channel listening;
    private final @Nullable Proofs proofs;
    private final @Nullable Overflow overflow;
    private final AtomicBoolean closed = new AtomicBoolean();

    private ResultServer(Builder builder, Executor executor, Handler handler, @Nullable SpillDirectory disk)
            throws IOException {
        ChunkPool pool = builder.pool;
        int budget = (int) Math.min(Integer.MAX_VALUE, pool.budgetBytes() / pool.chunkBytes());
        jobs = new JobAccounts(builder.maxJobBytes);
        incarnations = new Incarnations(builder.maxRecords, builder.policy());
        int places = builder.places(budget);
        int decoders = (budget - budget / 4 - places * Overflow.LEAST_WINDOW) / builder.chunksOfEach();
        reception = new Reception(
                builder.reading,
                handler,
                executor,
                counters,
                incarnations,
                jobs,
                Math.max(1, Math.min(builder.maxDecoders, decoders)),
                builder.maxResults,
                budget / 4);
        Executor spiller = builder.spillingOn;
        overflow = disk == null || spiller == null ? null : reception.spillTo(disk, spiller, places);
        MuxSettings settings = new MuxSettings(
                builder.name,
                builder.window,
                builder.sharedChunks,
                (long) Math.max(1, builder.sharedChunks / 2) * pool.chunkBytes(),
                1,
                NettyLoops.nanos(builder.heartbeat),
                NettyLoops.nanos(builder.handshakeLimit),
                NettyLoops.nanos(builder.frameLimit),
                Long.MAX_VALUE,
                NettyLoops.nanos(builder.spillAfter),
                MuxSettings.MANY_RESULTS);
        proofs = builder.secret == null ? null : new Proofs(builder.secret);
        SecureRandom random = new SecureRandom();
        loops = NettyLoops.of(
                builder.address,
                builder.group,
                builder.loopThreads,
                builder.threads,
                pool.chunkBytes(),
                builder.tls != null);
        connections = new DefaultChannelGroup(loops.group().next(), true);
        try {
            listening = loops.server()
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            accept(channel, builder, settings, random);
                        }
                    })
                    .bind(builder.address)
                    .syncUninterruptibly()
                    .channel();
        } catch (RuntimeException e) {
            loops.close();
            throw new IOException("cannot listen on " + builder.address, e);
        }
    }

    private void accept(Channel channel, Builder builder, MuxSettings settings, SecureRandom random) {
        if (connections.size() >= builder.maxConnections) {
            LOG.log(Level.WARNING, "too many connections: {0} is refused", channel);
            channel.close().addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
            return;
        }
        connections.add(channel);
        TransportTls tls = builder.tls;
        NettyConnection connection = new NettyConnection(settings, tls != null, random, (link, over) -> {
            Turns turns = new Turns(over);
            Connection made = Connection.server(
                    link, System::nanoTime, NettyLoops.loop(over), settings, proofs, turns, reception, builder.pool);
            turns.connection = made;
            return made;
        });
        if (tls != null) {
            tls.secure(channel.pipeline(), null, 0, connection);
        }
        channel.pipeline().addLast(connection);
    }

    /**
     * For what arrives into that pool: its budget bounds it. A pool of the server's own: encoders that share it could fill it with
     * chunks that wait for credit, for which there would be no chunk then.
     */
    public static Builder builder(ChunkPool pool) {
        return new Builder(pool);
    }

    /** Where it listens. */
    public SocketAddress address() {
        return listening.localAddress();
    }

    /** Connections now open, proved or not. */
    public int connections() {
        return connections.size();
    }

    /** Results let in and not settled yet. */
    public int openResults() {
        return reception.openResults();
    }

    public TransportCounters counters() {
        return counters.read(overflow == null ? 0 : overflow.directory().writtenBytes());
    }

    /** What each connection has counted that is open now and whose peer has proved who it is. */
    public List<ConnectionCounters> connectionCounters() {
        return NettyConnection.countersOf(connections, spilledBytes());
    }

    /** Memory that Netty uses for all connections: direct, and under TLS on the heap too. */
    public long outsideBytes() {
        return loops.memory().usedBytes();
    }

    /** Sets one job's limit of payload and trailer bytes, of all its results together. */
    public void limitJob(String job, long bytes) {
        jobs.limit(job, bytes);
    }

    /** Bytes counted for a job: accepted results, and what has come so far of others. */
    public long jobBytes(String job) {
        return jobs.counted(job);
    }

    /**
     * Counts a result that came another way towards its job's limit.
     *
     * @throws ResultTooLargeException when the limit would be exceeded; nothing is counted then
     */
    public void countInline(String job, long bytes) throws ResultTooLargeException {
        jobs.addInline(job, bytes);
    }

    /** Takes back what {@link #countInline} counted. */
    public void refundInline(String job, long bytes) {
        jobs.refundInline(job, bytes);
    }

    /** Forgets what was counted and recorded of a job. A replay of one of its attempts would be taken for new. */
    public void forgetJob(String job) {
        jobs.forget(job);
        incarnations.forget(job);
    }

    /**
     * Closes all connections; results that have not come whole are lost. Handlers that still run end by themselves; what they have
     * not read back from disk is gone.
     */
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        listening.close().syncUninterruptibly();
        NettyConnection.endAll(connections, ByeReason.SHUTTING_DOWN);
        connections.close().awaitUninterruptibly();
        loops.close();
        if (proofs != null) {
            proofs.close();
        }
        if (overflow != null) {
            try {
                overflow.close();
            } catch (IOException e) {
                LOG.log(Level.WARNING, "spill files could not be removed", e);
            }
        }
    }

    /** Bytes of results now on disk, because their readers stand still. */
    public long spilledBytes() {
        return overflow == null ? 0 : overflow.directory().bytesOnDisk();
    }

    /** The most that were on disk at once. */
    public long peakSpilledBytes() {
        return overflow == null ? 0 : overflow.directory().peakBytesOnDisk();
    }

    /** Follows one connection's turns. */
    private final class Turns implements Connection.Events {
        private final Channel channel;
        private @Nullable Connection connection;
        private @Nullable ConnectionEvent event;

        Turns(Channel channel) {
            this.channel = channel;
        }

        @Override
        public void opened(String peer) {
            LOG.log(Level.DEBUG, "{0} is connected by {1}", peer, channel);
            counters.connectionOpened();
            event = ConnectionEvent.begin("incoming", peer, channel.toString());
        }

        @Override
        public void closed(String reason, @Nullable IOException cause) {
            LOG.log(Level.DEBUG, channel + " ended: " + reason, cause);
            ConnectionEvent told = event;
            Connection ended = connection;
            if (told != null && ended != null) {
                told.end(reason, cause, ended.tally());
                if (cause != null) {
                    counters.connectionLost();
                }
            }
        }
    }

    /** Settings of a server. */
    public static final class Builder {
        private final ChunkPool pool;
        private final ResultReader.Builder reading;
        private SocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        private @Nullable EventLoopGroup group;
        private int loopThreads = 1;
        private ThreadFactory threads = ResultServer::daemon;
        private byte @Nullable [] secret;
        private @Nullable TransportTls tls;
        private int maxConnections = 10_000;
        private @Nullable Executor executor;
        private @Nullable Handler handler;
        private String name = "server";
        private int window = 8;
        private int sharedChunks = 16;
        private int maxDecoders = Integer.MAX_VALUE;
        private int maxResults = 10_000;
        private int maxRecords = 65_536;
        private boolean firstAcceptedWins;
        private boolean expands;
        private long maxJobBytes = Long.MAX_VALUE;
        private Duration heartbeat = Duration.ofSeconds(10);
        private Duration handshakeLimit = Duration.ofSeconds(10);
        private Duration frameLimit = Duration.ofMinutes(1);
        private Duration spillAfter = ChronoUnit.FOREVER.getDuration();
        private @Nullable Path spillFolder;
        private long spillBytes;
        private @Nullable Executor spillingOn;

        private Builder(ChunkPool pool) {
            this.pool = pool;
            this.reading = ResultReader.builder(pool).window(2);
        }

        /** Where to listen; the default is any port of the loopback address. A Netty {@code LocalAddress} stays in the process. */
        public Builder address(SocketAddress where) {
            address = where;
            return this;
        }

        /** Event loops of the embedder's own, of the address's kind; the default is one thread of this server's. */
        public Builder loops(@Nullable EventLoopGroup own) {
            group = own;
            return this;
        }

        /** How many threads this server's own loops have, and who makes them. */
        public Builder loopThreads(int count, ThreadFactory factory) {
            loopThreads = count;
            threads = factory;
            return this;
        }

        /** What both ends must know, at least 16 bytes; null, the default, lets anyone in who reaches the address. */
        public Builder secret(byte @Nullable [] shared) {
            secret = shared == null ? null : shared.clone();
            return this;
        }

        /** TLS with certificates on both sides; null, the default, is plaintext. */
        public Builder tls(@Nullable TransportTls both) {
            tls = both;
            return this;
        }

        /** Most connections at once, proved or not; others are closed. The default is 10,000. */
        public Builder maxConnections(int most) {
            maxConnections = most;
            return this;
        }

        /** Runs handlers; as many at a time as it has threads, {@link #maxDecoders} at most. */
        public Builder decodingOn(Executor handlers) {
            executor = handlers;
            return this;
        }

        public Builder handler(Handler what) {
            handler = what;
            return this;
        }

        /** What this process calls itself to its peers; at most 255 bytes of UTF-8. */
        public Builder name(String own) {
            NettyLoops.requireName(own);
            name = own;
            return this;
        }

        /** Most chunks of credit that a result has of its own, 2 or more, 3 where results spill; the default is 8. A handler
         * that stands still keeps so many of the budget, unless its result {@linkplain #spill goes to disk}. */
        public Builder window(int chunks) {
            NettyLoops.requireAtLeast(1, chunks, "window");
            window = chunks;
            return this;
        }

        /**
         * Most chunks of credit that the results of one connection share, until they have their own; the default is 16. One
         * result may use half of them. All connections together have a quarter of the budget for it.
         */
        public Builder sharedChunks(int chunks) {
            NettyLoops.requireAtLeast(0, chunks, "shared chunks");
            sharedChunks = chunks;
            return this;
        }

        /**
         * Most results that are decoded at once; by default as many as the budget has two chunks for, one more with
         * compression and two more where results spill. The others wait in line.
         */
        public Builder maxDecoders(int most) {
            NettyLoops.requireAtLeast(1, most, "decoders");
            maxDecoders = most;
            return this;
        }

        /** Most results open at once, waiting ones included; others are refused, retriably. The default is 10,000. */
        public Builder maxResults(int most) {
            maxResults = most;
            return this;
        }

        /** Most tasks whose fate is remembered to answer replays; the default is 65,536. */
        public Builder maxRecords(int most) {
            maxRecords = most;
            return this;
        }

        /** Lets attempts of a task run side by side until one is accepted; by default a newer attempt supersedes an older. */
        public Builder firstAcceptedWins(boolean on) {
            firstAcceptedWins = on;
            return this;
        }

        /** Most payload and trailer bytes of all results of a job; unlimited by default. */
        public Builder maxJobBytes(long bytes) {
            maxJobBytes = bytes;
            return this;
        }

        /** Limits of each result. */
        public Builder limits(DecoderLimits most) {
            reading.limits(most);
            return this;
        }

        /** What expands compressed frames. */
        public Builder compression(@Nullable BlockCompression blocks) {
            reading.compression(blocks);
            expands = blocks != null;
            return this;
        }

        /** How often each connection says something; a peer that is silent for twice its own is given up. The default is 10 s. */
        public Builder heartbeat(Duration interval) {
            NettyLoops.requireNotNegative(interval, "heartbeat");
            heartbeat = interval;
            return this;
        }

        /** How long a peer may take to prove who it is; the default is 10 seconds. */
        public Builder handshakeLimit(Duration longest) {
            NettyLoops.requireNotNegative(longest, "handshake limit");
            handshakeLimit = longest;
            return this;
        }

        /** How long one frame may take to come whole; the default is a minute. */
        public Builder frameLimit(Duration longest) {
            NettyLoops.requireNotNegative(longest, "frame limit");
            frameLimit = longest;
            return this;
        }

        /**
         * Where a result goes whose reader has left for so long what has come for it, be it that a handler is slow, that a subscriber
         * asks for nothing, or that it waits for a decoding thread: its sender then goes on at the disk's pace, and it keeps no more
         * of the budget than it needs to be read. It is read as ever, verified as ever and accepted when its handler has returned.
         * The time is looked at a few times in a {@linkplain #heartbeat heartbeat}. What is on disk is not encrypted; its
         * files are the process owner's alone, and are removed in every case.
         *
         * @param folder made if need be; others must not be able to write to it
         * @param diskBytes most bytes on disk for all results of this server; beyond, and where the disk refuses, results wait in
         *     memory and their senders for credit
         * @param on for what may wait for the disk
         */
        public Builder spill(Path folder, long diskBytes, Duration after, Executor on) {
            spillFolder = folder;
            spillBytes = diskBytes;
            spillAfter = after;
            spillingOn = on;
            return this;
        }

        /** Chunks that a result must be able to have while it is decoded; one that goes to disk is read back through one more. */
        private int chunksOfEach() {
            return (spillFolder == null ? Arriving.LEAST_WINDOW : Overflow.LEAST_WINDOW + 1) + (expands ? 1 : 0);
        }

        /** Results that may come in at once, on their way to disk, before anybody decodes them: an eighth of the budget. */
        private int places(int budget) {
            int left = budget - budget / 4 - chunksOfEach();
            int most = left / Overflow.LEAST_WINDOW;
            return spillFolder == null ? 0 : Math.min(most, Math.max(1, budget / 8 / Overflow.LEAST_WINDOW));
        }

        private Incarnations.Policy policy() {
            return firstAcceptedWins ? Incarnations.Policy.FIRST_ACCEPTED_WINS : Incarnations.Policy.NEWEST_WINS;
        }

        /**
         * Begins to listen.
         *
         * @throws IllegalStateException without a handler, or an executor to run it, or with a budget too small for one result
         * @throws IOException when the address or the spill folder cannot be used
         */
        public ResultServer start() throws IOException {
            Executor on = executor;
            Handler what = handler;
            if (on == null || what == null) {
                throw new IllegalStateException("a server needs a handler and an executor to decode on");
            }
            if (pool.budgetBytes() / pool.chunkBytes() < chunksOfEach()) {
                throw new IllegalStateException("a server needs a budget of " + chunksOfEach() + " chunks");
            }
            Path folder = spillFolder;
            SpillDirectory disk = folder == null ? null : SpillDirectory.open(folder, spillBytes);
            try {
                return new ResultServer(this, on, what, disk);
            } catch (Throwable e) {
                if (disk != null) {
                    disk.close();
                }
                throw e;
            }
        }
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "tailrace-server");
        thread.setDaemon(true);
        return thread;
    }
}
