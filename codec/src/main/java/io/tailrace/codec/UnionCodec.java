// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A varint of the member's place in the schema, which names the members, then that member's value. */
final class UnionCodec<T> extends Codec<T> {

    /** One of the types that a value can be of. */
    record Member<T>(String tag, Class<? extends T> type, Codec<T> codec) {}

    private final Shape shape;
    private final List<Member<T>> members = new ArrayList<>();
    private final Map<Class<?>, Integer> places = new HashMap<>();

    /** For a reader of another version: by the writer's places, null where this one has no such member. */
    private @Nullable List<@Nullable Codec<T>> reading;

    UnionCodec(Definition definition) {
        this.shape = Shape.of(definition);
    }

    void add(Member<T> member) {
        shape.defined().add(member.tag(), member.codec().shape());
        places.put(member.type(), members.size());
        members.add(member);
    }

    @Override
    Shape shape() {
        return shape;
    }

    @Override
    void write(T value, Out out) throws IOException {
        Class<?> type = value instanceof Enum<?> constant ? constant.getDeclaringClass() : value.getClass();
        Integer place = places.get(type);
        if (place == null) {
            throw Misfit.malformed(type.getName() + " is not a member of " + shape, -1);
        }
        out.wire.writeVarInt(place);
        members.get(place).codec().write(value, out);
    }

    @Override
    T read(In in) throws IOException {
        long at = in.wire.position();
        int place = in.wire.readVarInt();
        int size = shape.defined().size();
        if (place < 0 || place >= size) {
            throw Misfit.malformed("member " + place + " of " + size + " of " + shape, at);
        }
        Codec<T> codec = reading == null ? members.get(place).codec() : reading.get(place);
        if (codec == null) {
            throw Misfit.malformed(
                    shape + " has no member " + shape.defined().member(place).name() + " here", at);
        }
        return codec.read(in);
    }

    @Override
    Codec<T> reading(Shape written, Evolution evolution) throws IOException {
        if (written.kind() != Kind.UNION) {
            throw Evolution.mismatch(written, shape);
        }
        Definition theirs = written.defined();
        List<@Nullable Codec<T>> found = new ArrayList<>();
        for (int i = 0; i < theirs.size(); i++) {
            int ours = shape.defined().place(theirs.member(i).name());
            found.add(
                    ours < 0
                            ? null
                            : evolution.reading(
                                    members.get(ours).codec(),
                                    theirs.shape(i),
                                    theirs.member(i).name()));
        }
        UnionCodec<T> codec = new UnionCodec<>(theirs);
        codec.reading = found;
        return codec;
    }
}
