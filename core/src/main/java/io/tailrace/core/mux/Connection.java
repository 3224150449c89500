// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.frame.ControlReader;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.frame.FrameHeader;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.HelloBody;
import io.tailrace.core.frame.Preamble;
import io.tailrace.core.mux.Liveness.Overdue;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One end of a multiplexed connection: it greets, proves who it is, lets results pass, and watches whether the peer lives.
 *
 * <pre>
 *  GREETING ── hello ──▶ PROVING ── proof ──▶ OPEN ── bye, fault, silence, loss ──▶ CLOSED
 *      └───────────── neither end has a secret ──▶┘
 * </pre>
 *
 * <p><b>Threads.</b> The loop alone.
 */
public final class Connection {

    /** Told of the connection's two turns; each once, on the loop. */
    public interface Events {
        /** The peer is who it says; results may pass. */
        void opened(String peer);

        /** It is over; {@code cause} is null where both ends wanted it. */
        void closed(String reason, @Nullable IOException cause);
    }

    /** Everything that a peer may send before it has proved who it is. */
    static final int MOST_BEFORE_PROOF = 4_096;

    /** Results of which the opening has come and the terminal has not, refused ones too: they cost no credit. */
    static final int MOST_OPEN = 65_536;

    private static final Logger LOG = System.getLogger(Connection.class.getName());

    private enum Phase {
        GREETING,
        PROVING,
        OPEN,
        CLOSED
    }

    private final Link link;
    private final LongSupplier clock;
    private final MuxSettings settings;
    private final Events events;
    private final Handshake handshake;
    private final Liveness liveness;
    private final @Nullable Sender sender;
    private final @Nullable Receiver receiver;
    private final Tally tally;
    private final Incoming incoming = new Incoming();
    private final Intake intake = new Intake(incoming);
    private Phase phase = Phase.GREETING;
    private volatile @Nullable String openedBy;
    private final Starving starving;

    private Connection(
            Link link,
            LongSupplier clock,
            MuxSettings settings,
            Handshake handshake,
            Events events,
            Starving starving,
            @Nullable Sender sender,
            @Nullable Receiver receiver,
            Tally tally) {
        this.tally = tally;
        this.link = link;
        this.clock = clock;
        this.settings = settings;
        this.handshake = handshake;
        this.liveness = new Liveness(settings);
        this.events = events;
        this.starving = starving;
        this.sender = sender;
        this.receiver = receiver;
        intake.limit(MOST_BEFORE_PROOF);
    }

    /** The sending end. The window, from which chunks for small results come, becomes the connection's. */
    public static Connection client(
            Link link,
            LongSupplier clock,
            Loop loop,
            MuxSettings settings,
            @Nullable Proofs proofs,
            Events events,
            int chunkBytes,
            ChunkWindow coalescing,
            Starving starving) {
        GuardedLoop guarded = new GuardedLoop(loop);
        Tally tally = new Tally();
        Link counted = new CountedLink(link, tally);
        Sender sender = new Sender(counted, clock, guarded, settings, chunkBytes, coalescing, tally);
        Handshake handshake = new Handshake(counted, settings, proofs, false, chunkBytes);
        Connection made = new Connection(counted, clock, settings, handshake, events, starving, sender, null, tally);
        guarded.onFault(made::fault);
        return made;
    }

    /** The receiving end. */
    public static Connection server(
            Link link,
            LongSupplier clock,
            Loop loop,
            MuxSettings settings,
            @Nullable Proofs proofs,
            Events events,
            Host host,
            ChunkPool pool) {
        GuardedLoop guarded = new GuardedLoop(loop);
        Tally tally = new Tally();
        Link counted = new CountedLink(link, tally);
        Receiver receiver = new Receiver(counted, clock, guarded, host, settings, pool, tally);
        Handshake handshake = new Handshake(counted, settings, proofs, true, pool.chunkBytes());
        Connection made =
                new Connection(counted, clock, settings, handshake, events, Starving.WAITS, null, receiver, tally);
        guarded.onFault(made::fault);
        return made;
    }

    /** The sending end's results; from any thread. */
    public Sender sender() {
        Sender mine = sender;
        if (mine == null) {
            throw new IllegalStateException("results only come in here");
        }
        return mine;
    }

    /** The receiving end's results. */
    Receiver receiver() {
        Receiver mine = receiver;
        if (mine == null) {
            throw new IllegalStateException("results only go out here");
        }
        return mine;
    }

    /**
     * Greets.
     *
     * @param freshNonce 32 random bytes
     * @param channelBinding what ties the proof to the TLS channel below; empty where there is none
     */
    public void start(byte[] freshNonce, byte[] channelBinding) {
        liveness.start(clock.getAsLong());
        handshake.start(freshNonce, channelBinding);
    }

