// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Nobody gets in without the secret, and all are told the same. */
final class AuthenticationTest {

    private static final byte[] WRONG = new byte[32];

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void clientsWithoutTheSecretAreToldNoMoreThanThat() throws Exception {
        try (Site site = new Site(audit)) {
            for (byte[] secret : new byte[][] {WRONG, null}) {
                ResultClient.Builder builder = Site.client(audit.pool(Site.CHUNK, 64 * Site.CHUNK))
                        .secret(secret)
                        .connectLimit(Duration.ofMillis(500));
                try (ResultClient client = builder.connect(site.address())) {
                    UndeliveredResultException refused = assertThrows(
                            UndeliveredResultException.class,
                            () -> client.open(new ResultId("bad", 0, 0, 0), "longs/1"));
                    assertTrue(refused.fate().reason().endsWith("not authenticated"), refused::toString);
                    assertFalse(client.isConnected());
                }
            }
            site.goodResultArrives();
            site.onlyGoodResultsCame();
        }
    }

    @Test
    void clientWithASecretDoesNotGoOnWithAServerThatHasNone() throws Exception {
        try (Site site = new Site(audit, server -> server.secret(null), client -> client.secret(null));
                ResultClient client = Site.client(audit.pool(Site.CHUNK, 64 * Site.CHUNK))
                        .secret(Site.SECRET)
                        .connectLimit(Duration.ofMillis(500))
                        .connect(site.address())) {
            UndeliveredResultException refused = assertThrows(
                    UndeliveredResultException.class, () -> client.open(new ResultId("bad", 0, 0, 0), "longs/1"));
            assertTrue(refused.fate().reason().endsWith("not authenticated"), refused::toString);
            site.goodResultArrives();
        }
    }

    @Test
    void thousandBadLoginsHarmNobody() throws Exception {
        try (Site site = new Site(audit)) {
            site.goodResultArrives();
            long live = site.pool.liveBytes();
            long peak = site.pool.peakLiveBytes();
            for (int login = 0; login < 1_000; login++) {
                try (RawPeer peer = RawPeer.connect(site.address())) {
                    peer.greet(WRONG);
                    refused(peer);
                }
            }
            assertEquals(live, site.pool.liveBytes());
            assertEquals(peak, site.pool.peakLiveBytes());
            site.goodResultArrives();
            site.onlyGoodResultsCame();
            audit.cases(1_000);
        }
    }

    private static void refused(RawPeer peer) throws IOException {
        peer.awaitEnd();
        assertEquals(List.of("HELLO", "BYE"), peer.told, peer.byeText);
        assertEquals(ByeReason.NOT_AUTHENTICATED, peer.bye, peer.byeText);
        assertEquals("not authenticated", peer.byeText);
    }

    @Test
    void whatWasHeardInAnotherSessionDoesNotServe() throws Exception {
        try (Site site = new Site(audit)) {
            byte[] heard;
            try (RawPeer peer = RawPeer.admitted(site.address())) {
                heard = FrameBytes.join(List.of(
                        RawPeer.PREAMBLE,
                        peer.ownHello,
                        RawPeer.proof(Site.SECRET, false, peer.ownHello, peer.peersHello)));
            }
            try (RawPeer replay = RawPeer.connect(site.address())) {
                replay.send(heard);
                replay.readGreeting();
                refused(replay);
            }
            site.onlyGoodResultsCame();
        }
    }

    @Test
    void serversProofSentBackDoesNotServe() throws Exception {
        try (Site site = new Site(audit)) {
            // as if the server had been made to prove first, to somebody who said the same
            try (RawPeer peer = RawPeer.connect(site.address())) {
                peer.ownHello = RawPeer.hello(false, true, 1);
                peer.send(RawPeer.PREAMBLE, peer.ownHello);
                peer.readGreeting();
                peer.send(RawPeer.proof(Site.SECRET, true, peer.ownHello, peer.peersHello));
                refused(peer);
            }
            try (RawPeer mirror = RawPeer.connect(site.address())) {
                mirror.send(RawPeer.PREAMBLE, RawPeer.hello(true, true, 1));
                mirror.awaitEnd();
                assertEquals(ByeReason.NOT_AUTHENTICATED, mirror.bye);
            }
            site.onlyGoodResultsCame();
        }
    }

    @Test
    void proofOfAnyOtherLengthOrNoneIsRefused() throws Exception {
        try (Site site = new Site(audit)) {
            for (int length = 0; length < 32; length++) {
                try (RawPeer peer = greeted(site)) {
                    byte[] proof = RawPeer.proof(Site.SECRET, false, peer.ownHello, peer.peersHello);
                    byte[] cut = Arrays.copyOfRange(proof, 32, 32 + length);
                    peer.send(FrameBytes.multiplexed().control(0x15, cut));
                    peer.awaitEnd();
                    assertEquals(ByeReason.PROTOCOL_BROKEN, peer.bye);
                    assertFalse(peer.told.contains("CREDIT"));
                }
            }
            try (RawPeer peer = greeted(site)) {
                peer.send(FrameBytes.multiplexed().open().end());
                refused(peer);
            }
            site.onlyGoodResultsCame();
        }
    }

