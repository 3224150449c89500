// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.elements;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The bytes inside a {@code String}, where {@code java.lang} is open to this module: one byte a character when all are
 * below 256, which is what goes on the wire. Opened by {@code --add-opens java.base/java.lang=io.tailrace.codec}, or
 * {@code =ALL-UNNAMED} on the class path.
 */
public final class StringBytes {

    private static final byte LATIN_1 = 0;

    private static final @Nullable VarHandle VALUE = find("value", byte[].class);
    private static final @Nullable VarHandle CODER = find("coder", byte.class);
    private static final @Nullable MethodHandle NEW = findNew();

    /** Whether they can be had; that they look as expected was tried, too. */
    public static final boolean OPEN = VALUE != null && CODER != null && NEW != null && asExpected();

    static {
        Logger log = System.getLogger(StringBytes.class.getName());
        if (OPEN) {
            log.log(Level.DEBUG, "text is taken from String itself");
        } else {
            Module ours = StringBytes.class.getModule();
            log.log(
                    Level.INFO,
                    "text is taken through public methods, which is slower: java.lang is not open to {0}",
                    ours.isNamed() ? ours.getName() : "ALL-UNNAMED");
        }
    }

    private StringBytes() {}

    private static @Nullable VarHandle find(String field, Class<?> type) {
        try {
            return MethodHandles.privateLookupIn(String.class, MethodHandles.lookup())
                    .findVarHandle(String.class, field, type);
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null;
        }
    }

    private static @Nullable MethodHandle findNew() {
        try {
            return MethodHandles.privateLookupIn(String.class, MethodHandles.lookup())
                    .findConstructor(String.class, MethodType.methodType(void.class, byte[].class, byte.class));
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null;
        }
    }

    /** Another JDK may hold its strings otherwise, or be told to (-XX:-CompactStrings). */
    private static boolean asExpected() {
        String narrow = "caf\u00e9";
        return isLatin1(narrow)
                && Arrays.equals(of(narrow), narrow.getBytes(StandardCharsets.ISO_8859_1))
                && !isLatin1("\u4e2d")
                && narrow.equals(latin1(of(narrow).clone()));
    }

    /** Only where {@link #OPEN}. */
    @SuppressWarnings("NullAway") // OPEN says that it is there
    public static boolean isLatin1(String text) {
        return (byte) CODER.get(text) == LATIN_1;
    }

    /** Only where {@link #OPEN}; the array becomes the string's own. */
    @SuppressWarnings("NullAway") // OPEN says that it is there
    public static String latin1(byte[] own) {
        try {
            return (String) NEW.invokeExact(own, LATIN_1);
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e); // the constructor declares none
        }
    }

    /** Only where {@link #OPEN}; not to be written to. */
    @SuppressWarnings("NullAway") // OPEN says that it is there
    public static byte[] of(String text) {
        return (byte[]) VALUE.get(text);
    }
}