    /** Bytes have come; to be followed by {@link #receivedAll} when no more are at hand. */
    public void received(ByteBuffer bytes) {
        if (phase == Phase.CLOSED) {
            bytes.position(bytes.limit());
            return;
        }
        liveness.heard(clock.getAsLong());
        try {
            intake.accept(bytes);
            if (receiver != null) {
                receiver.tookSome();
            }
        } catch (RefusedException e) {
            end(e.reason(), e.text(), e);
        } catch (IOException e) {
            end(ByeReason.PROTOCOL_BROKEN, text(e), e);
        } catch (Throwable e) {
            fault(e);
        }
        tally.receivedBytes.set(intake.offset());
        tally.receivedFrames.set(Math.max(0, intake.frames() - 1)); // the preamble is none
    }

    /** Acts on all that has come. */
    public void receivedAll() {
        if (phase != Phase.OPEN) {
            return;
        }
        try {
            if (sender != null) {
                sender.flush();
            }
            if (receiver != null) {
                receiver.flush();
            }
        } catch (Throwable e) {
            fault(e);
        }
    }

    /** Nobody would go on with it: rather no connection than one that stands still. */
    private void fault(Throwable e) {
        LOG.log(Level.WARNING, "a fault of this end's own ends the connection with " + handshake.peer(), e);
        end(ByeReason.SHUTTING_DOWN, "a fault of this end", new IOException("a fault of this end: " + e, e));
    }

    /** A region that the link was given is out, or never will be. */
    public void written() {
        try {
            if (sender != null) {
                sender.written();
            }
        } catch (Throwable e) {
            fault(e);
        }
    }

    /** Looks at the time; to be called several times in each heartbeat. */
    public void tick() {
        try {
            look();
        } catch (Throwable e) {
            fault(e);
        }
    }

    private void look() {
        long now = clock.getAsLong();
        liveness.look(intake, now);
        if (phase == Phase.OPEN && sender != null) {
            sender.tick(settings, starving);
        }
        if (phase == Phase.OPEN && receiver != null) {
            receiver.tick(now);
        }
        Overdue overdue = switch (phase) {
            case GREETING, PROVING -> liveness.unproved(now);
            case OPEN -> liveness.proved(intake, now);
            case CLOSED -> null;
        };
        if (overdue != null) {
            end(ByeReason.TIMED_OUT, overdue.text(), overdue.cause());
        } else if (phase == Phase.OPEN && liveness.speaks(now)) {
            ByteBuf ping = Unpooled.buffer(64);
            ControlWriter.ping(ping, now);
            link.write(ping);
            link.flush();
        }
    }

    /** This end wants no more. What is open is lost; the peer is told. */
    public void close(ByeReason reason, String text) {
        if (phase == Phase.OPEN && receiver != null) {
            try {
                receiver.tellAll();
            } catch (Throwable e) {
                fault(e);
            }
        }
        end(reason, text, null);
    }

    /** The channel below has ended. */
    public void lost(@Nullable Throwable cause) {
        String told = cause == null ? "the connection was closed" : "the connection was lost: " + cause;
        closed("the connection was lost", cause instanceof IOException e ? e : new IOException(told, cause));
    }

    /** What it counts of itself; from any thread. */
    public Tally tally() {
        return tally;
    }

    /** What the peer calls itself, once it is known who it is; from any thread. */
    public @Nullable String openedBy() {
        return openedBy;
    }

    public boolean isOpen() {
        return phase == Phase.OPEN;
    }

    public boolean isClosed() {
        return phase == Phase.CLOSED;
    }

    /** Bytes taken from the peer. */
    public long receivedBytes() {
        return intake.offset();
    }

    private void end(ByeReason reason, String text, @Nullable IOException cause) {
        if (phase == Phase.CLOSED) {
            return;
        }
        ByteBuf bye = Unpooled.buffer(320);
        if (receiver != null && !handshake.greeted()) {
            bye.writeBytes(Preamble.MULTIPLEXED.bytes());
        }
        ControlWriter.bye(bye, reason, text);
        link.write(bye);
        link.flush();
        closed(text.isEmpty() ? reason.toString() : text, cause);
        link.close();
    }

    private void closed(String reason, @Nullable IOException cause) {
        if (phase == Phase.CLOSED) {
            return;
        }
        phase = Phase.CLOSED;
        try {
            events.closed(reason, cause); // first: who is told that its result is lost opens the next one elsewhere
        } finally {
            if (sender != null) {
                sender.lose(new ResultFate(Verdict.LOST, reason, true));
            }
            if (receiver != null) {
                receiver.lose(reason);
            }
        }
    }

    private static String text(IOException e) {
        String text = e.getMessage();
        return text == null ? e.getClass().getSimpleName() : text;
    }

    private void opened() {
        phase = Phase.OPEN;
        intake.limit(Long.MAX_VALUE);
        openedBy = handshake.peer();
        events.opened(handshake.peer());
    }

    /** What the peer says. */
    private final class Incoming implements Intake.Owner, ControlReader.Listener {
        private long at;
        private byte[] frame = new byte[0];
        private @Nullable FrameHeader header;

