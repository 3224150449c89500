// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.frame.HelloBody;
import io.tailrace.core.frame.Preamble;
import org.jspecify.annotations.Nullable;

/**
 * How the ends of a connection greet each other and prove that they have the same secret: the client speaks first in both, since a
 * server tells nothing to somebody who does not.
 *
 * <p><b>Threads.</b> The loop alone.
 */
final class Handshake {

    private final Link link;
    private final MuxSettings settings;
    private final @Nullable Proofs proofs;
    private final boolean server;
    private final int chunkBytes;
    private byte[] nonce = new byte[0];
    private byte[] binding = new byte[0];
    private byte[] ownHello = new byte[0];
    private byte[] peerHello = new byte[0];
    private String peer = "";
    private int receiversChunk;
    private long receiversInitialCredit;

    Handshake(Link link, MuxSettings settings, @Nullable Proofs proofs, boolean server, int chunkBytes) {
        this.link = link;
        this.settings = settings;
        this.proofs = proofs;
        this.server = server;
        this.chunkBytes = chunkBytes;
    }

    void start(byte[] freshNonce, byte[] channelBinding) {
        nonce = freshNonce.clone();
        binding = channelBinding.clone();
        if (!server) {
            greet();
        }
    }

    private void greet() {
        ByteBuf frame = Unpooled.buffer(256);
        frame.writeBytes(Preamble.MULTIPLEXED.bytes());
        int from = frame.writerIndex();
        HelloBody hello = HelloBody.of(
                server,
                proofs != null,
                chunkBytes,
                server ? settings.initialCredit() : 0,
                (int) Math.min(Integer.MAX_VALUE, settings.heartbeat() / 1_000_000),
                nonce,
                settings.name());
        ControlWriter.hello(frame, hello);
        ownHello = ByteBufUtil.getBytes(frame, from, frame.writerIndex() - from);
        link.write(frame);
        link.flush();
    }

    /** Whether this end has said its first word, with which the preamble goes. */
    boolean greeted() {
        return ownHello.length > 0;
    }

    /** Judges a greeting, and returns it where this end is the server. */
    void greetedBy(HelloBody hello, byte[] frame) throws RefusedException {
        peerHello = frame;
        if (hello.server() == server || hello.proves() != proves()) {
            throw RefusedException.notAuthenticated();
        }
        if (!server && chunkBytes > hello.chunkBytes()) {
            throw new RefusedException(
                    ByeReason.LIMIT, "chunks of " + chunkBytes + " bytes; the receiver takes " + hello.chunkBytes());
        }
        peer = hello.name();
        if (server) {
            greet();
        } else {
            receiversChunk = hello.chunkBytes();
            receiversInitialCredit = hello.initialCredit();
        }
    }

    /** Whether greetings alone are not enough. */
    boolean proves() {
        return proofs != null;
    }

    void prove() {
        Proofs by = proofs;
        if (by != null) {
            ByteBuf proof = Unpooled.buffer(64);
            ControlWriter.proof(proof, by.of(server, clientHello(), serverHello(), binding));
            link.write(proof);
            link.flush();
        }
    }

    /** Judges a proof, and returns it where this end is the server. */
    void provedBy(byte[] proof) throws RefusedException {
        Proofs by = proofs;
        if (by == null || !by.verify(proof, !server, clientHello(), serverHello(), binding)) {
            throw RefusedException.notAuthenticated();
        }
        if (server) {
            prove();
        }
    }

    private byte[] clientHello() {
        return server ? peerHello : ownHello;
    }

    private byte[] serverHello() {
        return server ? ownHello : peerHello;
    }

    /** What the peer calls itself; nothing before it has greeted. */
    String peer() {
        return peer;
    }

    /** Bytes of the chunks in which a receiver gives credit; 0 at its own end. */
    int receiversChunk() {
        return receiversChunk;
    }

    long receiversInitialCredit() {
        return receiversInitialCredit;
    }
}
