// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.CertificateBuilder.Algorithm;
import io.netty.pkitesting.X509Bundle;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** An authority of a test's own, and what it issues: good by default, broken where a test breaks it. */
final class Certificates {

    static final String HOST = "driver.example";

    private final X509Bundle authority;

    Certificates() throws Exception {
        this(Algorithm.ecp256);
    }

    /** Its algorithm is that of the signatures. */
    Certificates(Algorithm algorithm) throws Exception {
        authority = new CertificateBuilder()
                .subject("CN=authority")
                .algorithm(algorithm)
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
    }

    X509Bundle authority() {
        return authority;
    }

    /** A server's of that host, not yet built. */
    static CertificateBuilder server() {
        return new CertificateBuilder()
                .subject("CN=driver")
                .ecp256()
                .addSanDnsName(HOST)
                .addExtendedKeyUsageServerAuth();
    }

    /** A client's, not yet built. */
    static CertificateBuilder client() {
        return new CertificateBuilder().subject("CN=executor").ecp256().addExtendedKeyUsageClientAuth();
    }

    static CertificateBuilder expired(CertificateBuilder builder) {
        Instant now = Instant.now();
        return builder.notBefore(now.minus(2, ChronoUnit.DAYS)).notAfter(now.minus(1, ChronoUnit.DAYS));
    }

    X509Bundle issue(CertificateBuilder builder) throws Exception {
        return builder.buildIssuedBy(authority);
    }

    /** One side: what it shows, and that it believes this authority. */
    TransportTls side(X509Bundle shown) throws Exception {
        return TransportTls.of(shown.toKeyManagerFactory(), authority.toTrustManagerFactory());
    }

    TransportTls serverSide() throws Exception {
        return side(issue(server()));
    }

    /** A server's that is asked for by its address, or as localhost. */
    TransportTls loopbackSide() throws Exception {
        return side(issue(server().addSanIpAddress("127.0.0.1").addSanDnsName("localhost")));
    }

    TransportTls clientSide() throws Exception {
        return side(issue(client()));
    }
}
