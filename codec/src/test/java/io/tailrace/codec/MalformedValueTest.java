// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.codec.ValueFormatDocumentTest.Figure;
import io.tailrace.codec.ValueFormatDocumentTest.Point;
import io.tailrace.core.testing.HexText;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each malformed vector is refused with its reason, whatever buffers it arrives in. */
class MalformedValueTest {

    private static final Pattern ROW =
            Pattern.compile("^\\| ([a-z0-9-]+) \\| ([a-z]+) \\| (.*) \\|$", Pattern.MULTILINE);

    enum Colour {
        RED,
        BLUE
    }

    private static final Derivation DERIVATION =
            Derivation.builder(MethodHandles.lookup()).build();

    private static final Map<String, ValueCodec<?>> CODECS = Map.ofEntries(
            Map.entry("ints", Codecs.value(Codecs.list(Codecs.INT))),
            Map.entry("texts", Codecs.value(Codecs.list(Codecs.TEXT))),
            Map.entry("flags", Codecs.value(Codecs.list(Codecs.BOOLEAN))),
            Map.entry("point", Codecs.value(DERIVATION.of(Point.class))),
            Map.entry("figure", Codecs.value(DERIVATION.of(Figure.class))),
            Map.entry("colour", Codecs.value(Codecs.enumeration(Colour.class))),
            Map.entry("map", Codecs.value(Codecs.map(Codecs.TEXT, Codecs.INT))),
            Map.entry("set", Codecs.value(Codecs.set(Codecs.INT))),
            Map.entry("decimal", Codecs.value(Codecs.BIG_DECIMAL)),
            Map.entry("shared", Codecs.value(Codecs.list(Codecs.shared(Codecs.TEXT)))));

    record Vector(String name, String codec, String reason, Payload payload) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** Bytes that are not compared. */
    static final class Payload {
        final byte[] bytes;

        Payload(byte[] bytes) {
            this.bytes = bytes;
        }
    }

    static Stream<Vector> vectors() throws IOException {
        try (InputStream in = MalformedValueTest.class.getResourceAsStream("/vectors/malformed.md")) {
            String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
            Map<String, byte[]> bytes = HexText.examples(text);
            Map<String, Vector> vectors = new LinkedHashMap<>();
            Matcher row = ROW.matcher(text);
            while (row.find()) {
                String name = Objects.requireNonNull(row.group(1));
                if (bytes.containsKey(name)) {
                    vectors.put(
                            name,
                            new Vector(
                                    name,
                                    Objects.requireNonNull(row.group(2)),
                                    Objects.requireNonNull(row.group(3)),
                                    new Payload(Objects.requireNonNull(bytes.get(name)))));
                }
            }
            assertEquals(bytes.keySet(), vectors.keySet());
            assertTrue(vectors.size() > 25);
            return vectors.values().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void isRefusedWithItsReason(Vector vector) {
        ValueCodec<?> codec = Objects.requireNonNull(CODECS.get(vector.codec()), vector.codec());
        byte[] bytes = vector.payload().bytes;
        for (int buffer : new int[] {1, 2, 7, bytes.length}) {
            ResultException e =
                    assertThrows(ResultException.class, () -> Payloads.decode(codec, bytes, buffer), vector.name());
            assertEquals(vector.reason(), e.reason());
            assertTrue(e.offset() >= 0 && e.offset() <= bytes.length, e.getMessage());
        }
    }
}
