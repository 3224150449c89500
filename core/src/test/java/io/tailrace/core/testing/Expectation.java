// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.testing.Reported.Terminal;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One {@code # expect:} line of a vector: a terminal ({@code end}, {@code failure}, {@code malformed} or {@code truncated})
 * and what is known of it, as {@code key=value}, {@code key="text"}, or {@code reason~"part of the reason"}. Bytes are hex;
 * {@code 41*1000} is a byte a thousand times. A key that is absent is not compared.
 */
public record Expectation(Terminal terminal, Map<String, String> fields) {

    private static final Pattern FIELD = Pattern.compile("\\s+([a-z-]+)[=~](?:\"([^\"]*)\"|(\\S*))");

    static Expectation parse(String line) {
        String word = line.split(" ", 2)[0];
        Map<String, String> fields = new LinkedHashMap<>();
        Matcher field = FIELD.matcher(line);
        int end = word.length();
        while (field.find(end) && field.start() == end) {
            String quoted = field.group(2);
            fields.put(Objects.requireNonNull(field.group(1)), quoted != null ? quoted : field.group(3));
            end = field.end();
        }
        if (end != line.length()) {
            throw new IllegalArgumentException("not understood: " + line.substring(end));
        }
        return new Expectation(Terminal.valueOf(word.toUpperCase(Locale.ROOT)), fields);
    }

    /** The row of the table of refusals, if it is a refusal. */
    public @Nullable String row() {
        return fields.get("row");
    }

    public @Nullable String reason() {
        return fields.get("reason");
    }

    /** Whether nothing is read behind it. */
    public boolean connectionOver() {
        return "connection".equals(fields.get("scope"));
    }

    /** What a reader reported and this line does not expect; empty when it agrees. */
    public List<String> differences(Reported reported) {
        List<String> differences = new ArrayList<>();
        if (terminal != reported.terminal()) {
            differences.add("expected " + terminal + ", was " + reported);
        } else {
            fields.forEach((key, expected) -> {
                String actual = actual(key, expected, reported);
                if (!expected.equals(actual)) {
                    differences.add("expected " + key + "=" + expected + ", was " + actual + " in " + reported);
                }
            });
        }
        return differences;
    }

    Expectation without(String... keys) {
        Map<String, String> rest = new LinkedHashMap<>(fields);
        rest.keySet().removeAll(List.of(keys));
        return new Expectation(terminal, rest);
    }

    private static @Nullable String actual(String key, String expected, Reported reported) {
        return switch (key) {
            case "row" -> expected;
            case "reason" -> reported.reason().contains(expected) ? expected : reported.reason();
            case "scope" -> reported.connectionOver() ? "connection" : "result";
            case "stream" -> "0x%016X".formatted(reported.streamId());
            case "payload" -> hexLike(expected, reported.payload());
            case "trailer" -> hexLike(expected, reported.trailer());
            case "phase", "retriable", "class", "text", "stack", "payload-bytes", "frames" ->
                reported.failure() == null ? null : failureField(key, reported.failure());
            default -> reported.opened() == null ? null : openedField(key, reported.opened());
        };
    }

    private static String failureField(String key, Reported.Failure failure) {
        return switch (key) {
            case "phase" -> "" + failure.phase();
            case "retriable" -> "" + failure.retriable();
            case "class" -> failure.className();
            case "text" -> failure.text();
            case "stack" -> failure.stack();
            case "payload-bytes" -> "" + failure.payloadBytes();
            default -> "" + failure.frames();
        };
    }

    private static String openedField(String key, Reported.Opened opened) {
        return switch (key) {
            case "chunk" -> "" + opened.chunkSize();
            case "compression" -> "" + opened.compression();
            case "stage" -> "" + opened.stage();
            case "task" -> "" + opened.task();
            case "attempt" -> "" + opened.attempt();
            case "codec" -> opened.codecId();
            case "job" -> opened.job();
            default -> throw new IllegalArgumentException("no such field: " + key);
        };
    }

    private static String hexLike(String expected, byte[] bytes) {
        String hex = HexFormat.of().formatHex(bytes);
        int times = expected.indexOf('*');
        if (times < 0) {
            return hex;
        }
        String repeated = expected.substring(0, times).repeat(Integer.parseInt(expected.substring(times + 1)));
        return repeated.equals(hex) ? expected : hex;
    }
}
