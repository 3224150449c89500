// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * How a reader's codec reads what a writer of another schema wrote (VALUE_FORMAT.md, "Evolution"). It is judged once for
 * a whole schema, before the first value is read.
 */
final class Evolution {

    private record Pair(Definition written, Codec<?> reader) {}

    private static final int MAX_NESTED = 512;

    private int nested;
    private final Map<Pair, Later<?>> known = new HashMap<>();

    /** By the writer's shared definitions: what ours reads their values, and how. */
    private final Map<Definition, Codec<?>> readers = new HashMap<>();

    private final Map<Definition, SharedCodec<?>> shared = new HashMap<>();

    /** A type that contains itself is met again while it is judged: whoever needs it meanwhile holds the knot. */
    <T> Codec<T> reading(Codec<T> reader, Shape written) throws IOException {
        if (++nested > MAX_NESTED) {
            throw Misfit.beyond("schema nested too deep", MAX_NESTED, nested);
        }
        Codec<T> found = judge(reader, written);
        nested--;
        return found;
    }

    @SuppressWarnings("unchecked") // put under the same codec
    private <T> Codec<T> judge(Codec<T> reader, Shape written) throws IOException {
        if (!written.kind().defined()) {
            return reader.reading(written, this);
        }
        Pair pair = new Pair(written.defined(), reader);
        Later<T> knot = (Later<T>) known.get(pair);
        if (knot != null) {
            return knot;
        }
        knot = new Later<>(written, false);
        known.put(pair, knot);
        Codec<T> found = reader.reading(written, this);
        knot.is(found);
        return found;
    }

    <T> Codec<T> reading(Codec<T> reader, Shape written, String step) throws IOException {
        try {
            return reading(reader, written);
        } catch (IOException e) {
            throw Misfit.under(e, step);
        }
    }

    /** A table holds values of one type, so whatever refers to it is read by one codec. */
    <T> Codec<T> shared(Codec<T> value, Shape written) throws IOException {
        Definition definition = written.defined();
        Codec<?> other = readers.putIfAbsent(definition, value);
        if (other != null && other != value) {
            throw Misfit.malformed(
                    "schema mismatch: " + written + " is read as " + other.shape() + " and as " + value.shape(), 0);
        }
        SharedCodec<T> codec = new SharedCodec<>(written, reading(value, definition.shape(0)));
        shared.put(definition, codec);
        return codec;
    }

    /** By the writer's definitions, complete when the root has been judged: what must not be passed over. */
    Map<Definition, SharedCodec<?>> shared() {
        return shared;
    }

    /** Where nothing may differ: the parts of a composed plain type. */
    void requireSame(Shape written, Shape read) throws IOException {
        if (written.kind() != read.kind()
                || written.parts().size() != read.parts().size()) {
            throw mismatch(written, read);
        }
        for (int i = 0; i < read.parts().size(); i++) {
            requireSame(written.part(i), read.part(i));
        }
        if (read.kind().defined()) {
            Definition theirs = written.defined();
            Definition ours = read.defined();
            if (!theirs.name().equals(ours.name()) || theirs.size() != ours.size()) {
                throw mismatch(written, read);
            }
            for (int i = 0; i < ours.size(); i++) {
                if (!theirs.member(i).name().equals(ours.member(i).name())) {
                    throw mismatch(written, read);
                }
                requireSame(theirs.shape(i), ours.shape(i));
            }
        }
    }

    static Misfit mismatch(Shape written, Shape read) {
        return Misfit.malformed("schema mismatch: written as " + written + ", read as " + read, 0);
    }
}
