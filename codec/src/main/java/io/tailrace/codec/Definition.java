// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A record's fields, an enum's constants, a union's members or a shared value, with a name. One that contains itself is made first and
 * filled second; filled, it does not change.
 */
final class Definition {

    /** A field, a constant or a member; a constant has no shape. */
    record Member(String name, @Nullable Shape shape) {}

    private final Kind kind;
    private final String name;
    private final List<Member> members = new ArrayList<>();
    private final Map<String, Integer> places = new HashMap<>();

    Definition(Kind kind, String name) {
        this.kind = kind;
        this.name = name;
    }

    Kind kind() {
        return kind;
    }

    String name() {
        return name;
    }

    Definition add(String member, @Nullable Shape shape) {
        if (places.putIfAbsent(member, members.size()) != null) {
            throw new IllegalArgumentException(name + " has two members named " + member);
        }
        members.add(new Member(member, shape));
        return this;
    }

    Definition copy() {
        Definition copy = new Definition(kind, name);
        members.forEach(member -> copy.add(member.name(), member.shape()));
        return copy;
    }

    int size() {
        return members.size();
    }

    Member member(int place) {
        return members.get(place);
    }

    /** -1 when there is none of that name. */
    int place(String member) {
        return places.getOrDefault(member, -1);
    }

    Shape shape(int place) {
        Shape shape = members.get(place).shape();
        if (shape == null) {
            throw new IllegalStateException("a constant has no shape");
        }
        return shape;
    }

    @Override
    public String toString() {
        return name.isEmpty() ? kind.name() : kind + " " + name;
    }
}
