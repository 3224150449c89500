// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.Arrays;

/**
 * What stands in front of a payload's values: the schema. Whoever reads it learns by which codec the rest is read.
 *
 * <p><b>Threads.</b> Any number. What was learnt about another version's schema is kept in one reference that any thread may
 * overwrite.
 */
final class Preface<T> {

    @SuppressWarnings("ArrayRecordComponent") // compared by Arrays.equals
    private record Known<T>(byte[] schema, Codec<T> codec) {}

    private static final String NAME = "tailrace/1:";

    private final Codec<T> codec;
    private final Shape root;
    private final ValueLimits limits;
    private final byte[] schema;
    private final String id;

    /** The last foreign schema met: the writers of a job are of one version. */
    private volatile Known<T> foreign;

    Preface(Codec<T> codec, Shape root, ValueLimits limits) {
        this.codec = codec;
        this.root = root;
        this.limits = limits;
        this.schema = Schema.bytes(root);
        if (schema.length > limits.schemaBytes()) {
            throw new IllegalArgumentException("the schema takes " + schema.length
                    + " bytes: a reader with these limits takes " + limits.schemaBytes());
        }
        this.id = NAME + Schema.fingerprint(schema);
        this.foreign = new Known<>(schema, codec);
    }

    String id() {
        return id;
    }

    /** Whether a schema stands in front: then that, not the fingerprint, tells whether the values can be read. */
    static boolean isOurs(String codecId) {
        return codecId.startsWith(NAME);
    }

    void write(WireOutput out) throws IOException {
        out.writeVarInt(schema.length);
        out.writeBytes(schema, 0, schema.length);
    }

    Codec<T> read(WireInput in) throws IOException {
        int length = in.readVarInt();
        if (length < 0 || length > limits.schemaBytes()) {
            throw Misfit.beyond("schema too large", limits.schemaBytes(), length & 0xFFFF_FFFFL);
        }
        int from = in.offset();
        if (length == schema.length
                && in.limit() - from >= length
                && Arrays.equals(schema, 0, length, in.array(), from, from + length)) {
            in.commit(from + length);
            return codec;
        }
        byte[] written = in.readByteArray(length);
        if (Arrays.equals(written, schema)) {
            return codec;
        }
        Known<T> known = foreign;
        if (!Arrays.equals(written, known.schema())) {
            known = new Known<>(written, judge(parsed(written, in.position() - length)));
            foreign = known;
        }
        return known.codec();
    }

    private static Shape parsed(byte[] schema, long start) throws Misfit {
        try {
            return Schema.parse(schema);
        } catch (IOException e) {
            throw Misfit.under(e, "").behind(start);
        }
    }

    private Codec<T> judge(Shape written) throws IOException {
        if ((written.kind() == Kind.EACH) != (root.kind() == Kind.EACH)) {
            throw Evolution.mismatch(written, root);
        }
        Shape value = written.kind() == Kind.EACH ? written.part(0) : written;
        return new Evolution().reading(codec, value);
    }
}
