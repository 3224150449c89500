// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What bytes a codec writes, without the Java types: a kind, and what it is made of. Two shapes are the same when their
 * schemas are.
 *
 * @param parts of a list, a map, a maybe
 * @param definition of a record, an enum, a union, a shared
 */
record Shape(Kind kind, List<Shape> parts, @Nullable Definition definition) {

    static Shape of(Kind kind, Shape... parts) {
        if (kind.defined() || parts.length != kind.parts()) {
            throw new IllegalArgumentException(kind + " of " + parts.length + " parts");
        }
        return new Shape(kind, List.of(parts), null);
    }

    static Shape of(Definition definition) {
        return new Shape(definition.kind(), List.of(), definition);
    }

    Shape part(int index) {
        return parts.get(index);
    }

    Definition defined() {
        if (definition == null) {
            throw new IllegalStateException(kind + " has no definition");
        }
        return definition;
    }

    /** As a reader of errors would write it: {@code list<Order>}. */
    @Override
    public String toString() {
        String name = kind.name().toLowerCase(java.util.Locale.ROOT);
        if (definition != null) {
            return definition.name().isEmpty() ? name : name + " " + definition.name();
        }
        if (parts.isEmpty()) {
            return name;
        }
        StringBuilder text = new StringBuilder(name).append('<');
        for (int i = 0; i < parts.size(); i++) {
            text.append(i == 0 ? "" : ", ").append(parts.get(i));
        }
        return text.append('>').toString();
    }
}
