// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.pkitesting.X509Bundle;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.Logged;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The whole transport under TLS. */
final class SecuredResultsTest {

    private static final ManyResultsTest.Longs LONGS = new ManyResultsTest.Longs();

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final Certificates certificates = new Certificates();

    SecuredResultsTest() throws Exception {}

    @BeforeEach
    void nettyIsAudited() {
        audit.usesNettyBuffers();
    }

    @Test
    void resultsOfEverySizeArriveWhole() throws Exception {
        TransportTls client = certificates.clientSide();
        TransportTls server = certificates.loopbackSide();
        try (Site site = new Site(
                audit,
                builder -> builder.tls(server).handler(result -> {
                    long[] longs = result.decode(LONGS);
                    if (longs[1] != Math.abs(result.id().stage())) {
                        throw new IllegalStateException(longs[1] + " instead of " + result.id());
                    }
                }),
                builder -> builder.tls(client))) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int task = 0; task < 12; task++) {
                long count = task % 4 == 0 ? 200_000 : 97L * task;
                ResultId id = new ResultId("job", count, task, 0);
                tasks.add(audit.executor().submit(() -> site.good.send(id, LONGS, new long[] {1, count})));
            }
            List<CompletableFuture<ResultFate>> fates = new ArrayList<>();
            for (int task = 0; task < 1_000; task++) {
                fates.add(site.good.submit(new ResultId("small", 5, task, 0), LONGS, new long[] {task, 5}));
            }
            for (Future<?> task : tasks) {
                task.get(30, TimeUnit.SECONDS);
            }
            for (CompletableFuture<ResultFate> fate : fates) {
                assertEquals(Verdict.ACCEPTED, fate.get(10, TimeUnit.SECONDS).verdict());
            }
            assertTrue(site.server.outsideBytes() > 0);
        }
    }

    private String refused(@Nullable TransportTls server, @Nullable TransportTls client) throws Exception {
        ChunkPool pool = audit.pool(Site.CHUNK, 64 * Site.CHUNK);
        try (Site site = new Site(audit, builder -> builder.tls(server), builder -> builder.tls(client));
                ResultClient bad = Site.client(pool)
                        .secret(Site.SECRET)
                        .tls(client)
                        .connectLimit(Duration.ofMillis(1_500))
                        .connect(site.address())) {
            UndeliveredResultException lost = assertThrows(
                    UndeliveredResultException.class, () -> bad.open(new ResultId("bad", 1, 1, 1), "longs/1"));
            assertEquals(Verdict.LOST, lost.fate().verdict());
            assertTrue(site.handled.isEmpty());
            return lost.fate().reason().toLowerCase(Locale.ROOT);
        }
    }

    private static void contains(String reason, String... words) {
        assertTrue(List.of(words).stream().anyMatch(reason::contains), reason);
    }

    @Test
    void faultsOfTheServersCertificateReachWhoSends() throws Exception {
        TransportTls client = certificates.clientSide();
        X509Bundle expired =
                certificates.issue(Certificates.expired(Certificates.server().addSanIpAddress("127.0.0.1")));
        contains(refused(certificates.side(expired), client), "validity", "expired");
        X509Bundle selfSigned = Certificates.server()
                .addSanIpAddress("127.0.0.1")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        contains(refused(certificates.side(selfSigned), client), "certification path");
        // its certificate names driver.example alone
        contains(refused(certificates.serverSide(), client), "127.0.0.1 found", "subject alternative");
    }

    /** The client's own handshake is done when the server refuses: it hears so, or is cut off. */
    @Test
    void faultsOfTheClientsCertificateReachWhoSends() throws Exception {
        X509Bundle expired = certificates.issue(Certificates.expired(Certificates.client()));
        contains(
                refused(certificates.loopbackSide(), certificates.side(expired)),
                "certificate",
                "reset",
                "broken pipe");
        TransportTls stranger = TransportTls.of(
                new Certificates().issue(Certificates.client()).toKeyManagerFactory(),
                certificates.authority().toTrustManagerFactory());
        contains(refused(certificates.loopbackSide(), stranger), "certificate", "reset", "broken pipe");
    }

    @Test
    void plaintextClientLearnsThatThePortWantsTls() throws Exception {
        bothEndsSayWhy(certificates.loopbackSide(), null, "speaks no TLS", "TLS is wanted here");
        contains(refused(certificates.loopbackSide(), null), "tls is wanted here");
    }

    @Test
    void tlsClientLearnsThatThePortSpeaksPlaintext() throws Exception {
        bothEndsSayWhy(null, certificates.clientSide(), "(TLS)", "speaks no TLS");
        contains(refused(null, certificates.clientSide()), "speaks no tls");
    }

    /** Long before any limit of time. */
    private void bothEndsSayWhy(
            @Nullable TransportTls server, @Nullable TransportTls client, String atServer, String atClient)
            throws Exception {
        try (Logged serversLog = new Logged(ResultServer.class);
                Logged clientsLog = new Logged(ResultClient.class)) {
            long begin = System.nanoTime();
            try (Site site = new Site(audit, builder -> builder.tls(server), builder -> builder.tls(client))) {
                Eventually.isTrue("the server says why", () -> serversLog.has(atServer));
                Eventually.isTrue("the client says why", () -> clientsLog.has(atClient));
                Duration taken = Duration.ofNanos(System.nanoTime() - begin);
                assertTrue(taken.toSeconds() < 5, taken::toString);
                assertFalse(site.good.isConnected());
            }
        }
    }

    @Test
    void whoSpeaksNoTlsIsToldInPlaintextAndCutOff() throws Exception {
        TransportTls server = certificates.loopbackSide();
        List<byte[]> strangers = List.of(
                FrameBytes.join(List.of(RawPeer.PREAMBLE, RawPeer.hello(false, true, 1))),
                FrameBytes.file().toBytes(),
                "GET / HTTP/1.1\r\nHost: driver\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        TransportTls client = certificates.clientSide();
        try (Site site = new Site(audit, builder -> builder.tls(server), builder -> builder.tls(client))) {
            site.goodResultArrives();
            for (byte[] each : strangers) {
                try (RawPeer peer = RawPeer.connect(site.address())) {
                    peer.send(each);
                    peer.awaitEnd();
                    assertEquals(ByeReason.PROTOCOL_BROKEN, peer.bye);
                    assertEquals("TLS is wanted here", peer.byeText);
                }
                site.goodResultArrives();
            }
            site.onlyGoodResultsCame();
        }
    }
}
