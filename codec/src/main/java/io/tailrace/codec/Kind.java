// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a value is made of, with the code that stands for it in a schema (VALUE_FORMAT.md, "Kinds"). */
enum Kind {
    BOOLEAN(0x01, 1),
    BYTE(0x02, 1),
    SHORT(0x03, 2),
    CHAR(0x04, 2),
    INT(0x05, 4),
    LONG(0x06, 8),
    FLOAT(0x07, 4),
    DOUBLE(0x08, 8),
    TEXT(0x10, 0),
    BYTES(0x11, 0),
    BOOLEANS(0x21, 0),
    SHORTS(0x23, 0),
    CHARS(0x24, 0),
    INTS(0x25, 0),
    LONGS(0x26, 0),
    FLOATS(0x27, 0),
    DOUBLES(0x28, 0),
    LIST(0x30, 0),
    MAP(0x31, 0),
    MAYBE(0x32, 0),
    EACH(0x33, 0),
    RECORD(0x40, 0),
    ENUM(0x41, 0),
    UNION(0x42, 0),
    SHARED(0x43, 0);

    private static final Map<Integer, Kind> BY_CODE = new HashMap<>();

    static {
        for (Kind kind : values()) {
            BY_CODE.put(kind.code, kind);
        }
    }

    final int code;

    /** Bytes that each value takes, 0 where it differs. */
    final int width;

    Kind(int code, int width) {
        this.code = code;
        this.width = width;
    }

    static @Nullable Kind of(int code) {
        return BY_CODE.get(code);
    }

    /** How many shapes stand behind it in a schema. */
    int parts() {
        return switch (this) {
            case LIST, MAYBE, EACH -> 1;
            case MAP -> 2;
            default -> 0;
        };
    }

    /** Whether a definition stands behind it, by its number. */
    boolean defined() {
        return this == RECORD || this == ENUM || this == UNION || this == SHARED;
    }
}
