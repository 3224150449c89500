// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * What a side shows to have the shared secret, without showing it:
 *
 * <pre>
 *  HMAC-SHA-256(secret,
 *      "tailrace proof 1\0"         17 bytes of ASCII
 *      role of the prover            1 byte: 1 client, 2 server
 *      SHA-256(client's HELLO)      32 bytes; the whole frame, header and body
 *      SHA-256(server's HELLO)      32 bytes
 *      length of the binding         2 bytes, little-endian
 *      channel binding               RFC 5929's tls-server-end-point; none in plaintext
 *  )
 * </pre>
 *
 * <p>Both nonces are in the HELLOs, so a proof is good for one connection; the role is, so it cannot be sent back; the
 * certificate is, so it cannot be passed on over another TLS connection.
 *
 * <p><b>Threads.</b> Any. After {@link #close} there are no more proofs.
 */
public final class Proofs implements AutoCloseable {

    public static final int MIN_SECRET_LENGTH = 16;
    public static final int PROOF_LENGTH = 32;

    private static final String HMAC = "HmacSHA256";
    private static final String HASH = "SHA-256";
    private static final byte[] LABEL = "tailrace proof 1\0".getBytes(StandardCharsets.US_ASCII);
    private static final byte CLIENT = 1;
    private static final byte SERVER = 2;
    private static final int MAX_BINDING_LENGTH = 0xFFFF;

    private byte @Nullable [] secret;

    /** Copies the secret: the caller may wipe its own. */
    public Proofs(byte[] secret) {
        if (secret.length < MIN_SECRET_LENGTH) {
            throw new IllegalArgumentException(
                    "a secret of " + secret.length + " bytes: at least " + MIN_SECRET_LENGTH + " are needed");
        }
        this.secret = secret.clone();
    }

    /** The proof of the server or of the client. */
    public byte[] of(boolean server, byte[] clientHello, byte[] serverHello, byte[] binding) {
        if (binding.length > MAX_BINDING_LENGTH) {
            throw new IllegalArgumentException("a channel binding of " + binding.length + " bytes");
        }
        try {
            MessageDigest hash = MessageDigest.getInstance(HASH);
            Mac mac = keyed();
            mac.update(LABEL);
            mac.update(server ? SERVER : CLIENT);
            mac.update(hash.digest(clientHello));
            mac.update(hash.digest(serverHello));
            mac.update((byte) binding.length);
            mac.update((byte) (binding.length >>> 8));
            mac.update(binding);
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // every Java platform has both algorithms
        }
    }

    /** Whether these bytes, of any length, are that side's proof; how long it takes tells nothing of how much is right. */
    public boolean verify(byte[] proof, boolean server, byte[] clientHello, byte[] serverHello, byte[] binding) {
        return MessageDigest.isEqual(of(server, clientHello, serverHello, binding), proof);
    }

    /** Wipes the secret. What the JDK copied for a proof is garbage by then, and not wiped. */
    @Override
    public synchronized void close() {
        if (secret != null) {
            Arrays.fill(secret, (byte) 0);
            secret = null;
        }
    }

    /** Tells nothing. */
    @Override
    public String toString() {
        return "Proofs";
    }

    private synchronized Mac keyed() throws GeneralSecurityException {
        if (secret == null) {
            throw new IllegalStateException("the secret has been wiped");
        }
        Mac mac = Mac.getInstance(HMAC);
        mac.init(new SecretKeySpec(secret, HMAC));
        return mac;
    }
}
