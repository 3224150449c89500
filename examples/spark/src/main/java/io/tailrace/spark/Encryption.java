// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import io.tailrace.core.transport.TransportTls;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;
import org.apache.spark.SSLOptions;
import org.apache.spark.SecurityManager;
import org.jspecify.annotations.Nullable;
import scala.Option;

/**
 * As much encryption as the user asked of Spark: TLS by the key stores of {@code spark.ssl.rpc}, or none where none was asked for.
 * What Spark encrypts is never sent in plain here.
 *
 * @param tls null for plaintext
 */
record Encryption(@Nullable TransportTls tls) {

    /** @throws InertException when it was asked for and cannot be had */
    static Encryption of(SecurityManager security) throws InertException {
        if (security.isSslRpcEnabled()) {
            return new Encryption(tls(security.getRpcSSLOptions()));
        }
        if (security.isEncryptionEnabled()) {
            throw new InertException("Spark's own encryption is on (spark.network.crypto.enabled or"
                    + " spark.authenticate.enableSaslEncryption), which is not had here; spark.ssl.rpc is");
        }
        return new Encryption(null);
    }

    private static TransportTls tls(SSLOptions options) throws InertException {
        if (options.keyStore().isEmpty() || options.trustStore().isEmpty()) {
            throw new InertException(
                    "spark.ssl.rpc is on without a key store and a trust store, which are wanted here");
        }
        try {
            char[] password = password(options.keyStorePassword());
            KeyStore keys = load(options.keyStore().get(), options.keyStoreType(), password);
            KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            managers.init(keys, options.keyPassword().isDefined() ? password(options.keyPassword()) : password);
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(
                    load(options.trustStore().get(), options.trustStoreType(), password(options.trustStorePassword())));
            return TransportTls.of(managers, trust);
        } catch (IOException | GeneralSecurityException e) {
            throw new InertException("the key stores of spark.ssl.rpc cannot be used: " + e);
        }
    }

    private static char @Nullable [] password(Option<String> set) {
        return set.isEmpty() ? null : set.get().toCharArray();
    }

    private static KeyStore load(File file, Option<String> type, char @Nullable [] password)
            throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(type.isEmpty() ? KeyStore.getDefaultType() : type.get());
        try (InputStream bytes = Files.newInputStream(file.toPath())) {
            store.load(bytes, password);
        }
        return store;
    }

    /** For the log. */
    String suffix() {
        return tls == null ? "" : " by TLS";
    }
}