        @Override
        public void control(FrameHeader control, boolean intact, ByteBuf body, byte[] bytes, long offset)
                throws IOException {
            if (phase == Phase.CLOSED) {
                return; // it came behind the last frame
            }
            at = offset;
            frame = bytes;
            header = control;
            boolean greeting = phase == Phase.GREETING;
            FrameKind kind = control.kind();
            if (kind != FrameKind.BYE && kind != FrameKind.IGNORABLE) {
                if (greeting != (kind == FrameKind.HELLO) || (phase == Phase.PROVING) != (kind == FrameKind.PROOF)) {
                    throw unexpected(kind);
                }
            }
            ControlReader.read(control, intact, body, offset, this);
        }

        private IOException unexpected(FrameKind kind) {
            return MalformedDataException.framingLost(
                    "unexpected frame of the connection: " + kind,
                    MalformedDataException.NONE,
                    MalformedDataException.NONE,
                    at,
                    null);
        }

        @Override
        public void expect(FrameHeader announced, long offset) throws IOException {
            at = offset;
            Receiver to = requireReceiver(announced.kind());
            if (announced.kind() == FrameKind.OPEN && to.openResults() >= MOST_OPEN) {
                throw new RefusedException(ByeReason.LIMIT, "more than " + MOST_OPEN + " results are open");
            }
        }

        @Override
        public void whole(FrameHeader whole, boolean intact, byte[] bytes, int length, long offset) throws IOException {
            at = offset;
            Receiver to = requireReceiver(whole.kind());
            if (whole.kind() == FrameKind.OPEN) {
                to.open(whole, bytes, length, intact, offset);
            } else {
                to.failure(whole, bytes, length, offset);
            }
        }

        @Override
        public @Nullable Chunk begin(FrameHeader begun, long offset) throws IOException {
            at = offset;
            Receiver to = requireReceiver(begun.kind());
            to.begin(begun, offset);
            return to.body();
        }

        @Override
        public int bodyAt() {
            return receiver == null ? 0 : receiver.bodyAt();
        }

        @Override
        public void end(FrameHeader ended) {
            if (receiver != null) {
                receiver.end(ended);
            }
        }

        private Receiver requireReceiver(FrameKind kind) throws IOException {
            if (phase != Phase.OPEN) {
                throw RefusedException.notAuthenticated();
            }
            Receiver to = receiver;
            if (to == null) {
                throw unexpected(kind);
            }
            return to;
        }

        private Sender requireSender(FrameKind kind) throws IOException {
            Sender from = sender;
            if (from == null) {
                throw unexpected(kind);
            }
            return from;
        }

        @Override
        public void onHello(HelloBody hello) throws IOException {
            FrameHeader of = header;
            handshake.greetedBy(hello, of == null ? new byte[0] : Intake.copy(of, frame));
            liveness.promised(hello.heartbeatMillis() * 1_000_000L);
            phase = Phase.PROVING;
            if (!handshake.proves()) {
                accepted();
            } else if (sender != null) {
                handshake.prove();
            }
        }

        @Override
        public void onProof(byte[] proof) throws IOException {
            handshake.provedBy(proof);
            accepted();
        }

        private void accepted() {
            opened();
            if (phase != Phase.OPEN) {
                return; // whoever was told has closed it
            }
            if (sender != null) {
                sender.begin(handshake.receiversChunk(), handshake.receiversInitialCredit());
            }
            if (receiver != null) {
                receiver.begin(handshake.peer());
            }
        }

        @Override
        public void onCredit(long stream, long bytes) throws IOException {
            Sender to = requireSender(FrameKind.CREDIT);
            int receiversChunk = handshake.receiversChunk();
            if (bytes % receiversChunk != 0) {
                throw MalformedDataException.framingLost(
                        "credit is not in whole chunks", receiversChunk, bytes, at, null);
            }
            try {
                to.credit(stream, bytes);
            } catch (ArithmeticException e) {
                throw MalformedDataException.framingLost(
                        "more credit than a number holds", Long.MAX_VALUE, MalformedDataException.NONE, at, null);
            }
        }

        @Override
        public void onFate(long stream, ResultFate fate) throws IOException {
            requireSender(FrameKind.FATE).fate(stream, fate, liveness.heardAt());
        }

        @Override
        public void onBacklog(long stream, long waiting, boolean own) throws IOException {
            requireReceiver(FrameKind.BACKLOG).backlog(stream, own, at);
        }

        @Override
        public void onPing(long token) {
            ByteBuf pong = Unpooled.buffer(64);
            ControlWriter.pong(pong, token);
            link.write(pong);
            link.flush();
        }

        @Override
        public void onPong(long token) {
            // That it came is all there is to it.
        }

        @Override
        public void onBye(ByeReason reason, String text) {
            String told = text.isEmpty() ? reason.toString() : text;
            boolean orderly = reason == ByeReason.DONE || reason == ByeReason.SHUTTING_DOWN;
            closed("the peer has closed the connection: " + told, orderly ? null : new IOException(told));
            link.close();
        }
    }
}
