// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Somebody with a valid certificate of his own passes all on between a client and a server, and is found out. */
final class ManInTheMiddleTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final Certificates certificates = new Certificates();

    ManInTheMiddleTest() throws Exception {}

    private static CertificateBuilder driver() {
        return Certificates.server().addSanIpAddress("127.0.0.1");
    }

    /** Decrypts, and encrypts again, what goes either way. */
    private static final class Relay implements AutoCloseable {
        private final SSLServerSocket port;
        private final SSLContext nearServer;
        private final InetSocketAddress target;
        private final ExecutorService threads;
        private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();
        final AtomicInteger passed = new AtomicInteger();

        Relay(SSLContext nearClient, SSLContext nearServer, InetSocketAddress target, ExecutorService threads)
                throws IOException {
            this.nearServer = nearServer;
            this.target = target;
            this.threads = threads;
            port = (SSLServerSocket) nearClient.getServerSocketFactory().createServerSocket(0, 50, Site.loopback());
            threads.execute(this::accept);
        }

        private void accept() {
            try {
                while (true) {
                    Socket near = port.accept();
                    sockets.add(near);
                    Socket far = nearServer.getSocketFactory().createSocket(target.getAddress(), target.getPort());
                    sockets.add(far);
                    threads.execute(() -> pump(near, far));
                    threads.execute(() -> pump(far, near));
                }
            } catch (IOException e) {
                // closed
            }
        }

        private void pump(Socket from, Socket to) {
            byte[] bytes = new byte[4_096];
            try (from;
                    to) {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int read = in.read(bytes); read >= 0; read = in.read(bytes)) {
                    out.write(bytes, 0, read);
                    passed.addAndGet(read);
                }
            } catch (IOException e) {
                // one of the ends has gone
            }
        }

        @Override
        public void close() throws IOException {
            port.close();
            for (Socket each : sockets) {
                each.close();
            }
        }
    }

    private SSLContext context(X509Bundle shown) throws Exception {
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(
                shown.toKeyManagerFactory().getKeyManagers(),
                certificates.authority().toTrustManagerFactory().getTrustManagers(),
                null);
        return context;
    }

    private void relayed(X509Bundle servers, X509Bundle relays, boolean letIn) throws Exception {
        TransportTls server = certificates.side(servers);
        TransportTls client = certificates.clientSide();
        SSLContext nearServer = context(certificates.issue(Certificates.client()));
        try (Site site = new Site(audit, builder -> builder.tls(server), builder -> builder.tls(client));
                Relay relay = new Relay(context(relays), nearServer, site.address(), audit.executor());
                ResultClient deceived = Site.client(audit.pool(Site.CHUNK, 64 * Site.CHUNK))
                        .secret(Site.SECRET)
                        .tls(client)
                        .connectLimit(Duration.ofSeconds(letIn ? 10 : 2))
                        .connect(relay.port.getLocalSocketAddress())) {
            ResultId id = new ResultId("good", 9, 9, 9);
            ManyResultsTest.Longs codec = new ManyResultsTest.Longs();
            if (letIn) {
                deceived.send(id, codec, new long[] {1, 100});
            } else {
                UndeliveredResultException refused = assertThrows(
                        UndeliveredResultException.class, () -> deceived.send(id, codec, new long[] {1, 100}));
                assertTrue(refused.fate().reason().endsWith("not authenticated"), refused::toString);
            }
            assertEquals(letIn, site.handled.contains(id));
            assertTrue(relay.passed.get() > 100, "the relay passes on");
            site.goodResultArrives();
        }
    }

    @Test
    void relayWithACertificateOfItsOwnIsFoundOut() throws Exception {
        relayed(certificates.issue(driver()), certificates.issue(driver()), false);
    }

    /** So it is the certificate that gives the other one away. */
    @Test
    void relayWithTheServersKeyIsNot() throws Exception {
        X509Bundle shared = certificates.issue(driver());
        relayed(shared, shared, true);
    }
}
