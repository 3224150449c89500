// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import static io.tailrace.core.testing.Direction.DOWN;
import static io.tailrace.core.testing.Direction.UP;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

final class PlanTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void equalSeedsMakeEqualPlansAndTheTextNamesThem() {
        assertEquals(Plan.random(42, 1_000, 10), Plan.random(42, 1_000, 10));
        assertNotEquals(Plan.random(42, 1_000, 10), Plan.random(43, 1_000, 10));
        assertTrue(Plan.random(42, 1_000, 10).toString().contains("seed=42"));
    }

    @Test
    void chanceComesToEveryFaultInBothDirectionsAndInsideTheBytesExpected() {
        Set<Class<?>> up = new HashSet<>();
        Set<Class<?>> down = new HashSet<>();
        int keeping = 0;
        for (int seed = 0; seed < 500; seed++) {
            Plan plan = Plan.random(seed, 100_000, 500);
            plan.up().faults().forEach(fault -> up.add(fault.getClass()));
            plan.down().faults().forEach(fault -> down.add(fault.getClass()));
            assertTrue(plan.up().faults().stream().limit(1).allMatch(fault -> fault.at() < 100_000), plan::toString);
            assertTrue(plan.down().faults().stream().limit(1).allMatch(fault -> fault.at() < 500), plan::toString);
            keeping += plan.keepsBytes() ? 1 : 0;
            assertTrue(Plan.randomPace(seed, 100_000, 500).keepsBytes());
        }
        Set<Class<?>> all = Set.of(Fault.class.getPermittedSubclasses());
        assertEquals(all, up);
        assertEquals(all, down);
        assertTrue(keeping > 50 && keeping < 250, keeping + " keep all bytes");
    }

    @Test
    void everyByteArrivesAtAnyPace() throws Exception {
        byte[] sent = new Sample(audit.seed(), 20_000).bytes();
        for (int i = 0; i < 8; i++) {
            Plan plan = Plan.randomPace(audit.seed() + i, sent.length, 0);
            try (ServerSocket listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
                    FaultyProxy proxy =
                            FaultyProxy.to(listener.getLocalSocketAddress()).plan(plan);
                    Socket client = new Socket(
                            proxy.address().getAddress(), proxy.address().getPort());
                    Socket server = listener.accept()) {
                Future<byte[]> received =
                        audit.executor().submit(() -> server.getInputStream().readAllBytes());
                client.getOutputStream().write(sent);
                client.shutdownOutput();
                assertArrayEquals(sent, received.get(10, TimeUnit.SECONDS), proxy::toString);
            }
        }
    }

    @Test
    void faultyProxyNamesItsSeed() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
                FaultyProxy proxy = FaultyProxy.random(4_711, listener.getLocalSocketAddress(), 100, 100);
                Socket client =
                        new Socket(proxy.address().getAddress(), proxy.address().getPort());
                Socket server = listener.accept()) {
            assertTrue(client.isConnected() && server.isConnected());
            assertTrue(proxy.toString().contains("seed 4711"), proxy::toString);
            assertEquals(
                    Plan.random(4_711, 100, 100), proxy.connections().get(0).plan());
        }
    }

    @Test
    void onlyStallsAndPaceKeepBytes() {
        Plan plan = Plan.transparent().stallAfter(UP, 0, Duration.ZERO).trickle(DOWN, 1, Duration.ofMillis(1));
        assertTrue(plan.keepsBytes());
        assertFalse(plan.flip(DOWN, 0, 0).keepsBytes());
        assertFalse(plan.swap(UP, 0, 1, 1).keepsBytes());
    }

    @Test
    void impossiblePlansAreRefused() {
        Plan plan = Plan.transparent();
        assertThrows(IllegalArgumentException.class, () -> plan.cutAfter(UP, -1));
        assertThrows(IllegalArgumentException.class, () -> plan.flip(UP, 0, 8));
        assertThrows(IllegalArgumentException.class, () -> plan.split(UP, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> plan.split(UP, 1, (64 << 10) + 1));
        assertThrows(IllegalArgumentException.class, () -> plan.duplicate(UP, 0, (64 << 10) + 1));
        assertThrows(IllegalArgumentException.class, () -> plan.swap(UP, 0, 1, 0));
        assertThrows(
                IllegalArgumentException.class, () -> plan.duplicate(UP, 0, 2).swap(UP, 5, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> plan.bandwidth(UP, 0));
    }
}
