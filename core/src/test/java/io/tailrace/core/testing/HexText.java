// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Bytes as commented hex: pairs of digits, an offset with a colon in front of a line (checked), comments behind {@code #}
 * or {@code ;}.
 */
public final class HexText {

    private static final Pattern COMMENT = Pattern.compile("[#;].*");
    private static final Pattern OFFSET = Pattern.compile("\\s*([0-9A-Fa-f]+):");
    private static final Pattern WORD = Pattern.compile("\\S+");
    private static final Pattern EXAMPLE =
            Pattern.compile("^```hex name=(\\S+)\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE);

    private HexText() {}

    public static byte[] parse(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            try {
                line(COMMENT.matcher(line).replaceFirst(""), bytes);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("line " + number + ": " + e.getMessage(), e);
            }
        }
        return bytes.toByteArray();
    }

    /** The comment lines at the head of a text, without their marks. */
    public static List<String> head(String text) {
        return text.lines()
                .takeWhile(line -> line.startsWith("#"))
                .map(line -> line.substring(1).strip())
                .toList();
    }

    /** The examples of a Markdown text by name: what stands in its fences {@code ```hex name=NAME}. */
    public static Map<String, byte[]> examples(String markdown) {
        Map<String, byte[]> examples = new LinkedHashMap<>();
        Matcher matcher = EXAMPLE.matcher(markdown);
        while (matcher.find()) {
            String name = Objects.requireNonNull(matcher.group(1));
            if (examples.put(name, parse(Objects.requireNonNull(matcher.group(2)))) != null) {
                throw new IllegalArgumentException("two examples are named " + name);
            }
        }
        return examples;
    }

    /** Plain hex, sixteen bytes a line, each line with its offset: what a failing test shows. */
    public static String format(byte[] bytes) {
        List<String> lines = new ArrayList<>();
        for (int offset = 0; offset < bytes.length; offset += 16) {
            StringBuilder line = new StringBuilder("%04X:".formatted(offset));
            for (int i = offset; i < Math.min(offset + 16, bytes.length); i++) {
                line.append(" %02X".formatted(bytes[i]));
            }
            lines.add(line.toString());
        }
        return String.join("\n", lines);
    }

    private static void line(String line, ByteArrayOutputStream bytes) {
        String digits = line;
        Matcher offset = OFFSET.matcher(line);
        if (offset.lookingAt()) {
            int stated = Integer.parseInt(Objects.requireNonNull(offset.group(1)), 16);
            if (stated != bytes.size()) {
                throw new IllegalArgumentException(
                        "the line states offset %X and begins at %X".formatted(stated, bytes.size()));
            }
            digits = line.substring(offset.end());
        }
        for (String word :
                WORD.matcher(digits).results().map(MatchResult::group).toList()) {
            if (word.length() % 2 != 0) {
                throw new IllegalArgumentException("an odd number of digits: " + word);
            }
            for (int i = 0; i < word.length(); i += 2) {
                bytes.write(Integer.parseInt(word, i, i + 2, 16));
            }
        }
    }
}
