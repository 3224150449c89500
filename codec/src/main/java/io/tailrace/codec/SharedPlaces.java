// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.util.IdentityHashMap;

/** A writer's table, and where in it each object is. */
final class SharedPlaces {

    final SharedTable table = new SharedTable();
    private final IdentityHashMap<Object, Integer> slots = new IdentityHashMap<>();

    /** Its slot, or -1. */
    int slot(Object value) {
        Integer slot = slots.get(value);
        return slot == null ? -1 : slot;
    }

    void add(Object value, int height) {
        Object oldest = table.oldest();
        if (oldest != null && slot(oldest) == table.next()) {
            slots.remove(oldest);
        }
        slots.put(value, table.add(value, height));
    }
}
