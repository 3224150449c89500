// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.objectweb.asm.Opcodes.*;

import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Type;

/** What the methods of one derived class have in common: names, local variables, and the frame around each body. */
final class RecordCode {

    static final String OUT = Type.getInternalName(Out.class);
    static final String IN = Type.getInternalName(In.class);
    static final String WIRE_OUT = Type.getInternalName(WireOutput.class);
    static final String WIRE_IN = Type.getInternalName(WireInput.class);
    static final String BYTES = Type.getInternalName(Bytes.class);
    static final String TEXT = Type.getInternalName(Text.class);
    static final String CODEC = Type.getInternalName(Codec.class);
    static final String BASE = Type.getInternalName(RecordCodec.class);
    static final String HANDLE = "java/lang/invoke/MethodHandle";
    static final String HANDLE_TYPE = "Ljava/lang/invoke/MethodHandle;";
    static final String CODEC_TYPE = "L" + CODEC + ";";
    static final String PLAN_TYPE = Type.getDescriptor(RecordPlan.class);
    static final String STRING = "Ljava/lang/String;";

    /** Local variables of the methods made; values come behind. */
    static final int VALUE = 1;

    static final int CONTEXT = 2;
    static final int AT = 3;
    static final int WIRE = 4;
    static final int MARKS = 5;
    static final int ARRAY = 7;
    static final int PLACE = 8;
    static final int SPAN = 9;
    static final int FIRST = 11;

    final RecordPlan plan;
    final RecordLayout layout;
    final String name;
    final int[] locals;

    RecordCode(RecordPlan plan) {
        this.plan = plan;
        this.layout = new RecordLayout(plan.definition());
        this.name = Type.getInternalName(RecordCodec.class) + "Of"
                + plan.type().getSimpleName().replaceAll("[^A-Za-z0-9_]", "_");
        this.locals = new int[plan.fields().size()];
        int next = FIRST;
        for (int i = 0; i < locals.length; i++) {
            locals[i] = next;
            next += type(plan.field(i)).getSize();
        }
    }

    static Type type(RecordPlan.Field field) {
        return Type.getType(field.carrier());
    }

    interface Body {
        void emit(MethodVisitor m);
    }

    /** A method that tells, when something is thrown, at which field it was. */
    void method(ClassWriter writer, String method, String type, Body body) {
        MethodVisitor m = writer.visitMethod(ACC_FINAL, method, type, null, new String[] {"java/io/IOException"});
        Label start = new Label();
        Label end = new Label();
        Label caught = new Label();
        m.visitCode();
        m.visitTryCatchBlock(start, end, caught, "java/lang/Throwable");
        at(m, -1);
        m.visitLabel(start);
        body.emit(m);
        m.visitLabel(end);
        m.visitLabel(caught);
        m.visitVarInsn(ASTORE, ARRAY);
        m.visitVarInsn(ALOAD, 0);
        m.visitVarInsn(ALOAD, ARRAY);
        m.visitVarInsn(ILOAD, AT);
        m.visitMethodInsn(INVOKEVIRTUAL, BASE, "failed", "(Ljava/lang/Throwable;I)Ljava/io/IOException;", false);
        m.visitInsn(ATHROW);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }

    static void at(MethodVisitor m, int field) {
        m.visitLdcInsn(field);
        m.visitVarInsn(ISTORE, AT);
    }

    /** Takes array and offset of the region of {@link #WIRE}, a wire of that class, into local variables. */
    static void place(MethodVisitor m, String wire) {
        m.visitVarInsn(ALOAD, WIRE);
        m.visitMethodInsn(INVOKEVIRTUAL, wire, "array", "()[B", false);
        m.visitVarInsn(ASTORE, ARRAY);
        m.visitVarInsn(ALOAD, WIRE);
        m.visitMethodInsn(INVOKEVIRTUAL, wire, "offset", "()I", false);
        m.visitVarInsn(ISTORE, PLACE);
    }

    /** The other way round: the wire goes on at the place. */
    static void commit(MethodVisitor m, String wire) {
        m.visitVarInsn(ALOAD, WIRE);
        m.visitVarInsn(ILOAD, PLACE);
        m.visitMethodInsn(INVOKEVIRTUAL, wire, "commit", "(I)V", false);
    }

    static void element(MethodVisitor m, int offset) {
        m.visitVarInsn(ALOAD, ARRAY);
        m.visitVarInsn(ILOAD, PLACE);
        m.visitLdcInsn(offset);
        m.visitInsn(IADD);
    }

    /** "Long" for a long, as {@link WireOutput} and {@link WireInput} name it. */
    static String word(RecordPlan.Field field) {
        String primitive = field.carrier().getName();
        return Character.toUpperCase(primitive.charAt(0)) + primitive.substring(1);
    }

    void ifAny(MethodVisitor m, int i, Label none) {
        if (plan.field(i).maybe()) {
            m.visitVarInsn(ALOAD, locals[i]);
            m.visitJumpInsn(IFNULL, none);
        }
    }

    static final int INDEX = 5;

    /** A loop that counts from 0. */
    static final int ZERO = -1;

    interface Turn {
        void emit(MethodVisitor m, Label back, Label done);
    }

    /** @param from the int argument to count from, or {@link #ZERO} */
    void loop(ClassWriter writer, String method, String type, int from, Turn turn) {
        MethodVisitor m = writer.visitMethod(ACC_FINAL, method, type, null, new String[] {"java/io/IOException"});
        Label back = new Label();
        Label done = new Label();
        Label end = new Label();
        m.visitCode();
        m.visitTryCatchBlock(back, end, end, "java/lang/Throwable");
        if (from == ZERO) {
            m.visitInsn(LCONST_0);
        } else {
            m.visitVarInsn(ILOAD, from);
            m.visitInsn(I2L);
        }
        m.visitVarInsn(LSTORE, INDEX);
        m.visitLabel(back);
        turn.emit(m, back, done);
        m.visitLabel(end);
        m.visitVarInsn(LLOAD, INDEX);
        m.visitMethodInsn(INVOKESTATIC, BASE, "failedElement", "(Ljava/lang/Throwable;J)Ljava/io/IOException;", false);
        m.visitInsn(ATHROW);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }
}
