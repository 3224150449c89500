// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.netty.buffer.Unpooled;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.WireInput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;

/** A shape as bytes: what stands in front of a value, so that a reader of another version knows what it reads. */
final class Schema {

    static final int VERSION = 1;
    private static final int MAX_MEMBERS = 1 << 16;
    private static final int MAX_NESTED = 64;

    private Schema() {}

    /** The schema's bytes, without their length. */
    static byte[] bytes(Shape root) {
        IdentityHashMap<Definition, Integer> numbers = new IdentityHashMap<>();
        List<Definition> definitions = new ArrayList<>();
        collect(root, numbers, definitions);
        ByteArrayOutputStream to = new ByteArrayOutputStream();
        to.write(VERSION);
        putVarint(to, definitions.size());
        for (Definition definition : definitions) {
            to.write(definition.kind().code);
            putName(to, definition.name());
            putVarint(to, definition.size());
            for (int i = 0; i < definition.size(); i++) {
                putName(to, definition.member(i).name());
                if (definition.kind() != Kind.ENUM) {
                    putShape(to, definition.shape(i), numbers);
                }
            }
        }
        putShape(to, root, numbers);
        return to.toByteArray();
    }

    /** The first eight bytes of the schema's SHA-256, in hexadecimal. */
    static String fingerprint(byte[] schema) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(schema);
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Depth first, in order of appearance: the same type gives the same bytes. */
    private static void collect(
            Shape shape, IdentityHashMap<Definition, Integer> numbers, List<Definition> definitions) {
        for (Shape part : shape.parts()) {
            collect(part, numbers, definitions);
        }
        if (!shape.kind().defined() || numbers.containsKey(shape.defined())) {
            return;
        }
        Definition definition = shape.defined();
        numbers.put(definition, definitions.size());
        definitions.add(definition);
        if (definition.kind() != Kind.ENUM) {
            for (int i = 0; i < definition.size(); i++) {
                collect(definition.shape(i), numbers, definitions);
            }
        }
    }

    private static void putShape(ByteArrayOutputStream to, Shape shape, IdentityHashMap<Definition, Integer> numbers) {
        to.write(shape.kind().code);
        if (shape.kind().defined()) {
            putVarint(to, Objects.requireNonNull(numbers.get(shape.defined())));
        }
        for (Shape part : shape.parts()) {
            putShape(to, part, numbers);
        }
    }

    private static void putName(ByteArrayOutputStream to, String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        putVarint(to, bytes.length);
        to.writeBytes(bytes);
    }

    private static void putVarint(ByteArrayOutputStream to, int value) {
        int rest = value;
        while (rest > 0x7F) {
            to.write((rest & 0x7F) | 0x80);
            rest >>>= 7;
        }
        to.write(rest);
    }

