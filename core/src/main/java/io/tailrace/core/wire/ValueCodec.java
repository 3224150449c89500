// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;

/**
 * One way to turn a value into a payload and back.
 *
 * <p><b>Threads.</b> One codec may encode and decode many results at once, so it keeps no state between calls.
 */
public interface ValueCodec<T> {

    /** What OPEN tells the receiver: "name/version", at most 64 bytes of UTF-8. */
    String id();

    /** Whether this codec can be asked to read a payload whose OPEN names that codec; by default its own alone. */
    default boolean reads(String codecId) {
        return codecId.equals(id());
    }

    void encode(T value, WireOutput out) throws IOException;

    /** Reads exactly what {@link #encode} wrote. Nothing of the value refers to the input's memory afterwards. */
    T decode(WireInput in) throws IOException;
}
