// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static io.tailrace.codec.RecordCode.*;
import static org.objectweb.asm.Opcodes.*;

import java.lang.reflect.Modifier;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Type;

/** How a derived class writes: marks, numbers and text at once where they fit, then all else. */
final class WriteCode {

    private final RecordCode code;

    WriteCode(RecordCode code) {
        this.code = code;
    }

    void write(ClassWriter writer) {
        code.method(writer, "write", "(Ljava/lang/Object;L" + OUT + ";)V", m -> {
            if (code.plan.bean() && !Modifier.isFinal(code.plan.type().getModifiers())) {
                m.visitVarInsn(ALOAD, 0);
                m.visitVarInsn(ALOAD, VALUE);
                m.visitMethodInsn(INVOKEVIRTUAL, BASE, "requireExact", "(Ljava/lang/Object;)V", false);
            }
            fetch(m);
            m.visitVarInsn(ALOAD, CONTEXT);
            m.visitFieldInsn(GETFIELD, OUT, "wire", "L" + WIRE_OUT + ";");
            m.visitVarInsn(ASTORE, WIRE);
            writeFlat(m);
            for (int i = 0; i < code.plan.fields().size(); i++) {
                if (code.plan.field(i).group() == RecordPlan.Group.OTHER) {
                    writeOther(m, i);
                }
            }
            m.visitInsn(RETURN);
        });
    }

    /** Takes what may be missing out of the object into local variables, and sets the marks; numbers are taken when written. */
    private void fetch(MethodVisitor m) {
        m.visitInsn(LCONST_0);
        m.visitVarInsn(LSTORE, MARKS);
        for (int i = 0; i < code.plan.fields().size(); i++) {
            RecordPlan.Field field = code.plan.field(i);
            if (field.group() == RecordPlan.Group.NUMBER) {
                continue;
            }
            get(m, i);
            m.visitInsn(DUP);
            m.visitVarInsn(ASTORE, code.locals[i]);
            Label there = new Label();
            if (field.maybe()) {
                m.visitJumpInsn(IFNULL, there);
                m.visitVarInsn(LLOAD, MARKS);
                m.visitLdcInsn(1L << code.layout.mark(i));
                m.visitInsn(LOR);
                m.visitVarInsn(LSTORE, MARKS);
            } else {
                m.visitJumpInsn(IFNONNULL, there);
                m.visitMethodInsn(INVOKESTATIC, BASE, "missing", "()Ljava/io/IOException;", false);
                m.visitInsn(ATHROW);
            }
            m.visitLabel(there);
        }
    }

    /** Leaves a field's value on the stack. */
    private void get(MethodVisitor m, int i) {
        at(m, i);
        m.visitFieldInsn(GETSTATIC, code.name, "get" + i, HANDLE_TYPE);
        m.visitVarInsn(ALOAD, VALUE);
        String type = type(code.plan.field(i)).getDescriptor();
        m.visitMethodInsn(INVOKEVIRTUAL, HANDLE, "invokeExact", "(Ljava/lang/Object;)" + type, false);
    }

    /** Marks, numbers and text: at once if the region has room for the most that they can take. */
    private void writeFlat(MethodVisitor m) {
        int flat = code.layout.markBytes() + code.plan.width();
        boolean text = code.plan.fields().stream().anyMatch(field -> field.group() == RecordPlan.Group.TEXT);
        if (flat == 0 && !text) {
            return;
        }
        Label slowly = new Label();
        Label done = new Label();
        m.visitVarInsn(ALOAD, WIRE);
        m.visitMethodInsn(INVOKEVIRTUAL, WIRE_OUT, "limit", "()I", false);
        m.visitVarInsn(ALOAD, WIRE);
        m.visitMethodInsn(INVOKEVIRTUAL, WIRE_OUT, "offset", "()I", false);
        m.visitInsn(ISUB);
        m.visitInsn(I2L);
        m.visitLdcInsn((long) flat);
        for (int i = 0; i < code.plan.fields().size(); i++) {
            if (code.plan.field(i).group() == RecordPlan.Group.TEXT) {
                m.visitVarInsn(ALOAD, code.locals[i]);
                m.visitMethodInsn(
                        INVOKESTATIC,
                        TEXT,
                        code.plan.field(i).maybe() ? "roomIfAny" : "room",
                        "(" + STRING + ")J",
                        false);
                m.visitInsn(LADD);
            }
        }
        m.visitInsn(LCMP);
        m.visitJumpInsn(IFLT, slowly);
        writeFast(m);
        m.visitJumpInsn(GOTO, done);
        m.visitLabel(slowly);
        writeSlowly(m);
        m.visitLabel(done);
    }

