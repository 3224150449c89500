// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.pkitesting.CertificateBuilder.Algorithm;
import io.netty.pkitesting.X509Bundle;
import io.tailrace.core.testing.LeakAudit;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.MessageDigest;
import java.time.Duration;
import javax.net.ssl.SSLSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TransportTlsTest {

    private static final char[] PASSWORD = "tailrace".toCharArray();
    private static final char[] OTHER_PASSWORD = "headrace".toCharArray();

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path folder;

    @BeforeEach
    void nettyIsAudited() {
        audit.usesNettyBuffers();
    }

    @ParameterizedTest
    @CsvSource({"ecp256, SHA-256", "ecp384, SHA-384", "rsa2048, SHA-256", "ed25519, SHA-512"})
    void bothSidesSpeakTls13AndKnowTheSameEndPoint(Algorithm signature, String hash) throws Exception {
        Certificates certificates = new Certificates(signature);
        X509Bundle shown = certificates.issue(Certificates.server());
        byte[] expected =
                MessageDigest.getInstance(hash).digest(shown.getCertificate().getEncoded());
        TransportTls client = certificates.clientSide();
        try (TlsLoopback loopback = new TlsLoopback(certificates.side(shown)::server)) {
            TlsSide near = loopback.connect(alloc -> client.client(alloc, Certificates.HOST, 7));
            TlsSide far = loopback.accepted();
            for (TlsSide side : new TlsSide[] {near, far}) {
                assertEquals("TLSv1.3", side.session().getProtocol());
                assertArrayEquals(expected, side.endPoint());
            }
            near.send("result");
            assertEquals("result", far.received());
            far.send("credit");
            assertEquals("credit", near.received());
        }
    }

    @Test
    void certificateMayNameAnAddress() throws Exception {
        Certificates certificates = new Certificates();
        X509Bundle shown = certificates.issue(Certificates.server().addSanIpAddress("127.0.0.1"));
        TransportTls client = certificates.clientSide();
        try (TlsLoopback loopback = new TlsLoopback(certificates.side(shown)::server)) {
            TlsSide near = loopback.connect(alloc -> client.client(alloc, "127.0.0.1", 7));
            assertEquals("TLSv1.3", near.session().getProtocol());
        }
    }

    @Test
    void resumedSessionKnowsItsEndPointAndEndsSoon() throws Exception {
        Certificates certificates = new Certificates();
        TransportTls client = certificates.clientSide();
        try (TlsLoopback loopback = new TlsLoopback(certificates.serverSide()::server)) {
            long began = 0;
            long now = 0;
            long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            for (int connections = 0; now == began; connections++) {
                assertTrue(System.nanoTime() < deadline, connections + " connections with one session");
                TlsSide near = loopback.connect(alloc -> client.client(alloc, Certificates.HOST, 7));
                TlsSide far = loopback.accepted();
                far.send("a ticket came before this");
                near.received();
                SSLSession session = far.session();
                now = session.getCreationTime();
                began = connections == 0 ? now : began;
                assertArrayEquals(near.endPoint(), far.endPoint());
                near.close();
                Thread.sleep(100);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT-1S", "PT0.0009S"})
    void handshakeWithoutLimitIsRefused(Duration timeout) throws Exception {
        TransportTls tls = new Certificates().serverSide();
        assertThrows(IllegalArgumentException.class, () -> tls.withHandshakeTimeout(timeout));
    }

    @Test
    void keyStoresSuffice() throws Exception {
        Certificates certificates = new Certificates();
        TransportTls server = fromFiles("server", certificates, certificates.issue(Certificates.server()));
        TransportTls client = fromFiles("client", certificates, certificates.issue(Certificates.client()));
        try (TlsLoopback loopback = new TlsLoopback(server::server)) {
            TlsSide near = loopback.connect(alloc -> client.client(alloc, Certificates.HOST, 7));
            near.send("result");
            assertEquals("result", loopback.accepted().received());
        }
    }

    @Test
    void keyStoresThatCannotServeAreRefused() throws Exception {
        Certificates certificates = new Certificates();
        Path keys = folder.resolve("keys");
        Path trust = folder.resolve("trust");
        storeKey(keys, certificates.issue(Certificates.server()));
        storeTrust(trust, certificates);
        assertThrows(IOException.class, () -> TransportTls.fromKeyStores(keys, OTHER_PASSWORD, trust, OTHER_PASSWORD));
        assertThrows(IOException.class, () -> TransportTls.fromKeyStores(keys, PASSWORD, trust, PASSWORD));
        assertThrows(
                IOException.class,
                () -> TransportTls.fromKeyStores(folder.resolve("none"), PASSWORD, trust, OTHER_PASSWORD));
        assertThrows(
                KeyStoreException.class,
                () -> TransportTls.fromKeyStores(trust, OTHER_PASSWORD, trust, OTHER_PASSWORD));
        assertThrows(KeyStoreException.class, () -> TransportTls.fromKeyStores(keys, PASSWORD, keys, PASSWORD));
    }

    private TransportTls fromFiles(String name, Certificates certificates, X509Bundle shown) throws Exception {
        Path keys = folder.resolve(name + "-keys");
        Path trust = folder.resolve(name + "-trust");
        storeKey(keys, shown);
        storeTrust(trust, certificates);
        return TransportTls.fromKeyStores(keys, PASSWORD, trust, OTHER_PASSWORD);
    }

    private static void storeKey(Path file, X509Bundle shown) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setKeyEntry("side", shown.getKeyPair().getPrivate(), PASSWORD, shown.getCertificatePath());
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, PASSWORD);
        }
    }

    private static void storeTrust(Path file, Certificates certificates) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry("authority", certificates.authority().getCertificate());
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, OTHER_PASSWORD);
        }
    }
}
