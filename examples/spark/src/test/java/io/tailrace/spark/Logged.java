// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What is logged while this is open, and contains a text: the tests' logging writes to whatever {@code System.err} is. */
final class Logged implements AutoCloseable {

    private final String text;
    private final PrintStream before = System.err;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private Logged(String text) {
        this.text = text;
    }

    static Logged with(String text) {
        Logged logged = new Logged(text);
        System.setErr(new PrintStream(logged.bytes, true, StandardCharsets.UTF_8));
        return logged;
    }

    /** Without their time. */
    List<String> lines() {
        return bytes.toString(StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.contains(text))
                .map(line -> line.substring(line.indexOf(' ') + 1))
                .toList();
    }

    @Override
    public void close() {
        System.setErr(before);
        before.print(bytes.toString(StandardCharsets.UTF_8));
    }
}
