// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.LeakAudit;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ProofsTest {

    private static final HexFormat HEX = HexFormat.of();
    private static final byte[] SECRET = HEX.parseHex("101112131415161718191a1b1c1d1e1f");
    private static final byte[] CLIENT_HELLO = "client's hello".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] SERVER_HELLO = "server's hello".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] PLAINTEXT = {};
    private static final byte[] BINDING =
            HEX.parseHex("03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72");

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    /** As Python's hmac and hashlib compute them. */
    @ParameterizedTest
    @CsvSource({
        "false, false, 0af2ccf6c0e951094da52ef62e96a74fc51b57bbd280cee3736063d32241e7c1",
        "true,  false, 8a191d5367879a04123f962e73205f4f5b6a2c0881aac3aa5614aa57924a0bcd",
        "false, true,  65adff2c88dcb94624180c3c5f39d74e300de6bc56563cac0b53aaed6334be1e",
        "true,  true,  877d7899a868f8d6cb9c292b6dea80396fedc9a6f23de3ac49b38a12d351b51c",
    })
    void proofIsWhatAnotherImplementationComputes(boolean server, boolean bound, String expected) {
        byte[] binding = bound ? BINDING : PLAINTEXT;
        try (Proofs proofs = new Proofs(SECRET)) {
            byte[] proof = proofs.of(server, CLIENT_HELLO, SERVER_HELLO, binding);
            assertEquals(expected, HEX.formatHex(proof));
            assertEquals(Proofs.PROOF_LENGTH, proof.length);
            assertTrue(proofs.verify(HEX.parseHex(expected), server, CLIENT_HELLO, SERVER_HELLO, binding));
        }
    }

    @Test
    void secretLongerThanAHashBlockAndBindingLongerThanAByteCounts() {
        byte[] secret = new byte[100];
        byte[] binding = new byte[513];
        for (int i = 0; i < secret.length; i++) {
            secret[i] = (byte) i;
        }
        for (int i = 0; i < binding.length; i++) {
            binding[i] = (byte) i;
        }
        binding[512] = (byte) 0xFF;
        try (Proofs proofs = new Proofs(secret)) {
            assertEquals(
                    "14017b2ad58bc724cbf89ffe3ba097a1b4909c42f25e4b63eb9fe4aa18854467",
                    HEX.formatHex(proofs.of(false, new byte[0], new byte[97], binding)));
        }
    }

    @Test
    void proofSentBackIsNoProof() {
        try (Proofs proofs = new Proofs(SECRET)) {
            for (boolean server : new boolean[] {false, true}) {
                byte[] proof = proofs.of(server, CLIENT_HELLO, SERVER_HELLO, BINDING);
                assertFalse(proofs.verify(proof, !server, CLIENT_HELLO, SERVER_HELLO, BINDING));
                assertFalse(proofs.verify(proof, !server, SERVER_HELLO, CLIENT_HELLO, BINDING));
                assertFalse(proofs.verify(proof, server, SERVER_HELLO, CLIENT_HELLO, BINDING));
            }
        }
    }

    @Test
    void everyBitOfEveryInputCounts() {
        List<byte[]> inputs = List.of(SECRET.clone(), CLIENT_HELLO.clone(), SERVER_HELLO.clone(), BINDING.clone());
        Set<String> seen = new HashSet<>();
        seen.add(proof(inputs));
        int cases = 0;
        for (byte[] input : inputs) {
            for (int bit = 0; bit < 8 * input.length; bit++) {
                input[bit / 8] ^= (byte) (1 << bit % 8);
                assertTrue(seen.add(proof(inputs)), "bit " + bit + " of " + HEX.formatHex(input));
                input[bit / 8] ^= (byte) (1 << bit % 8);
                cases++;
            }
        }
        audit.cases(cases);
    }

    @Test
    void everyBitOfAProofIsCompared() {
        try (Proofs proofs = new Proofs(SECRET)) {
            byte[] proof = proofs.of(true, CLIENT_HELLO, SERVER_HELLO, BINDING);
            for (int bit = 0; bit < 8 * proof.length; bit++) {
                byte[] wrong = proof.clone();
                wrong[bit / 8] ^= (byte) (1 << bit % 8);
                assertFalse(proofs.verify(wrong, true, CLIENT_HELLO, SERVER_HELLO, BINDING));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16, 31, 33, 64})
    void proofOfAnotherLengthIsNone(int length) {
        try (Proofs proofs = new Proofs(SECRET)) {
            byte[] proof = proofs.of(false, CLIENT_HELLO, SERVER_HELLO, PLAINTEXT);
            assertFalse(proofs.verify(Arrays.copyOf(proof, length), false, CLIENT_HELLO, SERVER_HELLO, PLAINTEXT));
        }
    }

    @Test
    void byteMovedFromOneInputToTheNextCounts() {
        try (Proofs proofs = new Proofs(SECRET)) {
            byte[] proof = proofs.of(false, new byte[] {1, 2}, new byte[] {3}, new byte[0]);
            assertFalse(proofs.verify(proof, false, new byte[] {1}, new byte[] {2, 3}, new byte[0]));
            assertFalse(proofs.verify(proof, false, new byte[] {1, 2}, new byte[0], new byte[] {3}));
        }
    }

    @Test
    void secretUnder16BytesIsRefused() {
        for (int length = 0; length < 16; length++) {
            byte[] secret = new byte[length];
            assertThrows(IllegalArgumentException.class, () -> new Proofs(secret));
        }
        new Proofs(new byte[16]).close();
    }

    @Test
    void bindingWhoseLengthDoesNotFitIsRefused() {
        try (Proofs proofs = new Proofs(SECRET)) {
            assertEquals(32, proofs.of(true, CLIENT_HELLO, SERVER_HELLO, new byte[0xFFFF]).length);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> proofs.of(true, CLIENT_HELLO, SERVER_HELLO, new byte[0x10000]));
        }
    }

    @Test
    void callerMayWipeItsSecret() {
        byte[] secret = SECRET.clone();
        try (Proofs proofs = new Proofs(secret)) {
            byte[] before = proofs.of(false, CLIENT_HELLO, SERVER_HELLO, BINDING);
            Arrays.fill(secret, (byte) 0);
            assertArrayEquals(before, proofs.of(false, CLIENT_HELLO, SERVER_HELLO, BINDING));
        }
    }

    @Test
    void nothingIsToldOfTheSecret() {
        try (Proofs proofs = new Proofs(SECRET)) {
            assertEquals("Proofs", proofs.toString());
        }
    }

    @Test
    void closedOneProvesAndBelievesNothing() {
        Proofs proofs = new Proofs(SECRET);
        byte[] proof = proofs.of(false, CLIENT_HELLO, SERVER_HELLO, BINDING);
        proofs.close();
        proofs.close();
        assertThrows(IllegalStateException.class, () -> proofs.of(false, CLIENT_HELLO, SERVER_HELLO, BINDING));
        assertThrows(
                IllegalStateException.class, () -> proofs.verify(proof, false, CLIENT_HELLO, SERVER_HELLO, BINDING));
    }

    private static String proof(List<byte[]> inputs) {
        try (Proofs proofs = new Proofs(inputs.get(0))) {
            return HEX.formatHex(proofs.of(true, inputs.get(1), inputs.get(2), inputs.get(3)));
        }
    }
}
