// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.ResultException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A count, then each key and its value, in the map's own order. */
final class MapCodec<K, V, M extends Map<K, V>> extends Codec<M> {

    private final Codec<K> keys;
    private final Codec<V> values;
    private final Shape shape;
    private final Function<Map<K, V>, M> made;

    MapCodec(Codec<K> keys, Codec<V> values, Function<Map<K, V>, M> made) {
        this.keys = keys;
        this.values = values;
        this.shape = Shape.of(Kind.MAP, keys.shape(), values.shape());
        this.made = made;
    }

    @Override
    Shape shape() {
        return shape;
    }

    @Override
    void write(M map, Out out) throws IOException {
        int count = map.size();
        out.wire.writeVarInt(count);
        int written = 0;
        for (Map.Entry<K, V> entry : map.entrySet()) {
            K key = entry.getKey();
            try {
                if ((key == null && !keys.nullable()) || (entry.getValue() == null && !values.nullable())) {
                    throw Misfit.missing();
                }
                keys.write(key, out);
                values.write(entry.getValue(), out);
            } catch (Throwable e) {
                throw Misfit.under(e, "[" + (isBrief(key) ? key : written) + "]");
            }
            written++;
        }
        if (written != count) {
            throw Misfit.malformed("of size " + count + ", but gave " + written + " entries", ResultException.NONE);
        }
    }

    /** Whether the key says more than its place, and not too much. */
    private static boolean isBrief(@Nullable Object key) {
        return key instanceof Integer
                || key instanceof Long
                || key instanceof Enum<?>
                || (key instanceof String text && text.length() <= 40);
    }

    @Override
    M read(In in) throws IOException {
        int count = in.count();
        Map<K, V> read = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            try {
                long at = in.wire.position();
                K key = keys.read(in);
                int before = read.size();
                read.put(key, values.read(in));
                if (read.size() == before) {
                    throw Misfit.malformed("key is there twice", at);
                }
            } catch (Throwable e) {
                throw Misfit.under(e, "[" + i + "]");
            }
        }
        return made.apply(read);
    }

    @Override
    Codec<M> reading(Shape written, Evolution evolution) throws IOException {
        if (written.kind() != Kind.MAP) {
            throw Evolution.mismatch(written, shape);
        }
        return new MapCodec<>(
                evolution.reading(keys, written.part(0), "[key]"),
                evolution.reading(values, written.part(1), "[value]"),
                made);
    }
}