    private void writeFast(MethodVisitor m) {
        place(m, WIRE_OUT);
        int offset = 0;
        for (int b = 0; b < code.layout.markBytes(); b++) {
            element(m, offset++);
            mark(m, b);
            m.visitMethodInsn(INVOKESTATIC, BYTES, "put", "([BIB)V", false);
        }
        for (int i = 0; i < code.plan.fields().size(); i++) {
            RecordPlan.Field field = code.plan.field(i);
            if (field.group() == RecordPlan.Group.NUMBER) {
                element(m, offset);
                get(m, i);
                m.visitMethodInsn(
                        INVOKESTATIC, BYTES, "put", "([BI" + type(field).getDescriptor() + ")V", false);
                offset += field.codec().shape().kind().width;
            }
        }
        m.visitIincInsn(PLACE, offset);
        for (int i = 0; i < code.plan.fields().size(); i++) {
            if (code.plan.field(i).group() == RecordPlan.Group.TEXT) {
                Label none = new Label();
                at(m, i);
                code.ifAny(m, i, none);
                m.visitVarInsn(ALOAD, code.locals[i]);
                m.visitVarInsn(ALOAD, ARRAY);
                m.visitVarInsn(ILOAD, PLACE);
                m.visitVarInsn(ALOAD, CONTEXT);
                m.visitMethodInsn(INVOKESTATIC, TEXT, "put", "(" + STRING + "[BIL" + OUT + ";)I", false);
                m.visitVarInsn(ISTORE, PLACE);
                m.visitLabel(none);
            }
        }
        commit(m, WIRE_OUT);
    }

    private static void mark(MethodVisitor m, int index) {
        m.visitVarInsn(LLOAD, MARKS);
        m.visitLdcInsn(8 * index);
        m.visitInsn(LUSHR);
        m.visitInsn(L2I);
        m.visitInsn(I2B);
    }

    private void writeSlowly(MethodVisitor m) {
        for (int b = 0; b < code.layout.markBytes(); b++) {
            m.visitVarInsn(ALOAD, WIRE);
            mark(m, b);
            m.visitMethodInsn(INVOKEVIRTUAL, WIRE_OUT, "writeByte", "(I)V", false);
        }
        for (int i = 0; i < code.plan.fields().size(); i++) {
            RecordPlan.Field field = code.plan.field(i);
            if (field.group() == RecordPlan.Group.NUMBER) {
                m.visitVarInsn(ALOAD, WIRE);
                get(m, i);
                m.visitMethodInsn(INVOKEVIRTUAL, WIRE_OUT, "write" + word(field), writeType(field), false);
            } else if (field.group() == RecordPlan.Group.TEXT) {
                Label none = new Label();
                at(m, i);
                code.ifAny(m, i, none);
                m.visitVarInsn(ALOAD, code.locals[i]);
                m.visitVarInsn(ALOAD, CONTEXT);
                m.visitMethodInsn(INVOKESTATIC, TEXT, "write", "(" + STRING + "L" + OUT + ";)V", false);
                m.visitLabel(none);
            }
        }
    }

    private static String writeType(RecordPlan.Field field) {
        Class<?> type = field.carrier() == byte.class || field.carrier() == short.class ? int.class : field.carrier();
        return "(" + Type.getDescriptor(type) + ")V";
    }

    private void writeOther(MethodVisitor m, int i) {
        Label none = new Label();
        at(m, i);
        code.ifAny(m, i, none);
        m.visitFieldInsn(GETSTATIC, code.name, "codec" + i, CODEC_TYPE);
        m.visitVarInsn(ALOAD, code.locals[i]);
        m.visitVarInsn(ALOAD, CONTEXT);
        m.visitMethodInsn(INVOKEVIRTUAL, CODEC, "write", "(Ljava/lang/Object;L" + OUT + ";)V", false);
        m.visitLabel(none);
    }

    /** {@code for (index = 0; values.hasNext(); index++) write(present(values.next()), out); return index}. */
    void writeEach(ClassWriter writer) {
        code.loop(writer, "writeEach", "(Ljava/util/Iterator;L" + OUT + ";)J", ZERO, (m, back, done) -> {
            m.visitVarInsn(ALOAD, 1);
            m.visitMethodInsn(INVOKEINTERFACE, "java/util/Iterator", "hasNext", "()Z", true);
            m.visitJumpInsn(IFEQ, done);
            m.visitVarInsn(ALOAD, 0);
            m.visitVarInsn(ALOAD, 1);
            m.visitMethodInsn(INVOKEINTERFACE, "java/util/Iterator", "next", "()Ljava/lang/Object;", true);
            m.visitMethodInsn(INVOKESTATIC, BASE, "present", "(Ljava/lang/Object;)Ljava/lang/Object;", false);
            m.visitVarInsn(ALOAD, 2);
            m.visitMethodInsn(INVOKEVIRTUAL, code.name, "write", "(Ljava/lang/Object;L" + OUT + ";)V", false);
            m.visitVarInsn(LLOAD, INDEX);
            m.visitInsn(LCONST_1);
            m.visitInsn(LADD);
            m.visitVarInsn(LSTORE, INDEX);
            m.visitJumpInsn(GOTO, back);
            m.visitLabel(done);
            m.visitVarInsn(LLOAD, INDEX);
            m.visitInsn(LRETURN);
        });
    }
}
