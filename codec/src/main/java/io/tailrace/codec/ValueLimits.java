// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

/**
 * The most that is accepted of one value, besides the bytes that core's limits count.
 *
 * <p>A sender may choose keys of a map, or elements of a set, that all have one hash code. Texts, numbers and what else is
 * {@link Comparable} are then found in logarithmic time; for others, such as records and lists, the time to read n of them
 * grows with n². Where such a type is read from strangers, {@code elements} is to be set with that in mind.
 *
 * @param depth how deep a type that contains itself may be nested, 1 or more
 * @param elements of all lists, sets, maps and arrays of objects together
 * @param schemaBytes of the schema in front of the value
 */
public record ValueLimits(int depth, long elements, int schemaBytes) {

    /** 512 deep, elements unlimited, 64 KiB of schema. */
    public static final ValueLimits DEFAULT = new ValueLimits(512, Long.MAX_VALUE, 64 << 10);

    public ValueLimits {
        if (depth < 1 || elements < 0 || schemaBytes < 0) {
            throw new IllegalArgumentException(
                    "limit out of range: depth " + depth + ", elements " + elements + ", schema bytes " + schemaBytes);
        }
    }

    public ValueLimits withDepth(int levels) {
        return new ValueLimits(levels, elements, schemaBytes);
    }

    public ValueLimits withElements(long most) {
        return new ValueLimits(depth, most, schemaBytes);
    }

    public ValueLimits withSchemaBytes(int most) {
        return new ValueLimits(depth, elements, most);
    }
}
