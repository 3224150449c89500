// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import io.netty.buffer.Unpooled;
import io.tailrace.core.wire.ResultFate;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;

/** What a stream's control frames say, as texts. Other frames are passed over. */
final class Told implements ControlReader.Listener {

    final List<String> said = new ArrayList<>();

    static List<String> of(byte[] stream) throws IOException {
        Told told = new Told();
        told.read(stream);
        return told.said;
    }

    /** The body is given from the middle of an array, as a receiver's memory does. */
    void read(byte[] stream) throws IOException {
        FrameHeader header = new FrameHeader();
        for (int at = FrameLayout.PREAMBLE_LENGTH; at < stream.length; ) {
            header.read(stream, at);
            if (!header.intact()) {
                throw new IllegalArgumentException("header checksum at " + at);
            }
            int body = at + FrameLayout.HEADER_LENGTH;
            int length = stream.length - body;
            if (header.wireLength() < length) {
                length = (int) header.wireLength();
            }
            if (header.streamId() == 0) {
                CRC32C crc = new CRC32C();
                crc.update(stream, body, length);
                boolean intact = (int) crc.getValue() == header.bodyCrc();
                ControlReader.read(
                        header, intact, Unpooled.wrappedBuffer(stream).slice(body, length), at, this);
            }
            at = body + length;
        }
    }

    @Override
    public void onHello(HelloBody hello) {
        said.add(hello.toString());
    }

    @Override
    public void onProof(byte[] proof) {
        said.add("proof " + HexFormat.of().formatHex(proof));
    }

    @Override
    public void onCredit(long stream, long bytes) {
        said.add("credit " + Long.toHexString(stream) + " " + bytes);
    }

    @Override
    public void onPing(long token) {
        said.add("ping " + token);
    }

    @Override
    public void onPong(long token) {
        said.add("pong " + token);
    }

    @Override
    public void onBacklog(long stream, long waiting, boolean own) {
        said.add("backlog " + Long.toHexString(stream) + " " + waiting + (own ? " own" : ""));
    }

    @Override
    public void onFate(long stream, ResultFate fate) {
        said.add("fate " + Long.toHexString(stream) + " " + fate.verdict() + " " + quoted(fate.reason())
                + (fate.retriable() ? " retriable" : ""));
    }

    @Override
    public void onBye(ByeReason reason, String text) {
        said.add("bye " + reason + " " + quoted(text));
    }

    private static String quoted(String text) {
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        return bytes > 40 ? bytes + " bytes" : "'" + text + "'";
    }
}
