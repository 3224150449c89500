// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import java.util.Locale;
import picocli.CommandLine.TypeConversionException;

/** A number of bytes, read as the JVM's options write it and shown as people like it. */
record ByteSize(long bytes) {

    private static final String UNITS = "kmg";

    /** Digits and perhaps a k, m or g. */
    static ByteSize parse(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        int unit = lower.isEmpty() ? -1 : UNITS.indexOf(lower.charAt(lower.length() - 1));
        String digits = unit < 0 ? lower : lower.substring(0, lower.length() - 1);
        try {
            long number = Long.parseLong(digits);
            if (number > 0 && number <= Long.MAX_VALUE >> (10 * (unit + 1))) {
                return new ByteSize(number << (10 * (unit + 1)));
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new TypeConversionException("'" + text + "' is no size such as 65536, 64k, 64m or 2g");
    }

    /** For the JVM, which takes its heap in whole KiB. */
    String jvmOption() {
        return bytes / 1024 + "k";
    }

    @Override
    public String toString() {
        if (bytes < 1 << 10) {
            return bytes + " B";
        }
        if (bytes < 1 << 20) {
            return String.format(Locale.ROOT, "%.1f KiB", bytes / 0x1p10);
        }
        return bytes < 1 << 30
                ? String.format(Locale.ROOT, "%.1f MiB", bytes / 0x1p20)
                : String.format(Locale.ROOT, "%.2f GiB", bytes / 0x1p30);
    }
}
