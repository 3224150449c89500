// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** FRAME_FORMAT.md, to be compared with. */
public final class DocumentText {

    private static final Pattern ROW =
            Pattern.compile("^\\| ([A-Z]\\d+) \\| .* \\| (result|connection) \\| (.*) \\|$", Pattern.MULTILINE);

    private DocumentText() {}

    public static String whole() {
        try {
            return Files.readString(Path.of(System.getProperty("basedir", "."), "FRAME_FORMAT.md"));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The reason of each row of the tables of refusals. */
    public static Map<String, String> rows() {
        Map<String, String> rows = new LinkedHashMap<>();
        Matcher matcher = ROW.matcher(whole());
        while (matcher.find()) {
            rows.put(Objects.requireNonNull(matcher.group(1)), Objects.requireNonNull(matcher.group(3)));
        }
        return rows;
    }
}
