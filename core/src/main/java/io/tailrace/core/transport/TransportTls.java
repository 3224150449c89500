// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.frame.Preamble;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.security.spec.PSSParameterSpec;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * TLS for a transport's connections, the same for both of their ends: version 1.3 alone, by the JDK. Each side shows a
 * certificate that the other's trust manager believes, and the server's must name the host that the client asked for.
 *
 * <p>The JDK's engine reads heap memory where it lies, so chunks need no copy for it. It writes each record of 16 KiB into
 * heap memory, and what it decrypts into the usual memory of the channel's allocator; the NIO transport copies the former
 * once more, into direct memory.
 *
 * <p>Handshakes are computed on the event loop, about a millisecond each: who expects to be called by many strangers gives
 * the loop more threads, or lets nobody connect whom it does not know.
 *
 * <p><b>Threads.</b> Immutable: any number of connections share one.
 */
public final class TransportTls {

    private static final String VERSION = "TLSv1.3";
    private static final Duration DEFAULT_HANDSHAKE_TIMEOUT = Duration.ofSeconds(10);

    /** A resumed session spares its peer the test of its certificate: none is resumed for long. */
    private static final int SESSION_SECONDS = 1;

    private static final String RSASSA_PSS = "1.2.840.113549.1.1.10";
    private static final String LEAST_HASH = "SHA-256";

    /** By object identifiers, which are the same for every provider and release; names are not. */
    private static final Map<String, String> HASHES = Map.ofEntries(
            Map.entry("1.2.840.113549.1.1.12", "SHA-384"), // RSA
            Map.entry("1.2.840.113549.1.1.13", "SHA-512"),
            Map.entry("1.2.840.113549.1.1.14", "SHA-224"),
            Map.entry("1.2.840.113549.1.1.15", "SHA-512/224"),
            Map.entry("1.2.840.113549.1.1.16", "SHA-512/256"),
            Map.entry("1.2.840.10045.4.3.1", "SHA-224"), // ECDSA
            Map.entry("1.2.840.10045.4.3.3", "SHA-384"),
            Map.entry("1.2.840.10045.4.3.4", "SHA-512"),
            Map.entry("2.16.840.1.101.3.4.3.1", "SHA-224"), // DSA
            Map.entry("2.16.840.1.101.3.4.3.3", "SHA-384"),
            Map.entry("2.16.840.1.101.3.4.3.4", "SHA-512"),
            Map.entry("2.16.840.1.101.3.4.3.9", "SHA3-224"), // ECDSA
            Map.entry("2.16.840.1.101.3.4.3.10", "SHA3-256"),
            Map.entry("2.16.840.1.101.3.4.3.11", "SHA3-384"),
            Map.entry("2.16.840.1.101.3.4.3.12", "SHA3-512"),
            Map.entry("2.16.840.1.101.3.4.3.13", "SHA3-224"), // RSA
            Map.entry("2.16.840.1.101.3.4.3.14", "SHA3-256"),
            Map.entry("2.16.840.1.101.3.4.3.15", "SHA3-384"),
            Map.entry("2.16.840.1.101.3.4.3.16", "SHA3-512"),
            Map.entry("1.3.101.112", "SHA-512"), // Ed25519
            Map.entry("1.3.101.113", "SHA-512")); // Ed448

    private final SslContext server;
    private final SslContext client;
    private final Duration handshakeTimeout;

    private TransportTls(SslContext server, SslContext client, Duration handshakeTimeout) {
        this.server = server;
        this.client = client;
        this.handshakeTimeout = handshakeTimeout;
    }

    /**
     * For factories that have been initialised: with this side's key and certificates, and with those that it believes.
     *
     * @throws SSLException when the JDK refuses them
     */
    public static TransportTls of(KeyManagerFactory keys, TrustManagerFactory trust) throws SSLException {
        SslContext server = settings(SslContextBuilder.forServer(keys), trust)
                .clientAuth(ClientAuth.REQUIRE)
                .build();
        SslContext client = settings(SslContextBuilder.forClient().keyManager(keys), trust)
                .endpointIdentificationAlgorithm("HTTPS")
                .build();
        return new TransportTls(server, client, DEFAULT_HANDSHAKE_TIMEOUT);
    }

    /**
     * For two files of the JDK's default type, which is PKCS #12; their passwords are not kept.
     *
     * @throws KeyStoreException when there is no key in the first, or no certificate in the second
     */
    public static TransportTls fromKeyStores(Path keys, char[] keysPassword, Path trust, char[] trustPassword)
            throws IOException, GeneralSecurityException {
        KeyStore keyStore = load(keys, keysPassword);
        KeyStore trustStore = load(trust, trustPassword);
        requireEntry(keyStore, KeyStore.PrivateKeyEntry.class, "no private key in " + keys);
        requireEntry(trustStore, KeyStore.TrustedCertificateEntry.class, "no trusted certificate in " + trust);
        KeyManagerFactory keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keyManagers.init(keyStore, keysPassword);
        TrustManagerFactory trustManagers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trustManagers.init(trustStore);
        return of(keyManagers, trustManagers);
    }

