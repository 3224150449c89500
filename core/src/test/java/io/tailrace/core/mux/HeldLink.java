// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.frame.ControlReader;
import io.tailrace.core.frame.FrameHeader;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.HelloBody;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultFate;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A link that only keeps what its connection says. Regions are released at once. */
final class HeldLink implements Link, ControlReader.Listener {

    final List<String> said = new ArrayList<>();

    /** Given to each stream, in all. */
    final Map<Long, Long> credit = new HashMap<>();

    /** Streams whose fate was told. */
    final List<Long> fates = new ArrayList<>();

    byte[] hello = {};
    ByeReason bye;
    String byeText = "";
    boolean closed;
    int departures;

    /** Kinds of the frames in them. */
    final List<String> sent = new ArrayList<>();

    RuntimeException fault;

    /** Run when it was given some frames. */
    Runnable whenGiven = () -> {};

    @Override
    public void write(Departure frames) {
        departures++;
        if (frames instanceof Region region) {
            for (int frame = region.from(); frame < region.to(); frame = region.behind(frame)) {
                sent.add(region.kindAt(frame).toString());
            }
        }
        frames.release();
        whenGiven.run();
    }

    @Override
    public void write(ByteBuf frame) {
        RuntimeException thrown = fault;
        fault = null;
        byte[] bytes = ByteBufUtil.getBytes(frame);
        frame.release();
        if (thrown != null) {
            throw thrown;
        }
        int at = bytes[0] == (byte) 0x89 ? 16 : 0;
        while (at < bytes.length) {
            FrameHeader header = new FrameHeader();
            header.read(bytes, at);
            int length = (int) header.wireLength();
            said.add(header.kind().toString());
            if (header.streamId() == 0) {
                read(header, bytes, at, length);
            }
            at += 32 + length;
        }
    }

    private void read(FrameHeader header, byte[] bytes, int at, int length) {
        try {
            if (header.kind() == FrameKind.HELLO) {
                hello = Arrays.copyOfRange(bytes, at, at + 32 + length);
            }
            ControlReader.read(header, true, Unpooled.wrappedBuffer(bytes, at + 32, length), at, this);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        closed = true;
    }

    @Override
    public void onHello(HelloBody body) {}

    @Override
    public void onProof(byte[] proof) {}

    @Override
    public void onCredit(long stream, long bytes) throws MalformedDataException {
        if (bytes <= 0) {
            throw new MalformedDataException("credit of " + bytes, 0);
        }
        credit.merge(stream, bytes, Long::sum);
    }

    @Override
    public void onPing(long token) {}

    @Override
    public void onPong(long token) {}

    @Override
    public void onBacklog(long stream, long waiting, boolean own) {}

    @Override
    public void onFate(long stream, ResultFate fate) {
        fates.add(stream);
    }

    @Override
    public void onBye(ByeReason reason, String text) {
        bye = reason;
        byeText = text;
    }
}
