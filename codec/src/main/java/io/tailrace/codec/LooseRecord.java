// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes a class field by field, without code of its own: for what a writer of another version wrote, and for
 * classes too wide for derived code. Several times slower.
 */
final class LooseRecord<T> extends Codec<T> {

    private final RecordPlan plan;
    private final Shape written;
    private final RecordLayout layout;
    private final boolean foreign;

    /** By the writer's places: which of our fields it is, or -1; and how it is read. */
    private final int[] ours;

    private final @Nullable Codec<?>[] codecs;

    /** What is read also where it stands in a field that is passed over. */
    private final Map<Definition, SharedCodec<?>> shared;

    LooseRecord(RecordPlan plan) {
        this.foreign = false;
        this.shared = Map.of();
        this.plan = plan;
        this.written = Shape.of(plan.definition());
        this.layout = new RecordLayout(plan.definition());
        this.ours = new int[plan.fields().size()];
        this.codecs = new Codec<?>[ours.length];
        for (int i = 0; i < ours.length; i++) {
            ours[i] = i;
            codecs[i] = plan.field(i).codec();
        }
    }

    /** For what a writer of that shape wrote. */
    LooseRecord(RecordPlan plan, Shape written, Evolution evolution) throws IOException {
        if (written.kind() != Kind.RECORD) {
            throw Evolution.mismatch(written, Shape.of(plan.definition()));
        }
        this.foreign = true;
        this.shared = evolution.shared();
        this.plan = plan;
        this.written = written;
        Definition theirs = written.defined();
        this.layout = new RecordLayout(theirs);
        this.ours = new int[theirs.size()];
        this.codecs = new Codec<?>[ours.length];
        for (int i = 0; i < ours.length; i++) {
            String name = theirs.member(i).name();
            int place = plan.definition().place(name);
            ours[i] = place;
            if (place >= 0) {
                requireNoLoss(name, theirs.shape(i), plan.field(place));
                codecs[i] = evolution.reading(plan.field(place).codec(), layout.bare(i), name);
            }
        }
        requireAll(theirs);
    }

    private void requireNoLoss(String name, Shape theirs, RecordPlan.Field field) throws IOException {
        if (theirs.kind() == Kind.MAYBE && !field.maybe()) {
            throw Misfit.under(
                    Misfit.malformed("schema mismatch: it may be missing as written, but not as read", 0), name);
        }
    }

    private void requireAll(Definition theirs) throws IOException {
        for (RecordPlan.Field field : plan.fields()) {
            if (theirs.place(field.name()) < 0 && !field.maybe() && !plan.bean()) {
                throw Misfit.under(
                        Misfit.malformed("schema mismatch: " + theirs + " was written without it", 0), field.name());
            }
        }
    }

    @Override
    Shape shape() {
        return written;
    }

    @Override
    void write(T value, Out out) throws IOException {
        plan.requireExact(value);
        int size = plan.fields().size();
        Object[] values = new Object[size];
        byte[] marks = new byte[layout.markBytes()];
        for (int i = 0; i < size; i++) {
            try {
                values[i] = get(plan.field(i), value);
                int mark = layout.mark(i);
                if (mark < 0) {
                    RecordCodec.present(values[i]);
                } else if (values[i] != null) {
                    marks[mark >>> 3] |= (byte) (1 << (mark & 7));
                }
            } catch (Throwable e) {
                throw Misfit.under(e, plan.field(i).name());
            }
        }
        out.wire.writeBytes(marks, 0, marks.length);
        for (int i = 0; i < size; i++) {
            if (values[i] != null) {
                try {
                    write(plan.field(i).codec(), values[i], out);
                } catch (Throwable e) {
                    throw Misfit.under(e, plan.field(i).name());
                }
            }
        }
    }

    private static Object get(RecordPlan.Field field, Object from) throws Throwable {
        return field.get().invoke(from);
    }

    @SuppressWarnings("unchecked") // the field's own codec
    private static <V> void write(Codec<V> codec, Object value, Out out) throws IOException {
        codec.write((V) value, out);
    }

    @Override
    T read(In in) throws IOException {
        if (!foreign) {
            return readFields(in);
        }
        // A foreign schema may nest other types than ours does: each record counts.
        in.descend();
        T value = readFields(in);
        in.ascend();
        return value;
    }

    private T readFields(In in) throws IOException {
        byte[] marks = layout.readMarks(in);
        Object[] values = new Object[plan.fields().size()];
        boolean[] given = new boolean[values.length];
        for (int i = 0; i < ours.length; i++) {
            if (!layout.present(i, marks)) {
                if (ours[i] >= 0) {
                    given[ours[i]] = true;
                }
                continue;
            }
            try {
                Codec<?> codec = codecs[i];
                if (codec == null) {
                    Skip.value(layout.bare(i), in, shared);
                } else {
                    values[ours[i]] = codec.read(in);
                    given[ours[i]] = true;
                }
            } catch (Throwable e) {
                throw Misfit.under(e, written.defined().member(i).name());
            }
        }
        return make(values, given);
    }

    @SuppressWarnings("unchecked") // the plan's type
    private T make(Object[] values, boolean[] given) throws IOException {
        try {
            if (!plan.bean()) {
                Object[] arguments = new Object[values.length];
                for (int i = 0; i < arguments.length; i++) {
                    arguments[i] = values[plan.arguments()[i]];
                }
                return (T) plan.create().invokeWithArguments(arguments);
            }
            Object made = plan.create().invoke();
            for (int i = 0; i < values.length; i++) {
                if (given[i]) {
                    Objects.requireNonNull(plan.field(i).set()).invoke(made, values[i]);
                }
            }
            return (T) made;
        } catch (Throwable e) {
            throw Misfit.under(e, "new " + plan.type().getSimpleName());
        }
    }

    @Override
    Codec<T> reading(Shape other, Evolution evolution) throws IOException {
        return new LooseRecord<>(plan, other, evolution);
    }
}
