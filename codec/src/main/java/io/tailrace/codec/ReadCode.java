// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static io.tailrace.codec.RecordCode.*;
import static org.objectweb.asm.Opcodes.*;

import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;

/** How a derived class reads: all fields into local variables, then the object. */
final class ReadCode {

    /** The second argument of {@link #readEach}. */
    private static final int FROM = 2;

    private final RecordCode code;

    ReadCode(RecordCode code) {
        this.code = code;
    }

    void read(ClassWriter writer) {
        code.method(writer, "read", "(L" + IN + ";)Ljava/lang/Object;", m -> {
            m.visitVarInsn(ALOAD, 1);
            m.visitVarInsn(ASTORE, CONTEXT);
            m.visitVarInsn(ALOAD, CONTEXT);
            m.visitFieldInsn(GETFIELD, IN, "wire", "L" + WIRE_IN + ";");
            m.visitVarInsn(ASTORE, WIRE);
            if (code.layout.markBytes() > 0) {
                m.visitVarInsn(ALOAD, CONTEXT);
                m.visitLdcInsn(code.layout.markBytes());
                m.visitLdcInsn(code.layout.markCount());
                m.visitMethodInsn(INVOKEVIRTUAL, IN, "marks", "(II)J", false);
                m.visitVarInsn(LSTORE, MARKS);
            }
            readFlat(m);
            for (int i = 0; i < code.plan.fields().size(); i++) {
                if (code.plan.field(i).group() == RecordPlan.Group.OTHER) {
                    readOther(m, i);
                }
            }
            create(m);
            m.visitInsn(ARETURN);
        });
    }

    /** Numbers and text, with the place kept in a local variable from the first to the last. */
    private void readFlat(MethodVisitor m) {
        boolean text = code.plan.fields().stream().anyMatch(field -> field.group() == RecordPlan.Group.TEXT);
        if (code.plan.width() == 0 && !text) {
            return;
        }
        place(m, WIRE_IN);
        if (code.plan.width() > 0) {
            readNumbers(m);
        }
        for (int i = 0; i < code.plan.fields().size(); i++) {
            if (code.plan.field(i).group() == RecordPlan.Group.TEXT) {
                readText(m, i);
            }
        }
        commit(m, WIRE_IN);
    }

    private void readNumbers(MethodVisitor m) {
        int width = code.plan.width();
        Label slowly = new Label();
        Label done = new Label();
        m.visitVarInsn(ALOAD, WIRE);
        m.visitMethodInsn(INVOKEVIRTUAL, WIRE_IN, "limit", "()I", false);
        m.visitVarInsn(ILOAD, PLACE);
        m.visitInsn(ISUB);
        m.visitLdcInsn(width);
        m.visitJumpInsn(IF_ICMPLT, slowly);
        int offset = 0;
        for (int i = 0; i < code.plan.fields().size(); i++) {
            RecordPlan.Field field = code.plan.field(i);
            if (field.group() != RecordPlan.Group.NUMBER) {
                continue;
            }
            at(m, i);
            if (field.carrier() == boolean.class) {
                m.visitVarInsn(ALOAD, CONTEXT);
                element(m, offset);
                m.visitMethodInsn(INVOKEVIRTUAL, IN, "flag", "([BI)Z", false);
            } else {
                element(m, offset);
                m.visitMethodInsn(
                        INVOKESTATIC,
                        BYTES,
                        "get" + word(field),
                        "([BI)" + type(field).getDescriptor(),
                        false);
            }
            m.visitVarInsn(type(field).getOpcode(ISTORE), code.locals[i]);
            offset += field.codec().shape().kind().width;
        }
        m.visitVarInsn(ILOAD, PLACE);
        m.visitLdcInsn(width);
        m.visitInsn(IADD);
        m.visitVarInsn(ISTORE, PLACE);
        m.visitJumpInsn(GOTO, done);
        m.visitLabel(slowly);
        for (int i = 0; i < code.plan.fields().size(); i++) {
            RecordPlan.Field field = code.plan.field(i);
            if (field.group() == RecordPlan.Group.NUMBER) {
                at(m, i);
                m.visitVarInsn(ALOAD, WIRE);
                m.visitMethodInsn(
                        INVOKEVIRTUAL,
                        WIRE_IN,
                        "read" + word(field),
                        "()" + type(field).getDescriptor(),
                        false);
                m.visitVarInsn(type(field).getOpcode(ISTORE), code.locals[i]);
            }
        }
        place(m, WIRE_IN);
        m.visitLabel(done);
    }