    /** Reads a schema that a writer put in front of its value; nothing in it is believed. */
    static Shape parse(byte[] schema) throws IOException {
        WireInput in = new WireInput(new Once(schema), DecoderLimits.DEFAULT, null);
        int version = in.readByte();
        if (version != VERSION) {
            throw Misfit.malformed("schema of version " + version + ", known is " + VERSION, 0);
        }
        int count = members(in);
        List<Definition> definitions = new ArrayList<>();
        // Definitions refer to each other in any order: names first, shapes when all are there.
        List<List<String>> names = new ArrayList<>();
        List<List<RawShape>> shapes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Kind kind = kind(in);
            if (!kind.defined()) {
                throw Misfit.malformed("schema defines a " + kind, in.position() - 1);
            }
            definitions.add(new Definition(kind, in.readUtf8()));
            int size = members(in);
            List<String> memberNames = new ArrayList<>();
            List<RawShape> memberShapes = new ArrayList<>();
            for (int m = 0; m < size; m++) {
                memberNames.add(in.readUtf8());
                if (kind != Kind.ENUM) {
                    memberShapes.add(within(in, rawShape(in, count, 0)));
                }
            }
            names.add(memberNames);
            shapes.add(memberShapes);
        }
        RawShape root = rawShape(in, count, 0);
        if (!in.exhausted()) {
            throw Misfit.malformed("schema goes on behind its root", in.position());
        }
        for (int i = 0; i < count; i++) {
            Definition definition = definitions.get(i);
            for (int m = 0; m < names.get(i).size(); m++) {
                String name = names.get(i).get(m);
                if (definition.place(name) >= 0) {
                    throw Misfit.malformed(definition + " has two members named " + name, 0);
                }
                definition.add(
                        name,
                        definition.kind() == Kind.ENUM
                                ? null
                                : shapes.get(i).get(m).resolve(definitions));
            }
            if (definition.kind() == Kind.SHARED) {
                requireShareable(definition);
            }
        }
        return root.resolve(definitions);
    }

    private static void requireShareable(Definition shared) throws Misfit {
        Kind value = shared.size() == 1 && shared.place("value") == 0
                ? shared.shape(0).kind()
                : Kind.SHARED;
        if (value == Kind.SHARED || value == Kind.MAYBE) {
            throw Misfit.malformed(shared + " is not of one value that is there", 0);
        }
    }

    private record RawShape(Kind kind, int definition, List<RawShape> parts) {
        Shape resolve(List<Definition> definitions) throws Misfit {
            if (kind.defined()) {
                Definition named = definitions.get(definition);
                if (named.kind() != kind) {
                    throw Misfit.malformed("schema takes " + named + " for a " + kind, 0);
                }
                return Shape.of(named);
            }
            Shape[] resolved = new Shape[parts.size()];
            for (int i = 0; i < resolved.length; i++) {
                resolved[i] = parts.get(i).resolve(definitions);
            }
            return Shape.of(kind, resolved);
        }
    }

    private static RawShape rawShape(WireInput in, int definitions, int nested) throws IOException {
        if (nested > MAX_NESTED) {
            throw Misfit.beyond("schema nested too deep", MAX_NESTED, nested);
        }
        Kind kind = kind(in);
        int definition = -1;
        if (kind.defined()) {
            definition = in.readVarInt();
            if (definition < 0 || definition >= definitions) {
                throw Misfit.malformed("schema refers to definition " + definition, in.position());
            }
        }
        List<RawShape> parts = new ArrayList<>();
        for (int i = 0; i < kind.parts(); i++) {
            parts.add(within(in, rawShape(in, definitions, nested + 1)));
        }
        return new RawShape(kind, definition, parts);
    }

    private static RawShape within(WireInput in, RawShape shape) throws Misfit {
        if (shape.kind() == Kind.EACH) {
            throw Misfit.malformed("elements without a count stand inside another value", in.position());
        }
        return shape;
    }

    private static Kind kind(WireInput in) throws IOException {
        int code = in.readByte();
        Kind kind = Kind.of(code);
        if (kind == null) {
            throw Misfit.malformed("schema has unknown kind " + code, in.position() - 1);
        }
        return kind;
    }

    private static int members(WireInput in) throws IOException {
        int count = in.readVarInt();
        if (count < 0 || count > MAX_MEMBERS) {
            throw Misfit.beyond("schema too large", MAX_MEMBERS, count & 0xFFFF_FFFFL);
        }
        return count;
    }

    /** One array as a source. */
    private static final class Once implements WireInput.Source {
        private byte[] rest;

        Once(byte[] bytes) {
            this.rest = bytes;
        }

        @Override
        public io.netty.buffer.@org.jspecify.annotations.Nullable ByteBuf next(
                io.netty.buffer.@org.jspecify.annotations.Nullable ByteBuf drained) {
            byte[] given = rest;
            rest = new byte[0];
            return given.length == 0 ? null : Unpooled.wrappedBuffer(given);
        }
    }
}