    /** The same with another limit for the handshake, from the connection on; at first it is 10 s. */
    public TransportTls withHandshakeTimeout(Duration timeout) {
        if (timeout.toMillis() < 1) { // 0 would mean no limit to Netty
            throw new IllegalArgumentException("a handshake within " + timeout);
        }
        return new TransportTls(server, client, timeout);
    }

    /**
     * Puts TLS in front of a connection, which begins when the handshake is done.
     *
     * @param host whom the server's certificate must name; null at the server's own end
     */
    void secure(ChannelPipeline pipeline, @Nullable String host, int port, NettyConnection connection) {
        ByteBufAllocator allocator = pipeline.channel().alloc();
        SslHandler tls = host == null ? server(allocator) : client(allocator, host, port);
        pipeline.addLast(tls);
        tls.handshakeFuture().addListener(done -> {
            if (done.isSuccess()) {
                connection.start(endPoint(tls.engine()));
            } else if (done.cause() instanceof NotSslRecordException plaintext) {
                if (host == null) {
                    ChannelFuture told = pipeline.context(tls).writeAndFlush(wanted()); // below TLS
                    told.addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
                }
                connection.failed(new SSLException("the peer speaks no TLS", plaintext));
            } else {
                connection.failed(done.cause());
            }
        });
    }

    /** What a peer that speaks no TLS is told, as it would be where none is wanted; the end follows. */
    private static ByteBuf wanted() {
        ByteBuf farewell = Unpooled.buffer(128).writeBytes(Preamble.MULTIPLEXED.bytes());
        ControlWriter.bye(farewell, ByeReason.PROTOCOL_BROKEN, "TLS is wanted here");
        return farewell;
    }

    /** For the head of a pipeline, once. */
    SslHandler server(ByteBufAllocator allocator) {
        return limited(server.newHandler(allocator));
    }

    /** For the head of a pipeline, once; the host is the one that the server's certificate must name. */
    SslHandler client(ByteBufAllocator allocator, String host, int port) {
        return limited(client.newHandler(allocator, host, port));
    }

    /** The {@linkplain #endPoint(X509Certificate) end point} of a connection whose handshake is done: alike on both sides. */
    static byte[] endPoint(SSLEngine engine) throws SSLException {
        SSLSession session = engine.getSession();
        Certificate[] servers =
                engine.getUseClientMode() ? session.getPeerCertificates() : session.getLocalCertificates();
        if (servers == null || servers.length == 0 || !(servers[0] instanceof X509Certificate certificate)) {
            throw new SSLException("a server without an X.509 certificate");
        }
        return endPoint(certificate);
    }

    /**
     * RFC 5929's tls-server-end-point of a server's certificate: its hash by the hash function of its own signature, of
     * RSASSA-PSS the one in its parameters; by SHA-256 instead of MD5 and SHA-1. Where the RFC defines none, it is
     * SHA-512 for Ed25519 and Ed448, and SHA-256 for all that are not listed here.
     */
    static byte[] endPoint(X509Certificate certificate) throws SSLException {
        try {
            String signature = certificate.getSigAlgOID();
            String hash = signature.equals(RSASSA_PSS)
                    ? pssHash(certificate.getSigAlgParams())
                    : HASHES.getOrDefault(signature, LEAST_HASH);
            return MessageDigest.getInstance(hash).digest(certificate.getEncoded());
        } catch (GeneralSecurityException | IOException e) {
            throw new SSLException("the hash of the server's certificate is unknown", e);
        }
    }

    private static String pssHash(byte @Nullable [] parameters) throws GeneralSecurityException, IOException {
        if (parameters == null) {
            return LEAST_HASH; // instead of SHA-1, which absence means
        }
        AlgorithmParameters decoded = AlgorithmParameters.getInstance("RSASSA-PSS");
        decoded.init(parameters);
        String hash = decoded.getParameterSpec(PSSParameterSpec.class).getDigestAlgorithm();
        return hash.equals("SHA-1") ? LEAST_HASH : hash;
    }

    private static SslContextBuilder settings(SslContextBuilder builder, TrustManagerFactory trust) {
        return builder.sslProvider(SslProvider.JDK)
                .protocols(VERSION)
                .trustManager(trust)
                .sessionTimeout(SESSION_SECONDS);
    }

    private SslHandler limited(SslHandler handler) {
        handler.setHandshakeTimeoutMillis(handshakeTimeout.toMillis());
        handler.setWrapDataSize(0); // as written: to fill every record, it would copy and allocate where a write ends
        return handler;
    }

    private static KeyStore load(Path file, char[] password) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        try (InputStream bytes = Files.newInputStream(file)) {
            store.load(bytes, password);
        }
        return store;
    }

    private static void requireEntry(KeyStore store, Class<? extends KeyStore.Entry> type, String otherwise)
            throws KeyStoreException {
        for (String alias : Collections.list(store.aliases())) {
            if (store.entryInstanceOf(alias, type)) {
                return;
            }
        }
        throw new KeyStoreException(otherwise);
    }
}
