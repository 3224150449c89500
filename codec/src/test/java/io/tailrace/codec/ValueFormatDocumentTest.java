// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.HexText;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** VALUE_FORMAT.md's examples, read out of it, are what is written and are read back: the document cannot drift. */
class ValueFormatDocumentTest {

    record Point(String name, @Nullable Integer z, int x) {}

    sealed interface Figure permits Circle, Square {}

    record Circle(double radius) implements Figure {}

    record Square(int side) implements Figure {}

    private static final Derivation DERIVATION =
            Derivation.builder(MethodHandles.lookup()).build();

    private final String document = read();
    private final Map<String, byte[]> examples = HexText.examples(document);

    private static String read() {
        try {
            return Files.readString(Path.of(System.getProperty("basedir", "."), "VALUE_FORMAT.md"));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private <T> void bothWays(String name, ValueCodec<T> codec, T value) throws IOException {
        byte[] bytes = Objects.requireNonNull(examples.get(name), name);
        byte[] written = Payloads.encode(codec, value, 1_000);
        assertEquals(HexText.format(bytes), HexText.format(written), name);
        assertEquals(value, Payloads.decode(codec, bytes, 3));
    }

    @Test
    void eachExampleIsTried() {
        assertEquals(Set.of("ints", "texts", "record", "union", "shared", "rows"), examples.keySet());
    }

    @Test
    void valuesAreWrittenAndReadAsTheDocumentSays() throws IOException {
        bothWays("ints", Codecs.value(Codecs.list(Codecs.INT)), List.of(1, -1));
        bothWays("texts", Codecs.value(Codecs.list(Codecs.TEXT)), List.of("A", "\u00e9", "\u4e2d", "\ud83d"));
        bothWays("record", Codecs.value(DERIVATION.of(Point.class)), new Point("p", 7, -2));
        bothWays("union", Codecs.value(DERIVATION.of(Figure.class)), new Square(3));
        bothWays("shared", Codecs.value(Codecs.list(Codecs.shared(Codecs.TEXT))), List.of("A", "A", "B", "A"));
    }

    @Test
    void rowsAreWrittenAndReadAsTheDocumentSays() throws IOException {
        Columns columns = Columns.builder()
                .column("id", Columns.Type.LONG)
                .nullableColumn("price", Columns.Type.DOUBLE)
                .build();
        byte[] bytes = Objects.requireNonNull(examples.get("rows"));
        RowReader rows = columns.reader(Payloads.input(bytes, 5, DecoderLimits.DEFAULT));
        assertTrue(rows.next());
        assertEquals(1, rows.getLong(0));
        assertEquals(0.5, rows.getDouble(1));
        assertTrue(rows.next());
        assertEquals(2, rows.getLong(0));
        assertTrue(rows.isNull(1));
        assertFalse(rows.next());
        byte[] written = Payloads.encode(new WrittenRows(columns), 2, 100);
        assertArrayEquals(bytes, written, HexText.format(written));
    }

    /** The example's rows. */
    private record WrittenRows(Columns columns) implements ValueCodec<Integer> {
        @Override
        public String id() {
            return columns.id();
        }

        @Override
        public void encode(Integer count, WireOutput out) throws IOException {
            RowWriter rows = columns.writer(out);
            rows.setLong(0, 1).setDouble(1, 0.5).next();
            rows.setLong(0, 2).next();
            assertEquals((long) count, rows.rows());
        }

        @Override
        public Integer decode(WireInput in) {
            throw new UnsupportedOperationException();
        }
    }

    @Test
    void kindsHaveTheCodesOfTheDocument() {
        for (Kind kind : Kind.values()) {
            String code = "%02X".formatted(kind.code);
            String word = kind.name().toLowerCase(java.util.Locale.ROOT);
            boolean alone = Pattern.compile("^\\| " + code + " \\| " + word + " \\|", Pattern.MULTILINE)
                    .matcher(document)
                    .find();
            boolean among = document.lines()
                    .filter(line -> line.startsWith("| 23 24"))
                    .allMatch(line -> together(line, code, word));
            assertTrue(alone || among, code + " " + word);
        }
    }

    private static final Pattern SEVERAL = Pattern.compile("\\| ([0-9A-F ]+) \\| ([a-z, ]+) \\|.*");

    /** Whether the code and the word have the same place in the row that stands for several. */
    private static boolean together(String row, String code, String word) {
        Matcher cells = SEVERAL.matcher(row);
        assertTrue(cells.matches(), row);
        List<String> codes = List.of(Objects.requireNonNull(cells.group(1)).split(" ", -1));
        List<String> words = List.of(Objects.requireNonNull(cells.group(2)).split(", ", -1));
        return codes.contains(code) && words.indexOf(word) == codes.indexOf(code);
    }
}