    private static RawPeer greeted(Site site) throws IOException {
        RawPeer peer = RawPeer.connect(site.address());
        peer.ownHello = RawPeer.hello(false, true, 1);
        peer.send(RawPeer.PREAMBLE, peer.ownHello);
        peer.readGreeting();
        return peer;
    }

    @Test
    void everyFlippedBitOfTheHandshakeIsFound() throws Exception {
        byte[] hello = RawPeer.hello(false, true, 1);
        int cases = 0;
        try (Site site = new Site(audit)) {
            byte[] greeting = FrameBytes.join(List.of(RawPeer.PREAMBLE, hello));
            for (int bit = 0; bit < 8 * greeting.length; bit++) {
                notLetInWith(site, FrameBytes.flipped(greeting, bit), hello, proof -> proof);
            }
            for (int bit = 0; bit < 8 * 64; bit++) {
                int flipped = bit;
                notLetInWith(site, greeting, hello, proof -> FrameBytes.flipped(proof, flipped));
            }
            // By somebody who puts the checksums right. A length or an ignorable kind would only have the server wait.
            for (int bit = 0; bit < 8 * hello.length; bit++) {
                if (bit != 7 && (bit < 8 * 16 || bit >= 8 * 32)) {
                    byte[] changed = FrameBytes.join(List.of(RawPeer.PREAMBLE, repaired(hello, bit)));
                    notLetInWith(site, changed, hello, proof -> proof);
                    cases++;
                }
            }
            for (int bit = 8 * 32; bit < 8 * 64; bit++) {
                int flipped = bit;
                notLetInWith(site, greeting, hello, proof -> repaired(proof, flipped));
            }
            cases += 8 * greeting.length + 8 * 64 + 8 * 32;
            site.goodResultArrives();
            site.onlyGoodResultsCame();
            audit.cases(cases);
        }
    }

    /** The server's answer to these bytes and to the proof of what was said before a man in the middle changed it. */
    private static void notLetInWith(Site site, byte[] greeting, byte[] hello, UnaryOperator<byte[]> change)
            throws IOException {
        try (RawPeer peer = RawPeer.connect(site.address())) {
            peer.send(greeting);
            try {
                peer.readGreeting();
            } catch (EOFException | SocketException e) {
                return; // refused by then
            }
            peer.sendUnlessClosed(change.apply(RawPeer.proof(Site.SECRET, false, hello, peer.peersHello)));
            peer.awaitEnd();
            assertFalse(peer.told.contains("PROOF") || peer.told.contains("CREDIT"), peer.told::toString);
        }
    }

    private static byte[] repaired(byte[] frame, int bit) {
        byte[] changed = FrameBytes.flipped(frame, bit);
        ByteBuffer fields = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
        CRC32C crc = new CRC32C();
        crc.update(changed, 32, changed.length - 32);
        fields.putInt(24, (int) crc.getValue());
        crc.reset();
        crc.update(changed, 0, 28);
        fields.putInt(28, (int) crc.getValue());
        return changed;
    }

    @Test
    void fiveThousandBytesBeforeTheProofAreTooMany() throws Exception {
        byte[] filler = FrameBytes.join(
                FrameBytes.multiplexed().control(0x80, new byte[68]).frames());
        try (Site site = new Site(audit)) {
            site.goodResultArrives();
            long live = site.pool.liveBytes();
            long peak = site.pool.peakLiveBytes();
            try (RawPeer peer = greeted(site)) {
                boolean open = true;
                for (int sent = 0; sent < 5_000 && open; sent += filler.length) {
                    open = peer.sendUnlessClosed(filler);
                }
                peer.awaitEnd();
                if (peer.bye != null) { // what was not read may have reset the connection
                    assertTrue(peer.byeText.contains("too many bytes before"), peer.byeText);
                }
                assertFalse(peer.told.contains("CREDIT"));
            }
            assertEquals(live, site.pool.liveBytes());
            assertEquals(peak, site.pool.peakLiveBytes());
            site.goodResultArrives();
            site.onlyGoodResultsCame();
        }
    }

    @Test
    void unauthenticatedPeerIsNotPinged() throws Exception {
        try (Site site = new Site(audit);
                RawPeer peer = greeted(site)) {
            peer.send(RawPeer.frame(into -> ControlWriter.ping(into, 5)));
            peer.awaitEnd();
            assertFalse(peer.told.contains("PONG"));
            assertTrue(peer.byeText.contains("unexpected frame"), peer.byeText);
        }
    }
}
