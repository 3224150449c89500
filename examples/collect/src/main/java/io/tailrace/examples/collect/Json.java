// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import java.util.Collection;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/** JSON text of maps, collections, numbers, booleans, nulls and anything else as its string. */
final class Json {

    private Json() {}

    static String of(@Nullable Object value) {
        return of(value, "\n") + "\n";
    }

    private static String of(@Nullable Object value, String newLine) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            return String.valueOf(value);
        }
        String inner = newLine + "  ";
        if (value instanceof Map<?, ?> map) {
            StringJoiner members = new StringJoiner("," + inner, "{" + inner, newLine + "}");
            map.forEach((name, member) -> members.add(quote(String.valueOf(name)) + ": " + of(member, inner)));
            return map.isEmpty() ? "{}" : members.toString();
        }
        if (value instanceof Collection<?> collection) {
            StringJoiner elements = new StringJoiner("," + inner, "[" + inner, newLine + "]");
            collection.forEach(element -> elements.add(of(element, inner)));
            return collection.isEmpty() ? "[]" : elements.toString();
        }
        return quote(value.toString());
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