    /** Where the text lies whole in the region, it is made from there; else {@link Text} reads it. */
    private void readText(MethodVisitor m, int i) {
        Label none = new Label();
        Label slowly = new Label();
        Label done = new Label();
        at(m, i);
        nullUnlessMarked(m, i, none);
        m.visitVarInsn(ALOAD, ARRAY);
        m.visitVarInsn(ILOAD, PLACE);
        m.visitVarInsn(ALOAD, WIRE);
        m.visitMethodInsn(INVOKEVIRTUAL, WIRE_IN, "limit", "()I", false);
        m.visitVarInsn(ALOAD, CONTEXT);
        m.visitMethodInsn(INVOKESTATIC, TEXT, "span", "([BIIL" + IN + ";)J", false);
        m.visitVarInsn(LSTORE, SPAN);
        m.visitVarInsn(LLOAD, SPAN);
        m.visitInsn(LCONST_0);
        m.visitInsn(LCMP);
        m.visitJumpInsn(IFLT, slowly);
        m.visitVarInsn(ALOAD, ARRAY);
        m.visitVarInsn(LLOAD, SPAN);
        m.visitMethodInsn(INVOKESTATIC, TEXT, "at", "([BJ)" + STRING, false);
        m.visitVarInsn(ASTORE, code.locals[i]);
        m.visitVarInsn(LLOAD, SPAN);
        m.visitMethodInsn(INVOKESTATIC, TEXT, "end", "(J)I", false);
        m.visitVarInsn(ISTORE, PLACE);
        m.visitJumpInsn(GOTO, done);
        m.visitLabel(slowly);
        commit(m, WIRE_IN);
        m.visitVarInsn(ALOAD, CONTEXT);
        m.visitMethodInsn(INVOKESTATIC, TEXT, "read", "(L" + IN + ";)" + STRING, false);
        m.visitVarInsn(ASTORE, code.locals[i]);
        place(m, WIRE_IN);
        m.visitLabel(done);
        m.visitLabel(none);
    }

    private void readOther(MethodVisitor m, int i) {
        Label none = new Label();
        at(m, i);
        nullUnlessMarked(m, i, none);
        m.visitFieldInsn(GETSTATIC, code.name, "codec" + i, CODEC_TYPE);
        m.visitVarInsn(ALOAD, CONTEXT);
        m.visitMethodInsn(INVOKEVIRTUAL, CODEC, "read", "(L" + IN + ";)Ljava/lang/Object;", false);
        m.visitVarInsn(ASTORE, code.locals[i]);
        m.visitLabel(none);
    }

    private void nullUnlessMarked(MethodVisitor m, int i, Label none) {
        if (code.plan.field(i).maybe()) {
            m.visitInsn(ACONST_NULL);
            m.visitVarInsn(ASTORE, code.locals[i]);
            m.visitVarInsn(LLOAD, MARKS);
            m.visitLdcInsn(1L << code.layout.mark(i));
            m.visitInsn(LAND);
            m.visitInsn(LCONST_0);
            m.visitInsn(LCMP);
            m.visitJumpInsn(IFEQ, none);
        }
    }

    /** Leaves the object on the stack. */
    private void create(MethodVisitor m) {
        at(m, code.plan.fields().size());
        StringBuilder arguments = new StringBuilder("(");
        m.visitFieldInsn(GETSTATIC, code.name, "create", HANDLE_TYPE);
        for (int place : code.plan.arguments()) {
            m.visitVarInsn(type(code.plan.field(place)).getOpcode(ILOAD), code.locals[place]);
            arguments.append(type(code.plan.field(place)).getDescriptor());
        }
        m.visitMethodInsn(INVOKEVIRTUAL, HANDLE, "invokeExact", arguments + ")Ljava/lang/Object;", false);
        if (!code.plan.bean()) {
            return;
        }
        m.visitVarInsn(ASTORE, ARRAY);
        for (int i = 0; i < code.plan.fields().size(); i++) {
            at(m, i);
            m.visitFieldInsn(GETSTATIC, code.name, "set" + i, HANDLE_TYPE);
            m.visitVarInsn(ALOAD, ARRAY);
            m.visitVarInsn(type(code.plan.field(i)).getOpcode(ILOAD), code.locals[i]);
            m.visitMethodInsn(
                    INVOKEVIRTUAL,
                    HANDLE,
                    "invokeExact",
                    "(Ljava/lang/Object;" + type(code.plan.field(i)).getDescriptor() + ")V",
                    false);
        }
        m.visitVarInsn(ALOAD, ARRAY);
    }

    /** {@code for (index = from; index < to; index++) into.add(read(in))}. */
    void readEach(ClassWriter writer) {
        code.loop(writer, "readEach", "(Ljava/util/List;IIL" + IN + ";)V", FROM, (m, back, done) -> {
            m.visitVarInsn(LLOAD, INDEX);
            m.visitVarInsn(ILOAD, 3);
            m.visitInsn(I2L);
            m.visitInsn(LCMP);
            m.visitJumpInsn(IFGE, done);
            m.visitVarInsn(ALOAD, 1);
            m.visitVarInsn(ALOAD, 0);
            m.visitVarInsn(ALOAD, 4);
            m.visitMethodInsn(INVOKEVIRTUAL, code.name, "read", "(L" + IN + ";)Ljava/lang/Object;", false);
            m.visitMethodInsn(INVOKEINTERFACE, "java/util/List", "add", "(Ljava/lang/Object;)Z", true);
            m.visitInsn(POP);
            m.visitVarInsn(LLOAD, INDEX);
            m.visitInsn(LCONST_1);
            m.visitInsn(LADD);
            m.visitVarInsn(LSTORE, INDEX);
            m.visitJumpInsn(GOTO, back);
            m.visitLabel(done);
            m.visitInsn(RETURN);
        });
    }
}
