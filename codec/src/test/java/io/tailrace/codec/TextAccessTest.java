// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Text is taken from String itself where java.lang is open, through public methods elsewhere; the bytes are the same. */
class TextAccessTest {

    @TempDir
    Path directory;

    /** Tells how text is taken, and a digest of texts of every kind. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws IOException {
            byte[] payload = Payloads.encode(Codecs.value(Codecs.list(Codecs.TEXT)), RoundTripTest.texts(), 100);
            List<String> back = Payloads.decode(Codecs.value(Codecs.list(Codecs.TEXT)), payload, 100);
            System.out.println(Codecs.textAccess());
            System.out.println("bytes=" + Arrays.hashCode(payload));
            System.out.println("equal=" + (back.equals(RoundTripTest.texts()) ? 1 : 0));
        }
    }

    private List<String> child(String... options) throws IOException, InterruptedException {
        try (ChildJvm jvm = ChildJvm.of(Child.class, directory).options(options).start()) {
            return jvm.lines(Duration.ofSeconds(30));
        }
    }

    @Test
    void bothWaysGiveTheSameBytesAndTheOneInUseIsTold() throws Exception {
        List<String> open = child("--add-opens", "java.base/java.lang=ALL-UNNAMED");
        List<String> closed = child();
        assertTrue(open.contains("in place"), open.toString());
        assertTrue(closed.contains("public methods"), closed.toString());
        assertEquals(1, ChildJvm.number(open, "equal"));
        assertEquals(1, ChildJvm.number(closed, "equal"));
        assertEquals(ChildJvm.number(open, "bytes"), ChildJvm.number(closed, "bytes"));
    }
}
