// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static io.tailrace.codec.RecordCode.*;
import static org.objectweb.asm.Opcodes.*;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Type;

/**
 * Makes a codec's class for one record or bean, once: a hidden class next to this one, so that it is unloaded with the codec.
 *
 * <p>It never names the user's class. What it reads and makes goes through method handles in its static final fields, which
 * the JIT inlines like direct calls; so it does not matter what class loader the class is of, nor that it is not public.
 *
 * <p>What it writes is what {@link RecordLayout} says. Numbers and text that fit the region are written with one check for
 * all, at a place kept in a local variable; at a region's end each is written by itself.
 */
final class RecordClass {

    /** Most words of arguments that a constructor's handle takes; most marks that a long holds. */
    private static final int MAX_ARGUMENT_WORDS = 250;

    private static final int MAX_MARKS = 64;

    private final RecordPlan plan;
    private final RecordCode code;
    private final String name;

    private RecordClass(RecordPlan plan) {
        this.plan = plan;
        this.code = new RecordCode(plan);
        this.name = code.name;
    }

    @SuppressWarnings("unchecked") // the plan's type
    static <T> Codec<T> codec(RecordPlan plan) {
        int words = 0;
        for (RecordPlan.Field field : plan.fields()) {
            words += RecordCode.type(field).getSize();
        }
        if (words > MAX_ARGUMENT_WORDS || new RecordLayout(plan.definition()).markCount() > MAX_MARKS) {
            return new LooseRecord<>(plan);
        }
        return (Codec<T>) new RecordClass(plan).make();
    }

    private RecordCodec<?> make() {
        List<Object> data = new ArrayList<>();
        for (RecordPlan.Field field : plan.fields()) {
            data.add(field.get());
        }
        for (RecordPlan.Field field : plan.fields()) {
            data.add(plan.bean() ? field.set() : field.get());
        }
        for (RecordPlan.Field field : plan.fields()) {
            data.add(field.codec());
        }
        data.add(plan.create());
        try {
            MethodHandles.Lookup hidden =
                    MethodHandles.lookup().defineHiddenClassWithClassData(bytes(), data.toArray(), true);
            MethodHandle constructor =
                    hidden.findConstructor(hidden.lookupClass(), MethodType.methodType(void.class, RecordPlan.class));
            return (RecordCodec<?>) constructor.invoke(plan);
        } catch (Throwable e) {
            throw new IllegalStateException(
                    "no codec could be made for " + plan.type().getName(), e);
        }
    }

    private byte[] bytes() {
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_FRAMES) {
            @Override
            protected String getCommonSuperClass(String one, String other) {
                return "java/lang/Object"; // nothing that is merged here needs to be known better
            }
        };
        writer.visit(V17, ACC_FINAL | ACC_SUPER | ACC_SYNTHETIC, name, null, BASE, null);
        int size = plan.fields().size();
        for (int i = 0; i < size; i++) {
            field(writer, "get" + i, HANDLE_TYPE);
            field(writer, "set" + i, HANDLE_TYPE);
            field(writer, "codec" + i, CODEC_TYPE);
        }
        field(writer, "create", HANDLE_TYPE);
        initializer(writer, size);
        constructor(writer);
        WriteCode writing = new WriteCode(code);
        writing.write(writer);
        writing.writeEach(writer);
        ReadCode reading = new ReadCode(code);
        reading.read(writer);
        reading.readEach(writer);
        writer.visitEnd();
        return writer.toByteArray();
    }

    private static void field(ClassWriter writer, String field, String type) {
        writer.visitField(ACC_PRIVATE | ACC_STATIC | ACC_FINAL, field, type, null, null)
                .visitEnd();
    }

    private void initializer(ClassWriter writer, int size) {
        MethodVisitor m = writer.visitMethod(ACC_STATIC, "<clinit>", "()V", null, new String[] {"java/lang/Throwable"});
        m.visitCode();
        m.visitMethodInsn(
                INVOKESTATIC,
                "java/lang/invoke/MethodHandles",
                "lookup",
                "()Ljava/lang/invoke/MethodHandles$Lookup;",
                false);
        m.visitLdcInsn("_");
        m.visitLdcInsn(Type.getType(Object[].class));
        m.visitMethodInsn(
                INVOKESTATIC,
                "java/lang/invoke/MethodHandles",
                "classData",
                "(Ljava/lang/invoke/MethodHandles$Lookup;Ljava/lang/String;Ljava/lang/Class;)Ljava/lang/Object;",
                false);
        m.visitTypeInsn(CHECKCAST, "[Ljava/lang/Object;");
        m.visitVarInsn(ASTORE, 0);
        for (int i = 0; i < size; i++) {
            constant(m, i, "get" + i, HANDLE, HANDLE_TYPE);
            constant(m, size + i, "set" + i, HANDLE, HANDLE_TYPE);
            constant(m, 2 * size + i, "codec" + i, CODEC, CODEC_TYPE);
        }
        constant(m, 3 * size, "create", HANDLE, HANDLE_TYPE);
        m.visitInsn(RETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }

    private void constant(MethodVisitor m, int index, String field, String internalName, String type) {
        m.visitVarInsn(ALOAD, 0);
        m.visitLdcInsn(index);
        m.visitInsn(AALOAD);
        m.visitTypeInsn(CHECKCAST, internalName);
        m.visitFieldInsn(PUTSTATIC, name, field, type);
    }

    private void constructor(ClassWriter writer) {
        MethodVisitor m = writer.visitMethod(0, "<init>", "(" + PLAN_TYPE + ")V", null, null);
        m.visitCode();
        m.visitVarInsn(ALOAD, 0);
        m.visitVarInsn(ALOAD, 1);
        m.visitMethodInsn(INVOKESPECIAL, BASE, "<init>", "(" + PLAN_TYPE + ")V", false);
        m.visitInsn(RETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }
}
