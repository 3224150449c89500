// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.WireInput;
import org.apache.arrow.flatbuf.Endianness;
import org.apache.arrow.flatbuf.Field;
import org.apache.arrow.flatbuf.KeyValue;
import org.apache.arrow.flatbuf.Schema;
import org.apache.arrow.flatbuf.Timestamp;
import org.apache.arrow.flatbuf.Type;
import org.apache.arrow.flatbuf.Union;

/**
 * Looks through a schema before anything is made of it. Its tables name each other by offset, so a few bytes could tell of
 * endless fields; here each part is paid for with bytes, as if it were there once for each time that it is told.
 */
final class SchemaCheck {

    /** As deep as Arrow's C++ reads. */
    private static final int MAX_DEPTH = 64;

    /** No writer needs fewer bytes for them. */
    private static final int FIELD_BYTES = 24;

    private static final int PAIR_BYTES = 12;

    private final WireInput in;
    private long left;

    private SchemaCheck(long bytes, WireInput in) {
        this.left = bytes;
        this.in = in;
    }

    static void check(Schema schema, int bytes, WireInput in) throws MalformedDataException {
        SchemaCheck check = new SchemaCheck(bytes, in);
        if (schema.endianness() != Endianness.Little) {
            throw check.malformed("schema of big-endian bodies");
        }
        for (int i = 0; i < schema.fieldsLength(); i++) {
            check.field(schema.fields(i), 1);
        }
        for (int i = 0; i < schema.customMetadataLength(); i++) {
            check.pair(schema.customMetadata(i));
        }
    }

    private void field(Field field, int depth) throws MalformedDataException {
        if (depth > MAX_DEPTH) {
            throw malformed("fields nested deeper than " + MAX_DEPTH);
        }
        pay(FIELD_BYTES);
        if (field.nameAsByteBuffer() != null) {
            pay(field.nameAsByteBuffer().remaining());
        }
        if (field.typeType() == Type.Union) {
            pay(4L * ((Union) field.type(new Union())).typeIdsLength());
        } else if (field.typeType() == Type.Timestamp) {
            Timestamp type = (Timestamp) field.type(new Timestamp());
            if (type.timezoneAsByteBuffer() != null) {
                pay(type.timezoneAsByteBuffer().remaining());
            }
        }
        for (int i = 0; i < field.customMetadataLength(); i++) {
            pair(field.customMetadata(i));
        }
        for (int i = 0; i < field.childrenLength(); i++) {
            field(field.children(i), depth + 1);
        }
    }

    private void pair(KeyValue pair) throws MalformedDataException {
        pay(PAIR_BYTES);
        if (pair.keyAsByteBuffer() != null) {
            pay(pair.keyAsByteBuffer().remaining());
        }
        if (pair.valueAsByteBuffer() != null) {
            pay(pair.valueAsByteBuffer().remaining());
        }
    }

    private void pay(long bytes) throws MalformedDataException {
        left -= bytes;
        if (bytes < 0 || left < 0) {
            throw malformed("schema that tells more than its bytes hold");
        }
    }

    private MalformedDataException malformed(String reason) {
        return new MalformedDataException(reason, in.position(), in.resultId());
    }
}
