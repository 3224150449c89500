// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** A whole stream as commented hex, with what a reader must report of it. */
@SuppressWarnings("ArrayRecordComponent") // compared by what it shows, never by equals
public record FrameVector(String name, String description, List<Expectation> expected, byte[] bytes) {

    private static final String EXPECT = "expect: ";
    private static final String NO_RESULT = EXPECT + "nothing";

    public static List<FrameVector> valid() {
        return folder("vectors/valid");
    }

    public static List<FrameVector> malformed() {
        return folder("vectors/malformed");
    }

    /** What released versions wrote: {@code golden("1.0")}. */
    public static List<FrameVector> golden(String version) {
        return folder("golden/" + version);
    }

    static FrameVector parse(String name, String text) {
        List<String> head = HexText.head(text);
        List<Expectation> expected = head.stream()
                .filter(line -> line.startsWith(EXPECT) && !line.equals(NO_RESULT))
                .map(line -> Expectation.parse(line.substring(EXPECT.length())))
                .toList();
        if (head.stream().noneMatch(line -> line.startsWith(EXPECT))) {
            throw new IllegalArgumentException(name + " expects nothing: say \"# " + NO_RESULT + "\"");
        }
        String description = String.join(
                " ", head.stream().takeWhile(line -> !line.isEmpty()).toList());
        return new FrameVector(name, description, expected, HexText.parse(text));
    }

    /** What the reports of a reader differ in; empty when it read the vector as expected. */
    public List<String> differences(List<Reported> reports) {
        List<String> differences = new ArrayList<>();
        for (int i = 0; i < Math.min(expected.size(), reports.size()); i++) {
            differences.addAll(expected.get(i).differences(reports.get(i)));
        }
        if (expected.size() != reports.size()) {
            differences.add("expected " + expected.size() + " reports, were " + reports);
        }
        return differences;
    }

    /** The same vector for a reader that does not tell, or words otherwise, what these keys hold. */
    public FrameVector without(String... keys) {
        return new FrameVector(
                name,
                description,
                expected.stream().map(each -> each.without(keys)).toList(),
                bytes);
    }

    @Override
    public String toString() {
        return name;
    }

    private static List<FrameVector> folder(String folder) {
        URL url = Objects.requireNonNull(FrameVector.class.getResource("/" + folder), folder);
        try {
            URI uri = url.toURI();
            if (uri.getScheme().equals("jar")) {
                try (FileSystem jar = FileSystems.newFileSystem(uri, Map.of())) {
                    return read(jar.getPath("/" + folder));
                }
            }
            return read(Path.of(uri));
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException("cannot read " + url, e);
        }
    }

    private static List<FrameVector> read(Path folder) throws IOException {
        List<FrameVector> vectors = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".hex")) {
                    vectors.add(parse(name.substring(0, name.length() - ".hex".length()), Files.readString(file)));
                }
            }
        }
        return vectors;
    }
}
