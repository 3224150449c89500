// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.tailrace.core.transport.TransportTls;
import java.net.InetAddress;

/**
 * What both ends of a connection over loopback show and believe: certificates of one authority, made anew, and the same
 * version and engine for the transport and for what it is held against.
 */
final class TlsParties {

    private final X509Bundle authority;
    private final X509Bundle server;
    private final X509Bundle client;

    TlsParties() throws Exception {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        authority = new CertificateBuilder()
                .subject("CN=authority")
                .ecp256()
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        server = new CertificateBuilder()
                .subject("CN=driver")
                .ecp256()
                .addSanDnsName("localhost")
                .addSanIpAddress(loopback)
                .addExtendedKeyUsageServerAuth()
                .buildIssuedBy(authority);
        client = new CertificateBuilder()
                .subject("CN=executor")
                .ecp256()
                .addExtendedKeyUsageClientAuth()
                .buildIssuedBy(authority);
    }

    TransportTls transportServer() throws Exception {
        return TransportTls.of(server.toKeyManagerFactory(), authority.toTrustManagerFactory());
    }

    TransportTls transportClient() throws Exception {
        return TransportTls.of(client.toKeyManagerFactory(), authority.toTrustManagerFactory());
    }

    SslContext bareServer() throws Exception {
        return SslContextBuilder.forServer(server.toKeyManagerFactory())
                .clientAuth(ClientAuth.REQUIRE)
                .sslProvider(SslProvider.JDK)
                .protocols("TLSv1.3")
                .trustManager(authority.toTrustManagerFactory())
                .build();
    }

    SslContext bareClient() throws Exception {
        return SslContextBuilder.forClient()
                .keyManager(client.toKeyManagerFactory())
                .sslProvider(SslProvider.JDK)
                .protocols("TLSv1.3")
                .trustManager(authority.toTrustManagerFactory())
                .endpointIdentificationAlgorithm("HTTPS")
                .build();
    }
}
