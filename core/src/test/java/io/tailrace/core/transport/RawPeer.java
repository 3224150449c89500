// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.frame.ControlReader;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.frame.FrameHeader;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.HelloBody;
import io.tailrace.core.mux.Proofs;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.wire.ResultFate;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * One end of a multiplexed connection by a plain socket, which says what a test has it say.
 *
 * <p><b>Threads.</b> The test's thread alone.
 */
final class RawPeer implements AutoCloseable, ControlReader.Listener {

    static final byte[] PREAMBLE = FrameBytes.multiplexed().preamble();
    private static final int CHUNK = 512;

    private final Socket socket;
    final List<String> told = new ArrayList<>();
    HelloBody hello;
    byte[] ownHello = {};
    byte[] peersHello = {};
    byte[] peersProof = {};
    ByeReason bye;
    String byeText = "";
    long sharedCredit;

    private RawPeer(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(10_000);
        socket.setTcpNoDelay(true);
    }

    static RawPeer connect(SocketAddress where) throws IOException {
        Socket socket = new Socket();
        socket.connect(where);
        return new RawPeer(socket);
    }

    static RawPeer of(Socket accepted) throws IOException {
        return new RawPeer(accepted);
    }

    /** One that is let in; its shared credit, if it gets any, is still to be read. */
    static RawPeer admitted(SocketAddress where) throws IOException {
        RawPeer peer = connect(where);
        peer.greet(Site.SECRET);
        peer.readUntil(() -> peer.peersProof.length > 0);
        return peer;
    }

    /** Preamble, HELLO and PROOF, as a good client has them. */
    void greet(byte[] secret) throws IOException {
        ownHello = hello(false, true, 1);
        send(PREAMBLE, ownHello);
        readGreeting();
        send(proof(secret, false, ownHello, peersHello));
    }

    void readGreeting() throws IOException {
        exactly(PREAMBLE.length);
        while (hello == null) {
            read();
        }
    }

    static byte[] hello(boolean server, boolean proves, int nonce) {
        byte[] random = new byte[32];
        random[0] = (byte) nonce;
        return frame(into -> ControlWriter.hello(
                into, HelloBody.of(server, proves, CHUNK, server ? 8 * CHUNK : 0, 0, random, "raw")));
    }

    static byte[] proof(byte[] secret, boolean server, byte[] clientsHello, byte[] serversHello) {
        try (Proofs proofs = new Proofs(secret)) {
            byte[] proof = proofs.of(server, clientsHello, serversHello, new byte[0]);
            return frame(into -> ControlWriter.proof(into, proof));
        }
    }

    static byte[] frame(Consumer<ByteBuf> writer) {
        ByteBuf into = Unpooled.buffer(256);
        writer.accept(into);
        return ByteBufUtil.getBytes(into);
    }

    void send(byte[]... parts) throws IOException {
        socket.getOutputStream().write(FrameBytes.join(Arrays.asList(parts)));
    }

    /** Without the preamble that they were built behind. */
    void send(FrameBytes frames) throws IOException {
        socket.getOutputStream().write(FrameBytes.join(frames.frames()));
    }

    /** Sends until the peer has closed; false when it takes everything. */
    boolean sendUnlessClosed(byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** Reads one control frame, and notes what it says. */
    void read() throws IOException {
        byte[] head = exactly(32);
        FrameHeader header = new FrameHeader();
        header.read(head, 0);
        byte[] body = exactly((int) header.wireLength());
        if (header.kind() == FrameKind.HELLO) {
            peersHello = FrameBytes.join(List.of(head, body));
        }
        take(header, body);
    }

    /** Reads until something that was read makes it true. */
    void readUntil(BooleanSupplier known) throws IOException {
        while (!known.getAsBoolean()) {
            read();
        }
    }

    /** Reads to the end of the connection; a reset is an end, too. */
    byte[] rest() throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        try {
            socket.getInputStream().transferTo(all);
        } catch (SocketTimeoutException e) {
            throw new AssertionError("the connection is still open", e);
        } catch (SocketException e) {
            // reset: there was more to read for the peer, which did not want it
        }
        return all.toByteArray();
    }

    /** What has come by now. */
    byte[] available() throws IOException {
        InputStream in = socket.getInputStream();
        return in.readNBytes(in.available());
    }

    /** Waits until the peer has closed, and reads its BYE, where it came through. */
    void awaitEnd() throws IOException {
        readAll(rest());
    }

    /** Reads all whole frames. */
    void readAll(byte[] bytes) throws IOException {
        InputStream in = new ByteArrayInputStream(bytes);
        if (bytes.length >= 16 && bytes[0] == PREAMBLE[0] && bytes[1] == PREAMBLE[1]) {
            in.skipNBytes(16);
        }
        for (byte[] head = in.readNBytes(32); head.length == 32; head = in.readNBytes(32)) {
            FrameHeader header = new FrameHeader();
            header.read(head, 0);
            take(header, in.readNBytes((int) header.wireLength()));
        }
    }

    private void take(FrameHeader header, byte[] body) throws IOException {
        told.add(header.kind().toString());
        if (header.streamId() == 0) {
            ControlReader.read(header, true, Unpooled.wrappedBuffer(body), 0, this);
        }
    }

    private byte[] exactly(int length) throws IOException {
        byte[] bytes = socket.getInputStream().readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException(bytes.length + " of " + length + " bytes, after " + told);
        }
        return bytes;
    }

    /** Closes without a word. */
    void leave() throws IOException {
        socket.close();
    }

    Socket socket() {
        return socket;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    @Override
    public void onHello(HelloBody body) {
        hello = body;
    }

    @Override
    public void onProof(byte[] proof) {
        peersProof = proof;
    }

    @Override
    public void onCredit(long stream, long bytes) {
        sharedCredit += stream == 0 ? bytes : 0;
    }

    @Override
    public void onPing(long token) {}

    @Override
    public void onPong(long token) {}

    @Override
    public void onBacklog(long stream, long waiting, boolean own) {}

    @Override
    public void onFate(long stream, ResultFate fate) {
        told.add(Long.toHexString(stream) + " " + fate.verdict() + " " + fate.reason());
    }

    @Override
    public void onBye(ByeReason reason, String text) {
        bye = reason;
        byeText = text;
    }
}
