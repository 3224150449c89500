// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who does not speak the protocol, or another version of it, is told so and cut off, and disturbs nobody. */
final class StrangersTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private static final class Stranger {
        final byte[] says;
        final ByeReason reason;
        final String text;

        Stranger(byte[] says, ByeReason reason, String text) {
            this.says = says;
            this.reason = reason;
            this.text = text;
        }
    }

    private static Stranger stranger(byte[] says, String text) {
        return new Stranger(says, ByeReason.PROTOCOL_BROKEN, text);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private List<Stranger> strangers() throws Exception {
        byte[] noise = new byte[600];
        new Random(5).nextBytes(noise);
        noise[0] = 0;
        byte[] hello = RawPeer.hello(false, true, 1);
        byte[] bye = FrameBytes.multiplexed().control(0x13, new byte[8]).toBytes();
        return List.of(
                stranger(noise, "not a Tailrace stream"),
                stranger(ascii("GET / HTTP/1.1\r\nHost: driver\r\n\r\n"), "(HTTP)"),
                stranger(ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "(HTTP)"),
                stranger(ascii("SSH-2.0-OpenSSH_9.6\r\n"), "not a Tailrace stream"),
                stranger(new byte[] {0}, "not a Tailrace stream"),
                stranger(tlsHello(), "(TLS)"),
                stranger(FrameBytes.file().toBytes(), "a file, not a multiplexed connection"),
                stranger(FrameBytes.connection().toBytes(), "a plain connection, not a multiplexed connection"),
                stranger(FrameBytes.multiplexed().preambleByte(10, 9).toBytes(), "unknown purpose 9"),
                stranger(FrameBytes.multiplexed().preambleByte(8, 2).toBytes(), "unknown major version"),
                stranger(FrameBytes.multiplexed().preambleByte(11, 1).toBytes(), "reserved byte of the preamble"),
                stranger(FrameBytes.multiplexed().preambleChecksum(1).toBytes(), "preamble checksum"),
                stranger(bye, "unexpected frame of the connection: PING"),
                stranger(FrameBytes.multiplexed().control(0x7F, new byte[8]).toBytes(), "unexpected frame"),
                stranger(FrameBytes.multiplexed().control(0x10, new byte[8]).toBytes(), "HELLO frame: too short"),
                stranger(FrameBytes.join(List.of(RawPeer.PREAMBLE, new byte[32])), "header checksum"),
                new Stranger(
                        FrameBytes.multiplexed().open().end().toBytes(),
                        ByeReason.NOT_AUTHENTICATED,
                        "not authenticated"),
                new Stranger(
                        FrameBytes.multiplexed().open().data("x").toBytes(),
                        ByeReason.NOT_AUTHENTICATED,
                        "not authenticated"),
                stranger(FrameBytes.join(List.of(RawPeer.PREAMBLE, hello, hello)), "unexpected frame"));
    }

    private static byte[] tlsHello() throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine("driver", 7);
        engine.setUseClientMode(true);
        ByteBuffer hello = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), hello);
        return Arrays.copyOf(hello.array(), hello.position());
    }

    @Test
    void strangersAreToldWhyAndCutOffAtOnce() throws Exception {
        try (Site site = new Site(audit)) {
            site.goodResultArrives();
            List<Stranger> strangers = strangers();
            for (Stranger each : strangers) {
                long begin = System.nanoTime();
                try (RawPeer peer = RawPeer.connect(site.address())) {
                    peer.send(each.says);
                    peer.awaitEnd();
                    Duration taken = Duration.ofNanos(System.nanoTime() - begin);
                    assertTrue(taken.toMillis() < 1_000, () -> each.text + " took " + taken);
                    assertEquals(each.reason, peer.bye, each.text);
                    assertTrue(peer.byeText.contains(each.text), () -> peer.byeText + " instead of " + each.text);
                }
                site.goodResultArrives();
            }
            site.onlyGoodResultsCame();
            audit.cases(strangers.size());
        }
    }

    @Test
    void whoSaysNothingAndGoesIsForgotten() throws Exception {
        try (Site site = new Site(audit)) {
            for (int length = 0; length < RawPeer.PREAMBLE.length; length++) {
                try (RawPeer peer = RawPeer.connect(site.address())) {
                    peer.send(Arrays.copyOf(RawPeer.PREAMBLE, length));
                }
            }
            site.goodResultArrives();
            site.onlyGoodResultsCame();
        }
    }

    @Test
    void newerMinorVersionAndIgnorableFramesAreAccepted() throws Exception {
        byte[] newer = FrameBytes.multiplexed().preambleByte(9, 200).preamble();
        byte[] ignorable = FrameBytes.join(
                FrameBytes.multiplexed().control(0xF0, new byte[40]).frames());
        try (Site site = new Site(audit);
                RawPeer peer = RawPeer.connect(site.address())) {
            peer.ownHello = RawPeer.hello(false, true, 1);
            peer.send(newer, ignorable, peer.ownHello, ignorable);
            peer.readGreeting();
            peer.send(RawPeer.proof(Site.SECRET, false, peer.ownHello, peer.peersHello), ignorable);
            peer.readUntil(() -> peer.sharedCredit > 0);
            peer.send(FrameBytes.multiplexed()
                    .control(0x80, new byte[0])
                    .identity("good", 1, 1, 1)
                    .open()
                    .end());
            peer.readUntil(() -> peer.told.toString().contains("ACCEPTED"));
            assertEquals(1, site.handled.size());
        }
    }

    @Test
    void unknownKindsAndFlagsThatMustBeUnderstoodEndTheConnection() throws Exception {
        List<FrameBytes> unknown = List.of(
                FrameBytes.multiplexed().control(0x12, new byte[8]),
                FrameBytes.multiplexed().control(0x7F, new byte[8]),
                FrameBytes.multiplexed().control(0x01, new byte[8]),
                FrameBytes.multiplexed().control(0x13, new byte[8]).flags(1),
                FrameBytes.multiplexed().control(0x13, new byte[8]).sequence(1),
                FrameBytes.multiplexed().control(0x13, new byte[8]).rawLength(9),
                FrameBytes.multiplexed().control(0x13, new byte[8]).reserved(1),
                FrameBytes.multiplexed().control(0x13, new byte[4_065]),
                FrameBytes.multiplexed().control(0x13, new byte[8]).wireLength(0xFFFF_FFFFL),
                FrameBytes.multiplexed().control(0x13, new byte[8]).bodyChecksum(7),
                FrameBytes.multiplexed().control(0x13, new byte[8]).headerChecksum(7));
        try (Site site = new Site(audit)) {
            for (FrameBytes each : unknown) {
                try (RawPeer peer = RawPeer.admitted(site.address())) {
                    peer.send(each);
                    peer.awaitEnd();
                    assertEquals(ByeReason.PROTOCOL_BROKEN, peer.bye, peer.byeText);
                }
            }
            site.goodResultArrives();
            site.onlyGoodResultsCame();
        }
    }

    @Test
    void newerControlFramesMayBeLonger() throws Exception {
        try (Site site = new Site(audit);
                RawPeer peer = RawPeer.admitted(site.address())) {
            peer.send(FrameBytes.multiplexed().control(0x13, new byte[100]).ignorableFlags(0x55));
            peer.readUntil(() -> peer.told.contains("PONG"));
        }
    }
}
