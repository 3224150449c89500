// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.Unpooled;
import io.netty.util.collection.LongObjectHashMap;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.FrameHeader;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.frame.OpenBody;
import io.tailrace.core.frame.Preamble;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.TruncatedResultException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The receiving end of a connection: finds each frame's result and the chunk that its credit stands for, and gives credit
 * anew as chunks come back.
 *
 * <p>Every byte of credit is backed by a chunk that was acquired before it was given. So what arrives never waits for
 * memory, and the budget bounds all connections together. A result gets credit of its own when a decoding thread is at it;
 * until then it has what the connection's results share.
 *
 * <p><b>Ownership.</b> Chunks granted and not used are this object's, in their rooms.
 *
 * <p><b>Threads.</b> The loop alone, except {@link #ready}, {@link #readySoon} and {@link #now}.
 */
final class Receiver {

    private static final byte[] PREAMBLE = Preamble.CONNECTION.bytes();

    /** Stands for an opening that could not be read: its result is passed over. */
    private static final OpenBody NAMELESS = new OpenBody(FrameLayout.MIN_CHUNK_SIZE, 0, new ResultId("", 0, 0, 0), "");

    private final Host host;
    private final MuxSettings settings;
    private final ChunkPool pool;
    private final int chunkBytes;
    private final LongSupplier clock;
    private final Tally tally;
    private final Mailbox<Arriving> mailbox;
    private final LongObjectHashMap<Arriving> streams = new LongObjectHashMap<>();
    private final List<Arriving> dispatched = new ArrayList<>();
    private final Room shared;
    private final Outbox outbox;
    private @Nullable ChunkWindow sharedWindow;
    private int sharedChunks;
    private String peer = "";
    private boolean lost;

    /** Results that have come whole of which the sender was not told: theirs are the answers that come soon. */
    private int untold;

    private OpenBody lastOpen = NAMELESS;

    private final @Nullable Overflow overflow;

    /** Results that may go to disk, until they are settled. */
    private final List<Arriving> watched = new ArrayList<>();

    /** Results of which something has come since their readers, and their credit, were looked at. */
    private final List<Arriving> stirred = new ArrayList<>();

    private long stirredBytes;
    private @Nullable Arriving target;
    private boolean copies;

    Receiver(Link link, LongSupplier clock, Loop loop, Host host, MuxSettings settings, ChunkPool pool, Tally tally) {
        this.clock = clock;
        this.tally = tally;
        this.host = host;
        this.settings = settings;
        this.pool = pool;
        this.chunkBytes = pool.chunkBytes();
        this.mailbox = new Mailbox<>(loop, this::drain);
        this.shared = new Room(chunkBytes, tally.sharedCredit);
        this.outbox = new Outbox(link);
        this.overflow = host.overflow();
    }

    String peer() {
        return peer;
    }

    Tally tally() {
        return tally;
    }

    /** From any thread. */
    long now() {
        return clock.getAsLong();
    }

    int openResults() {
        return streams.size();
    }

    /** Chunks behind the shared credit that are not begun. */
    int sharedUnused() {
        return shared.unused();
    }

    /** Results that are looked at with each tick. */
    int watched() {
        return watched.size();
    }

    void ready(Arriving result) {
        mailbox.offer(result);
    }

    /** The same for what its sender need not learn at once; from any thread, too. */
    void readySoon(Arriving result) {
        mailbox.offerSoon(result);
    }

    int chunkBytes() {
        return chunkBytes;
    }

    /** For what one result has on disk; for any thread. */
    ChunkWindow openWithoutWaiting(ResultId id) {
        return pool.openWithoutWaiting(id, 1, 1);
    }

    /** The peer has proved who it is: it gets the credit that its results share. */
    void begin(String peerName) {
        peer = peerName;
        sharedChunks = host.takeShare(settings.sharedChunks());
        if (sharedChunks > 0) {
            sharedWindow = pool.openWithoutWaiting("credit shared by the results of " + peerName, sharedChunks, 0);
            grantShared();
        }
        outbox.flush();
    }

    /** A frame of a result begins; what its header says is verified as far as framing goes. */
    void begin(FrameHeader header, long at) throws MalformedDataException {
        Arriving result = streams.get(header.streamId());
        if (result == null) {
            throw fault("frame of a result that is not open", header.streamId(), at);
        }
        target = result;
        long frameBytes = FrameLayout.HEADER_LENGTH + header.wireLength();
        Room room = result.owns ? result.room : shared;
        if (!result.owns) {
            result.sharedBytes += frameBytes;
            if (result.sharedBytes > settings.initialCredit()) {
                throw fault("initial credit exceeded", settings.initialCredit(), result.sharedBytes, at, result);
            }
        }
        if (frameBytes > chunkBytes || room == null || !room.place((int) frameBytes)) {
            throw fault("frame without credit", 0, frameBytes, at, result);
        }
        copies = result.wanted && result.settled() == null && counts(result, header);
        if (copies) {
            header.copyTo(room.chunk(), room.at());
        }
    }

    /** Whether the job may have these bytes, too: if not, the result is refused where it stands. */
    private static boolean counts(Arriving result, FrameHeader header) {
        JobAccounts.Account account = result.account;
        boolean counted = header.kind() == FrameKind.DATA || header.kind() == FrameKind.TRAILER;
        if (account == null || !counted || header.rawLength() > FrameLayout.MAX_CHUNK_SIZE) {
            return true; // a length that no frame has is its reader's to refuse
        }
        try {
            account.add(header.rawLength());
            return true;
        } catch (ResultTooLargeException e) {
            result.settle(refused(e, false), e);
            return false;
        }
    }

    /** Where the body of the frame that was begun goes; null when nobody wants it. */
    @Nullable
    Chunk body() {
        return copies ? room(required()).chunk() : null;
    }

    /** Where in that chunk. */
    int bodyAt() {
        return room(required()).at() + FrameLayout.HEADER_LENGTH;
    }

    /** The frame that was begun is whole. */
    void end(FrameHeader header) {
        Arriving result = required();
        target = null;
        if (copies) {
            Room room = room(result);
            result.append(room.chunk(), room.at(), FrameLayout.HEADER_LENGTH + (int) header.wireLength());
        }
        stir(result, header.wireLength());
        if (header.kind().terminal()) {
            terminal(result);
        }
    }

    private void stir(Arriving result, long bytes) {
        stirredBytes += bytes;
        if (!result.stirred) {
            result.stirred = true;
            stirred.add(result);
        }
    }

    private Room room(Arriving result) {
        Room own = result.room;
        return result.owns && own != null ? own : shared;
    }

    private Arriving required() {
        Arriving result = target;
        if (result == null) {
            throw new IllegalStateException("no frame was begun");
        }
        return result;
    }

    /**
     * Some bytes are taken, and more are at hand. Readers are woken once for a chunk's worth, not for each frame, of which TLS
     * brings one after another; and what credit can be given is given before the sender runs out of it.
     */
    void tookSome() {
        if (stirredBytes >= chunkBytes) {
            tookAll();
            outbox.flush();
        }
    }

    private void tookAll() {
        for (int i = 0; i < stirred.size(); i++) {
            Arriving result = stirred.get(i);
            result.stirred = false;
            watch(result);
            result.tellReader();
            if (result.room != null) {
                grant(result);
            }
        }
        stirred.clear();
        stirredBytes = 0;
        grantShared();
    }

    /** Most results are over before anybody need look at them again: they are not many, of which more is to come. */
    private void watch(Arriving result) {
        boolean maySpill = result.spilling() != null && result.settled() == null;
        if (maySpill && !result.watched && (!result.isComplete() || result.arrivedBytes() >= chunkBytes)) {
            result.watched = true;
            watched.add(result);
        }
    }

    /** A whole open frame, header and body, has come. */
    void open(FrameHeader header, byte[] frame, int length, boolean intact, long at) throws MalformedDataException {
        if (streams.containsKey(header.streamId())) {
            throw fault("result opened twice", header.streamId(), at);
        }
        OpenBody open = NAMELESS;
        MalformedDataException malformed = null;
        try {
            int headerLength = FrameLayout.HEADER_LENGTH;
            if (!intact) {
                throw new MalformedDataException("body checksum does not match", at);
            }
            open = OpenBody.parse(Unpooled.wrappedBuffer(frame, headerLength, length - headerLength), lastOpen);
            lastOpen = open;
        } catch (MalformedDataException e) {
            malformed = e;
        }
        byte[] opening = new byte[PREAMBLE.length + length];
        System.arraycopy(PREAMBLE, 0, opening, 0, PREAMBLE.length);
        System.arraycopy(frame, 0, opening, PREAMBLE.length, length);
        Arriving result = new Arriving(this, header.streamId(), open, opening);
        streams.put(header.streamId(), result);
        result.backlog = open.declaredBytes() > settings.initialCredit();
        if (malformed != null) {
            result.settle(refused(malformed, true), malformed);
        } else if (host.admit(result)) {
            result.wanted = true;
            tally.resultsBegun.add(1);
            dispatched.add(result);
            if (overflow != null) {
                result.spillTo(overflow);
            }
        }
    }

    /** A whole failure frame has come: it costs no credit, and is kept in an array of its own. */
    void failure(FrameHeader header, byte[] frame, int length, long at) throws MalformedDataException {
        Arriving result = streams.get(header.streamId());
        if (result == null) {
            throw fault("frame of a result that is not open", header.streamId(), at);
        }
        if (result.settled() == null) {
            result.append(Arrays.copyOf(frame, length));
        }
        JobAccounts.Account account = result.account;
        if (account != null) {
            account.refund(); // its bytes count no more, whenever its reader learns of it
        }
        terminal(result);
    }

    private void terminal(Arriving result) {
        streams.remove(result.stream());
        result.terminalSeen = true;
        result.complete();
        if (!result.told) {
            untold++;
        }
        closeRoom(result);
        leavePlace(result);
        if (result.settled() != null) {
            tell(result);
        }
    }

    void backlog(long stream, boolean own, long at) throws MalformedDataException {
        Arriving result = streams.get(stream);
        if (result == null) {
            throw fault("backlog of a result that is not open", stream, at);
        }
        if (own) {
            result.owns = true;
        }
        result.backlog = true;
        grant(result);
    }

    /** All that came in one go has been told: decoding begins, what is to be said goes out. */
    void flush() {
        tookAll();
        for (int i = 0; i < dispatched.size(); i++) {
            host.decode(dispatched.get(i));
        }
        dispatched.clear();
        outbox.flush();
    }

    private void drain() {
        mailbox.begin();
        boolean some = false;
        for (Arriving result = mailbox.poll(); result != null; result = mailbox.poll()) {
            some = true;
            result.unlist();
            leavePlace(result);
            if (result.settled() != null) {
                settled(result);
            } else {
                grant(result);
            }
        }
        if (!lost) { // or what was not said yet would go out behind the farewell
            grantShared();
            outbox.flush();
            if (some && untold >= settings.manyResults()) {
                mailbox.expectMore();
            }
        }
    }

    /** No more is to come: what is known is told. */
    void tellAll() {
        drain();
    }

    /** Looks at the results whose readers stand still. */
    void tick(long now) {
        int kept = 0;
        for (int i = 0; i < watched.size(); i++) {
            Arriving result = watched.get(i);
            Spilling spilling = result.spilling();
            if (spilling == null || result.settled() != null) {
                leavePlace(result);
                continue;
            }
            watched.set(kept++, result);
            if (spilling.standsStill(now, settings.spillAfter(), chunkBytes)) {
                spilling.begin();
            }
            if (result.window == null) {
                grant(result); // it may have to wait for a place
            }
        }
        watched.subList(kept, watched.size()).clear();
        outbox.flush();
    }

    private void settled(Arriving result) {
        closeRoomOfSettled(result);
        tell(result);
    }

    /** Frames that are under way still find the chunks that they were promised, until the terminal. */
    private static void closeRoomOfSettled(Arriving result) {
        if (result.terminalSeen) {
            closeRoom(result);
        }
    }

    private static void closeRoom(Arriving result) {
        Room room = result.room;
        ChunkWindow window = result.window;
        if (room != null) {
            room.close();
        }
        if (window != null) {
            window.close();
        }
    }

    private void tell(Arriving result) {
        ResultFate fate = result.settled();
        if (fate == null || result.told) {
            return;
        }
        result.told = true;
        if (result.terminalSeen) {
            untold--;
        }
        if (result.wanted) {
            (fate.verdict() == Verdict.ACCEPTED ? tally.resultsAccepted : tally.resultsFailed).add(1);
        }
        if (!lost) {
            outbox.fate(result.stream(), fate);
        }
    }

    /** Gives a result what its window has room for, half a window at a time at least. */
    private void grant(Arriving result) {
        if (lost || !result.backlog || result.terminalSeen || result.settled() != null) {
            return;
        }
        ChunkWindow window = result.window;
        Room room = result.room;
        if (window == null || room == null) {
            if (!result.started() && !takesPlace(result)) {
                return;
            }
            int least = overflow == null ? Arriving.LEAST_WINDOW : Overflow.LEAST_WINDOW;
            window = result.openWindow(pool, result.placed ? least : settings.window(), least);
            room = new Room(chunkBytes, tally.ownCredit);
            result.window = window;
            result.room = room;
        }
        Runnable again = result.again;
        if (again == null) {
            again = () -> ready(result);
            result.again = again;
        }
        Spilling spilling = result.spilling();
        boolean spills = spilling != null && spilling.isOn();
        int most = spills ? Math.min(Overflow.LEAST_WINDOW, window.size()) : window.size();
        grant(result.stream(), room, window, most, false, again);
    }

    /** One that goes to disk gets credit before anybody reads it, if there is a place. */
    private boolean takesPlace(Arriving result) {
        Spilling spilling = result.spilling();
        if (overflow != null && spilling != null && spilling.isOn() && overflow.takePlace()) {
            result.placed = true;
        }
        return result.placed;
    }

    /** If it has one, and needs it no more. */
    private void leavePlace(Arriving result) {
        if (overflow != null && result.placed && result.leavesPlace()) {
            result.placed = false;
            overflow.givePlace();
            watched.forEach(other -> {
                if (other.window == null) {
                    grant(other);
                }
            });
        }
    }

    private void grantShared() {
        ChunkWindow window = sharedWindow;
        if (window != null && !lost) {
            // One result's reader may sit on half of it: the others are not to wait for that.
            grant(0, shared, window, window.size(), shared.unused() == 0, mailbox::wake);
        }
    }

    /**
     * Each giving is a frame, and for its reading a wake-up of the sender's loop; so none is for less than half a window, as
     * long as that comes free by itself, which is what {@code eager} denies.
     */
    private void grant(long stream, Room room, ChunkWindow window, int most, boolean eager, Runnable again) {
        int stride = Math.max(1, most / 2);
        if (room.unused() >= stride) {
            return; // it is looked at again when frames have used them
        }
        int mostLive = eager ? most - 1 : most - stride;
        if (window.live() <= mostLive) {
            int chunks = 0;
            while (window.live() < most) {
                Chunk chunk = window.tryAcquire();
                if (chunk == null) {
                    break;
                }
                room.grant(chunk);
                chunks++;
            }
            if (chunks > 0) {
                outbox.credit(stream, (long) chunks * chunkBytes);
            }
        }
        if (!lost && room.unused() < stride) { // what was said may have been the last that the link took
            window.callBack(mostLive, again);
        }
    }

    /** The connection is no more. Results that have come whole are decoded all the same. */
    void lose(String reason) {
        if (lost) {
            return;
        }
        lost = true;
        mailbox.expectNothing();
        for (Arriving result : new ArrayList<>(streams.values())) {
            result.lose(new TruncatedResultException(reason, result.arrivedBytes(), result.id()));
            closeRoom(result);
            host.lost(result);
        }
        streams.clear();
        stirred.clear();
        for (Arriving result : dispatched) {
            host.decode(result); // its reader is told
        }
        dispatched.clear();
        watched.forEach(this::leavePlace); // those that keep theirs leave it when they are read
        watched.clear();
        shared.close();
        giveShareBack();
    }

    /** What has come whole is still to be read, and keeps its chunks for so long: that part follows with the last of them. */
    private void giveShareBack() {
        ChunkWindow window = sharedWindow;
        int kept = window == null ? 0 : window.live();
        host.giveShare(sharedChunks - kept);
        sharedChunks = 0;
        if (window != null) {
            window.whenIdle(() -> {
                window.close();
                host.giveShare(kept);
            });
        }
    }

    private static ResultFate refused(ResultException e, boolean retriable) {
        return new ResultFate(Verdict.REFUSED, String.valueOf(e.getMessage()), retriable);
    }

    private static MalformedDataException fault(String reason, long stream, long at) {
        return MalformedDataException.framingLost(
                reason + ": stream " + Long.toHexString(stream),
                MalformedDataException.NONE,
                MalformedDataException.NONE,
                at,
                null);
    }

    private static MalformedDataException fault(String reason, long limit, long actual, long at, Arriving result) {
        return MalformedDataException.framingLost(reason, limit, actual, at, result.id());
    }
}
