// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.SimpleTrustManagerFactory;
import io.netty.pkitesting.X509Bundle;
import io.tailrace.core.testing.LeakAudit;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.Function;
import javax.net.ssl.ManagerFactoryParameters;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TlsHandshakeFaultsTest {

    private static final Duration SHORT = Duration.ofMillis(400);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final Certificates certificates = new Certificates();

    TlsHandshakeFaultsTest() throws Exception {}

    @BeforeEach
    void nettyIsAudited() {
        audit.usesNettyBuffers();
    }

    @Test
    void expiredServerIsRefused() throws Exception {
        TransportTls server = certificates.side(certificates.issue(Certificates.expired(Certificates.server())));
        refusedByClient(server, certificates.clientSide(), CertificateExpiredException.class);
    }

    @Test
    void expiredClientIsRefused() throws Exception {
        TransportTls client = certificates.side(certificates.issue(Certificates.expired(Certificates.client())));
        refusedByServer(client, CertificateExpiredException.class);
    }

    @Test
    void selfSignedServerIsRefused() throws Exception {
        TransportTls server = certificates.side(
                Certificates.server().setIsCertificateAuthority(true).buildSelfSigned());
        refusedByClient(server, certificates.clientSide(), CertPathBuilderException.class);
    }

    @Test
    void selfSignedClientIsRefused() throws Exception {
        X509Bundle impostor = Certificates.client()
                .subject("CN=authority") // a client of the JDK sends none that is not wanted
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        refusedByServer(certificates.side(impostor), CertPathValidatorException.class);
    }

    @Test
    void serverOfAnotherAuthorityOfTheSameNameIsRefused() throws Exception {
        TransportTls server = certificates.side(new Certificates().issue(Certificates.server()));
        refusedByClient(server, certificates.clientSide(), CertPathValidatorException.class);
    }

    @Test
    void clientOfAnotherAuthorityOfTheSameNameIsRefused() throws Exception {
        TransportTls client = certificates.side(new Certificates().issue(Certificates.client()));
        refusedByServer(client, CertPathValidatorException.class);
    }

    @Test
    void clientsCertificateMakesNoServer() throws Exception {
        TransportTls server =
                certificates.side(certificates.issue(Certificates.client().addSanDnsName(Certificates.HOST)));
        refusedByClient(server, certificates.clientSide(), CertificateException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"other.example", "driver.example.org", "127.0.0.1", "::1", "localhost"})
    void serverOfAnotherHostIsRefused(String host) throws Exception {
        hostIsRefused(host, certificates.clientSide());
    }

    @Test
    void hostIsCheckedBesideTrustManagerThatKnowsNoHosts() throws Exception {
        X509Bundle shown = certificates.issue(Certificates.client());
        hostIsRefused(
                "other.example",
                TransportTls.of(shown.toKeyManagerFactory(), new PlainTrust(certificates.authority())));
    }

    private void hostIsRefused(String host, TransportTls client) throws Exception {
        try (TlsLoopback loopback = new TlsLoopback(certificates.serverSide()::server)) {
            TlsSide near = loopback.connect(alloc -> client.client(alloc, host, 7));
            CertificateException cause = cause(CertificateException.class, near.failure());
            assertTrue(String.valueOf(cause.getMessage()).contains(host), cause::toString);
            bothClose(near, loopback.accepted());
        }
    }

    @Test
    void clientWithoutTls13IsRefused() throws Exception {
        X509Bundle shown = certificates.issue(Certificates.client());
        SslContext old =
                foreign("TLSv1.2").keyManager(shown.toKeyManagerFactory()).build();
        refusedByServer(alloc -> old.newHandler(alloc, Certificates.HOST, 7), SSLHandshakeException.class);
    }

    @Test
    void serverWithoutTls13IsRefused() throws Exception {
        SslContext old = SslContextBuilder.forServer(
                        certificates.issue(Certificates.server()).toKeyManagerFactory())
                .sslProvider(SslProvider.JDK)
                .protocols("TLSv1.2")
                .build();
        TransportTls client = certificates.clientSide();
        refusedByClient(old::newHandler, client, SSLHandshakeException.class);
    }

    @Test
    void clientWithoutCertificateIsRefused() throws Exception {
        SslContext bare = foreign("TLSv1.3").build();
        refusedByServer(alloc -> bare.newHandler(alloc, Certificates.HOST, 7), SSLHandshakeException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/1.1\r\nHost: driver.example\r\n\r\n", "tailrace", "0123456789"})
    void plaintextIsRefused(String text) throws Exception {
        try (TlsLoopback loopback = new TlsLoopback(certificates.serverSide()::server);
                Socket plain = connect(loopback)) {
            plain.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
            TlsSide far = loopback.accepted();
            assertInstanceOf(NotSslRecordException.class, far.failure());
            far.awaitClose();
            assertFalse(far.hasReceived());
            awaitEnd(plain);
        }
    }

    @Test
    void clientThatLeavesInMidHelloIsLetGo() throws Exception {
        byte[] hello = clientHello();
        try (TlsLoopback loopback = new TlsLoopback(certificates.serverSide()::server)) {
            for (int length = 0; length < hello.length; length += 1 + length / 8) {
                try (Socket plain = connect(loopback)) {
                    plain.getOutputStream().write(hello, 0, length);
                }
                TlsSide far = loopback.accepted();
                cause(ClosedChannelException.class, far.failure());
                far.awaitClose();
            }
        }
    }

    @Test
    void clientThatLeavesBehindItsHelloIsLetGo() throws Exception {
        try (TlsLoopback loopback = new TlsLoopback(certificates.serverSide()::server)) {
            try (Socket plain = connect(loopback)) {
                plain.getOutputStream().write(clientHello());
                assertEquals(0x16, plain.getInputStream().read(), "the server's handshake record");
            }
            TlsSide far = loopback.accepted();
            assertInstanceOf(IOException.class, far.failure());
            far.awaitClose();
            assertFalse(far.hasReceived());
        }
    }

    @Test
    void serverThatLeavesInMidHandshakeFailsTheClient() throws Exception {
        TransportTls client = certificates.clientSide();
        try (TlsLoopback loopback = new TlsLoopback(certificates.serverSide()::server);
                ServerSocket port = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            TlsSide near =
                    loopback.connect(alloc -> client.client(alloc, Certificates.HOST, 7), port.getLocalSocketAddress());
            try (Socket plain = port.accept()) {
                assertEquals(0x16, plain.getInputStream().read());
            }
            assertInstanceOf(IOException.class, near.failure());
            near.awaitClose();
        }
    }

    @Test
    void clientThatStallsIsCutOff() throws Exception {
        TransportTls server = certificates.serverSide().withHandshakeTimeout(SHORT);
        byte[] hello = clientHello();
        try (TlsLoopback loopback = new TlsLoopback(server::server)) {
            for (int length : new int[] {0, 1, hello.length / 2, hello.length}) {
                long begin = System.nanoTime();
                try (Socket plain = connect(loopback)) {
                    plain.getOutputStream().write(hello, 0, length);
                    cutOff(loopback.accepted(), begin);
                    awaitEnd(plain);
                }
            }
        }
    }

    @Test
    void clientThatTricklesIsCutOff() throws Exception {
        TransportTls server = certificates.serverSide().withHandshakeTimeout(SHORT);
        byte[] hello = clientHello();
        try (TlsLoopback loopback = new TlsLoopback(server::server);
                Socket plain = connect(loopback)) {
            long begin = System.nanoTime();
            TlsSide far = loopback.accepted();
            for (int i = 0; i < 60 && !far.hasFailed(); i++) {
                plain.getOutputStream().write(hello[i]);
                Thread.sleep(50);
            }
            cutOff(far, begin);
        }
    }

    @Test
    void serverThatStallsIsLeft() throws Exception {
        TransportTls client = certificates.clientSide().withHandshakeTimeout(SHORT);
        try (TlsLoopback loopback = new TlsLoopback(certificates.serverSide()::server);
                ServerSocket port = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            long begin = System.nanoTime();
            cutOff(
                    loopback.connect(alloc -> client.client(alloc, Certificates.HOST, 7), port.getLocalSocketAddress()),
                    begin);
        }
    }

    private static void cutOff(TlsSide side, long begin) throws Exception {
        assertInstanceOf(SslHandshakeTimeoutException.class, side.failure());
        side.awaitClose();
        Duration taken = Duration.ofNanos(System.nanoTime() - begin);
        assertTrue(taken.compareTo(SHORT) >= 0, taken::toString);
        assertTrue(taken.compareTo(Duration.ofSeconds(3)) < 0, taken::toString);
    }

    private void refusedByClient(TransportTls server, TransportTls client, Class<? extends Throwable> why)
            throws Exception {
        refusedByClient(server::server, client, why);
    }

    /** The client says why, and the server hears of it; neither passes anything on. */
    private static void refusedByClient(
            Function<ByteBufAllocator, SslHandler> server, TransportTls client, Class<? extends Throwable> why)
            throws Exception {
        try (TlsLoopback loopback = new TlsLoopback(server)) {
            TlsSide near = loopback.connect(alloc -> client.client(alloc, Certificates.HOST, 7));
            TlsSide far = loopback.accepted();
            cause(why, near.failure());
            cause(IOException.class, far.failure());
            bothClose(near, far);
        }
    }

    private void refusedByServer(TransportTls client, Class<? extends Throwable> why) throws Exception {
        refusedByServer(alloc -> client.client(alloc, Certificates.HOST, 7), why);
    }

    /** The server says why; the client, whose own handshake may be done by then, hears of it. */
    private void refusedByServer(Function<ByteBufAllocator, SslHandler> client, Class<? extends Throwable> why)
            throws Exception {
        try (TlsLoopback loopback = new TlsLoopback(certificates.serverSide()::server)) {
            TlsSide near = loopback.connect(client);
            TlsSide far = loopback.accepted();
            cause(why, far.failure());
            cause(IOException.class, near.failure());
            bothClose(near, far);
        }
    }

    private static void bothClose(TlsSide near, TlsSide far) throws Exception {
        near.awaitClose();
        far.awaitClose();
        assertFalse(near.hasReceived() || far.hasReceived());
    }

    private static <T extends Throwable> T cause(Class<T> type, Throwable thrown) {
        for (Throwable each = thrown; each != null; each = each.getCause()) {
            if (type.isInstance(each)) {
                return type.cast(each);
            }
        }
        throw new AssertionError("not for a " + type.getSimpleName(), thrown);
    }

    /** A client's of that version that believes our authority, by Netty alone. */
    private SslContextBuilder foreign(String version) {
        return SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .protocols(version)
                .trustManager(certificates.authority().toTrustManagerFactory());
    }

    private byte[] clientHello() throws Exception {
        SSLEngine engine = certificates
                .clientSide()
                .client(ByteBufAllocator.DEFAULT, Certificates.HOST, 7)
                .engine();
        ByteBuffer hello = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), hello);
        return Arrays.copyOf(hello.array(), hello.position());
    }

    private static Socket connect(TlsLoopback loopback) throws IOException {
        Socket plain = new Socket();
        plain.setSoTimeout(10_000);
        plain.connect(loopback.address());
        return plain;
    }

    private static void awaitEnd(Socket plain) throws IOException {
        byte[] rest = new byte[1 << 10];
        while (plain.getInputStream().read(rest) >= 0) {
            // an alert, perhaps
        }
    }

    /** Netty's factory of a trust manager of the old kind, which is told nothing of the connection. */
    private static final class PlainTrust extends SimpleTrustManagerFactory implements X509TrustManager {
        private final X509TrustManager trust;

        PlainTrust(X509Bundle authority) {
            trust = (X509TrustManager) authority.toTrustManagerFactory().getTrustManagers()[0];
        }

        @Override
        protected void engineInit(KeyStore store) {}

        @Override
        protected void engineInit(ManagerFactoryParameters parameters) {}

        @Override
        protected TrustManager[] engineGetTrustManagers() {
            return new TrustManager[] {this};
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            trust.checkClientTrusted(chain, type);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            trust.checkServerTrusted(chain, type);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return trust.getAcceptedIssuers();
        }
    }
}
