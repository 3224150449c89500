// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class TokenTest {

    private final Token token = new Token(new byte[32]);

    private static byte[] behindMark(byte[] bytes) {
        return Arrays.copyOfRange(bytes, Token.MARK_LENGTH, bytes.length);
    }

    @Test
    void acceptedNamesItsTask() throws IOException {
        byte[] bytes = token.accepted(0x0102030405060708L);
        assertTrue(token.begins(bytes));
        assertEquals(33, bytes.length);
        Token.Read read = Token.read(behindMark(bytes));
        assertEquals(0x0102030405060708L, read.task());
        assertNull(read.refusal());
    }

    @Test
    void refusedSaysWhy() throws IOException {
        Token.Read read = Token.read(behindMark(token.refused(7, "größer als erlaubt")));
        assertEquals(7, read.task());
        assertEquals("größer als erlaubt", read.refusal());
    }

    @Test
    void anotherApplicationsIsNone() {
        byte[] other = new byte[32];
        other[31] = 1;
        assertFalse(token.begins(new Token(other).accepted(1)));
        assertFalse(token.begins(new byte[0]));
        assertFalse(token.begins(Arrays.copyOf(token.accepted(1), Token.MARK_LENGTH - 1)));
    }

    @Test
    void unknownKindIsNotGuessedAt() {
        byte[] bytes = behindMark(token.accepted(1));
        bytes[0] = 3;
        assertThrows(IOException.class, () -> Token.read(bytes));
        assertThrows(IOException.class, () -> Token.read(new byte[0]));
    }
}
