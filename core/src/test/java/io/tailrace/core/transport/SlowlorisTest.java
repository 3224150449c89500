// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Connections that say a byte now and then are cut off at the limit of their phase, and cost others nothing. */
final class SlowlorisTest {

    private static final int EACH = (LeakAudit.FULL ? 1_000 : 52) / 4;
    private static final Duration LIMIT = Duration.ofMillis(LeakAudit.FULL ? 20_000 : 1_500);
    private static final long PAUSE_MILLIS = LeakAudit.FULL ? 1_000 : 100;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    /** A connection that has got so far, and what it says from there on, byte by byte. */
    private static final class Slow {
        final RawPeer peer;
        final byte[] rest;
        int said;
        private final ByteArrayOutputStream heard = new ByteArrayOutputStream();

        Slow(RawPeer peer, byte[] rest) {
            this.peer = peer;
            this.rest = rest;
        }

        /** False when it has been cut off. */
        boolean goesOn() throws IOException {
            heard.writeBytes(peer.available());
            int next = said++;
            return peer.sendUnlessClosed(Arrays.copyOfRange(rest, next, next + 1));
        }

        /** Null where a byte on its way has reset the connection before it was read. */
        ByeReason bye() throws IOException {
            peer.readAll(heard.toByteArray());
            return peer.bye;
        }
    }

    private static List<Slow> slowOnes(Site site) throws IOException {
        byte[] hello = RawPeer.hello(false, true, 1);
        byte[] greeting = FrameBytes.join(List.of(RawPeer.PREAMBLE, hello));
        // of the connection itself: not all of them have credit for a result's
        byte[] frame = FrameBytes.join(
                FrameBytes.multiplexed().control(0x80, new byte[400]).frames());
        List<Slow> slow = new ArrayList<>();
        for (int i = 0; i < EACH; i++) {
            slow.add(new Slow(RawPeer.connect(site.address()), greeting));
            RawPeer inHello = RawPeer.connect(site.address());
            inHello.send(Arrays.copyOf(greeting, 20));
            slow.add(new Slow(inHello, Arrays.copyOfRange(greeting, 20, greeting.length)));
            RawPeer inProof = RawPeer.connect(site.address());
            inProof.ownHello = hello;
            inProof.send(greeting);
            inProof.readGreeting();
            slow.add(new Slow(inProof, RawPeer.proof(Site.SECRET, false, hello, inProof.peersHello)));
            RawPeer inFrame = RawPeer.admitted(site.address());
            inFrame.send(Arrays.copyOf(frame, 120));
            slow.add(new Slow(inFrame, Arrays.copyOfRange(frame, 120, frame.length)));
        }
        return slow;
    }

    @Test
    void tricklesAreCutOffAtTheLimitOfTheirPhase() throws Exception {
        try (Site site = new Site(
                audit,
                server -> server.handshakeLimit(LIMIT)
                        .frameLimit(LIMIT)
                        .heartbeat(Duration.ofMillis(500))
                        .maxConnections(2_000))) {
            long idle = median(site);
            long begin = System.nanoTime();
            List<Slow> slow = slowOnes(site);
            List<Slow> trickling = new ArrayList<>(slow);
            List<Long> beside = new ArrayList<>();
            long longest = begin + 2 * LIMIT.toNanos() + Duration.ofSeconds(10).toNanos();
            while (!trickling.isEmpty()) {
                assertTrue(System.nanoTime() < longest, trickling.size() + " are still connected");
                List<Slow> still = new ArrayList<>();
                for (Slow each : trickling) {
                    if (each.goesOn()) {
                        still.add(each);
                    }
                }
                trickling = still;
                beside.add(site.goodResultArrives());
                Thread.sleep(PAUSE_MILLIS);
            }
            Duration taken = Duration.ofNanos(System.nanoTime() - begin);
            beside.sort(null);
            long typical = beside.get(beside.size() / 2);
            audit.figure(slow.size() + " gone after " + taken.toMillis() + " ms; a good result took " + typical / 1_000
                    + " us beside them, " + idle / 1_000 + " us alone");
            assertTrue(taken.compareTo(LIMIT) >= 0, taken::toString);
            assertTrue(typical < 20 * idle + Duration.ofMillis(50).toNanos(), typical + " ns");
            int told = 0;
            for (Slow each : slow) {
                ByeReason bye = each.bye();
                assertTrue(bye == null || bye == ByeReason.TIMED_OUT, each.peer.byeText);
                told += bye == null ? 0 : 1;
                each.peer.close();
            }
            assertTrue(told > slow.size() / 2, told + " were told");
            Eventually.isTrue("all are gone", () -> site.server.connections() == 1);
            Eventually.isTrue("their results too", () -> site.server.openResults() == 0);
        }
    }

    private static long median(Site site) throws Exception {
        List<Long> taken = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            taken.add(site.goodResultArrives());
        }
        taken.sort(null);
        return taken.get(taken.size() / 2);
    }

    @Test
    void connectionsBeyondTheLimitAreClosed() throws Exception {
        audit.expectWarnings();
        try (Site site = new Site(audit, server -> server.maxConnections(3))) {
            site.goodResultArrives();
            try (RawPeer second = RawPeer.admitted(site.address());
                    RawPeer third = RawPeer.connect(site.address())) {
                Eventually.isTrue("they are in", () -> site.server.connections() == 3);
                try (RawPeer fourth = RawPeer.connect(site.address())) {
                    assertEquals(0, fourth.rest().length);
                }
                site.goodResultArrives();
                assertFalse(second.socket().getInputStream().available() > 200 || third.bye != null);
            }
            Eventually.isTrue("there is room again", () -> site.server.connections() == 1);
            RawPeer.admitted(site.address()).close();
            assertTrue(audit.warnings().toString().contains("too many connections"));
        }
    }
}
