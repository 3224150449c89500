// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class EndPointTest {

    private static final Pattern VECTOR = Pattern.compile(
            "^# (\\S+) ([0-9a-f]+)\n(-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----)$", Pattern.MULTILINE);

    /** As OpenSSL issued and hashed them. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("vectors")
    void endPointIsTheHashOfTheCertificatesOwnSignature(String name, String expected, String pem) throws Exception {
        X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)));
        assertEquals("CN=" + name, certificate.getSubjectX500Principal().getName());
        assertEquals(expected, HexFormat.of().formatHex(TransportTls.endPoint(certificate)));
    }

    @Test
    void endPointsOfTwoCertificatesDiffer() throws Exception {
        Certificates certificates = new Certificates();
        byte[] one =
                TransportTls.endPoint(certificates.issue(Certificates.server()).getCertificate());
        byte[] other =
                TransportTls.endPoint(certificates.issue(Certificates.server()).getCertificate());
        assertFalse(Arrays.equals(one, other));
    }

    private static List<Arguments> vectors() throws Exception {
        try (InputStream in = Objects.requireNonNull(EndPointTest.class.getResourceAsStream("end-points.pem"))) {
            List<Arguments> vectors = VECTOR.matcher(new String(in.readAllBytes(), StandardCharsets.US_ASCII))
                    .results()
                    .map(each -> Arguments.of(each.group(1), each.group(2), each.group(3)))
                    .toList();
            assertEquals(20, vectors.size());
            return vectors;
        }
    }
}
