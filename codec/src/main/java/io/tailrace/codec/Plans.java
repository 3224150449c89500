// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.codec.Derivation.Underivable;
import java.lang.annotation.Annotation;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Looks at a class and says what its fields are and how they are had; see {@link RecordPlan}. */
final class Plans {

    private static final MethodType GET_ANY = MethodType.methodType(Object.class, Object.class);

    private final Class<?> type;
    private final Derivation derivation;
    private final MethodHandles.Lookup lookup;

    /** By the names of their fields: what makes the value of a mapped type out of what may be null. */
    private final Map<String, MethodHandle> fromMaybe = new HashMap<>();

    private Plans(Class<?> type, Derivation derivation, MethodHandles.Lookup lookup) {
        this.type = type;
        this.derivation = derivation;
        this.lookup = lookup;
    }

    /** Fills the definition. */
    static RecordPlan of(Class<?> type, Definition definition, Derivation derivation, MethodHandles.Lookup lookup)
            throws Underivable {
        Plans plans = new Plans(type, derivation, access(type, lookup));
        try {
            return type.isRecord() ? plans.record(definition) : plans.bean(definition);
        } catch (IllegalAccessException e) {
            throw Underivable.because(type.getName() + " is not accessible: derive it with a Lookup of its own module ("
                    + e.getMessage() + ")");
        }
    }

    /** With private access where the caller's lookup gives it; else what is public must do. */
    private static MethodHandles.Lookup access(Class<?> type, MethodHandles.Lookup lookup) {
        try {
            return MethodHandles.privateLookupIn(type, lookup);
        } catch (IllegalAccessException e) {
            return lookup;
        }
    }

    private RecordPlan record(Definition definition) throws Underivable, IllegalAccessException {
        List<RecordPlan.Field> fields = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            MethodHandle get = lookup.unreflect(component.getAccessor());
            fields.add(field(component.getName(), component.getAnnotatedType(), component.getAnnotations(), get, null));
        }
        List<RecordPlan.Field> inOrder = inOrder(fields, definition);
        Class<?>[] types = new Class<?>[fields.size()];
        int[] arguments = new int[fields.size()];
        MethodType all = MethodType.methodType(Object.class);
        for (int i = 0; i < types.length; i++) {
            types[i] = type.getRecordComponents()[i].getType();
            arguments[i] = inOrder.indexOf(fields.get(i));
            all = all.appendParameterTypes(fields.get(i).carrier());
        }
        MethodHandle create;
        try {
            create = lookup.findConstructor(type, MethodType.methodType(void.class, types));
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException("a record without its constructor", e);
        }
        for (int i = 0; i < types.length; i++) {
            MethodHandle from = fromMaybe.get(fields.get(i).name());
            if (from != null) {
                create = MethodHandles.filterArguments(create, i, from);
            }
        }
        return new RecordPlan(type, definition, inOrder, create.asType(all), arguments);
    }

    private RecordPlan bean(Definition definition) throws Underivable, IllegalAccessException {
        if (type.getName().startsWith("java.")) {
            throw Underivable.because(type.getName() + " is no bean: give it a codec of its own");
        }
        if (type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers())) {
            throw Underivable.because(type.getName() + " is an inner class: it needs an instance around it");
        }
        MethodHandle create;
        try {
            create = lookup.findConstructor(type, MethodType.methodType(void.class));
        } catch (NoSuchMethodException e) {
            throw Underivable.because(
                    type.getName()
                            + " is neither a record nor a bean: it has no constructor without arguments; give it a codec of its own");
        }
        List<RecordPlan.Field> fields = new ArrayList<>();
        for (Property property : properties().values()) {
            fields.add(property.field(this));
        }
        if (fields.isEmpty()) {
            throw Underivable.because(
                    type.getName() + " has neither public fields nor properties with getter and setter");
        }
        return new RecordPlan(
                type,
                definition,
                inOrder(fields, definition),
                create.asType(MethodType.methodType(Object.class)),
                new int[0]);
    }

    private static List<RecordPlan.Field> inOrder(List<RecordPlan.Field> fields, Definition definition) {
        List<RecordPlan.Field> inOrder = new ArrayList<>(fields);
        inOrder.sort(Comparator.comparing(RecordPlan.Field::group)); // stable
        for (RecordPlan.Field field : inOrder) {
            Shape shape = field.codec().shape();
            definition.add(field.name(), field.maybe() ? Shape.of(Kind.MAYBE, shape) : shape);
        }
        return inOrder;
    }

    private RecordPlan.Field field(
            String name, AnnotatedType fieldType, Annotation[] declared, MethodHandle get, @Nullable MethodHandle set)
            throws Underivable {
        try {
            return tryField(name, fieldType, declared, get, set);
        } catch (Underivable e) {
            throw new Underivable(name, e);
        }
    }

    private RecordPlan.Field tryField(
            String name, AnnotatedType fieldType, Annotation[] declared, MethodHandle get, @Nullable MethodHandle set)
            throws Underivable {
        Class<?> raw = get.type().returnType();
        Codec<?> codec = derivation.codec(fieldType);
        boolean nullable = derivation.isNullable(fieldType, declared);
        boolean mayBeNothing = codec.shape().kind() == Kind.MAYBE;
        if (raw.isPrimitive() && !mayBeNothing) {
            return carried(name, codec, false, get, set, Derivation.isPlain(raw, codec) ? raw : Object.class);
        }
        if (codec instanceof MaybeCodec<?> maybe) {
            return carried(name, maybe.present, true, get, set, Object.class);
        }
        if (raw == String.class && codec == Codecs.TEXT) {
            return carried(name, codec, nullable, get, set, String.class);
        }
        if (!nullable && codec instanceof MappedCodec<?, ?> mapped && mapped.written instanceof MaybeCodec<?> maybe) {
            MethodHandle to = TO_MAYBE.bindTo(mapped.to).asType(MethodType.methodType(Object.class, raw));
            MethodHandle from = APPLY.bindTo(mapped.from).asType(MethodType.methodType(raw, Object.class));
            fromMaybe.put(name, from);
            MethodHandle setter = set == null ? null : MethodHandles.filterArguments(set, 1, from);
            return carried(name, maybe.present, true, MethodHandles.filterReturnValue(get, to), setter, Object.class);
        }
        // A codec that may write nothing has a mark, as the record's layout wants it, and its own boolean behind.
        return carried(name, codec, mayBeNothing || nullable, get, set, Object.class);
    }

    private static RecordPlan.Field carried(
            String name,
            Codec<?> codec,
            boolean maybe,
            MethodHandle get,
            @Nullable MethodHandle set,
            Class<?> carrier) {
        return new RecordPlan.Field(
                name,
                codec,
                maybe,
                get.asType(GET_ANY.changeReturnType(carrier)),
                set == null ? null : set.asType(MethodType.methodType(void.class, Object.class, carrier)),
                carrier);
    }

    /** In the order of their names: the order in which a class file lists them is nobody's promise. */
    private Map<String, Property> properties() throws Underivable {
        Map<String, Property> properties = new TreeMap<>();
        for (Field field : type.getFields()) {
            int modifiers = field.getModifiers();
            if (!Modifier.isStatic(modifiers) && !Modifier.isFinal(modifiers) && !Modifier.isTransient(modifiers)) {
                // A field that hides another comes first.
                properties.putIfAbsent(field.getName(), new Property(field.getName(), field, null, null));
            }
        }
        for (boolean bridges : new boolean[] {false, true}) {
            for (Method getter : type.getMethods()) {
                // A bridge may stand for what a superclass that is not public declares; if not, its original came
                // before.
                if (getter.isBridge() == bridges) {
                    property(getter, properties);
                }
            }
        }
        return properties;
    }

    private void property(Method getter, Map<String, Property> properties) throws Underivable {
        String name = propertyOf(getter);
        if (name == null || properties.containsKey(decapitalized(name))) {
            return;
        }
        Method setter = setter(name, getter.getReturnType());
        if (setter != null) {
            properties.put(decapitalized(name), new Property(decapitalized(name), null, getter, setter));
        } else if (hasSetter(name)) {
            throw new Underivable(
                    decapitalized(name),
                    Underivable.because("getter and setter differ in type: "
                            + getter.getReturnType().getName()));
        }
    }

    private boolean hasSetter(String name) {
        for (Method method : type.getMethods()) {
            if (method.getName().equals("set" + name)
                    && method.getParameterCount() == 1
                    && !Modifier.isStatic(method.getModifiers())) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable String propertyOf(Method getter) {
        String name = getter.getName();
        if (Modifier.isStatic(getter.getModifiers())
                || getter.getParameterCount() > 0
                || getter.getDeclaringClass() == Object.class) {
            return null;
        }
        if (name.startsWith("get") && name.length() > 3) {
            return name.substring(3);
        }
        return name.startsWith("is") && name.length() > 2 && getter.getReturnType() == boolean.class
                ? name.substring(2)
                : null;
    }

    private static String decapitalized(String name) {
        return Character.toLowerCase(name.charAt(0)) + name.substring(1);
    }

    private @Nullable Method setter(String name, Class<?> of) {
        try {
            Method setter = type.getMethod("set" + name, of);
            return Modifier.isStatic(setter.getModifiers()) ? null : setter;
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    /** A public field, or a getter with its setter. */
    private record Property(
            String name,
            @Nullable Field field,
            @Nullable Method getter,
            @Nullable Method setter) {

        RecordPlan.Field field(Plans plans) throws Underivable, IllegalAccessException {
            if (field != null) {
                return plans.field(
                        name,
                        field.getAnnotatedType(),
                        field.getAnnotations(),
                        plans.lookup.unreflectGetter(field),
                        plans.lookup.unreflectSetter(field));
            }
            if (getter == null || setter == null) {
                throw new IllegalStateException("half a property");
            }
            MethodHandle set = plans.lookup.unreflect(setter);
            return plans.field(
                    name,
                    getter.getAnnotatedReturnType(),
                    getter.getAnnotations(),
                    plans.lookup.unreflect(getter),
                    set.asType(set.type().changeReturnType(void.class)));
        }
    }

    private static final MethodHandle TO_MAYBE;
    private static final MethodHandle APPLY;

    static {
        try {
            MethodHandles.Lookup here = MethodHandles.lookup();
            TO_MAYBE = here.findStatic(
                    Plans.class, "toMaybe", MethodType.methodType(Object.class, Function.class, Object.class));
            APPLY = here.findVirtual(Function.class, "apply", MethodType.methodType(Object.class, Object.class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("UnusedMethod") // through its handle
    private static @Nullable Object toMaybe(Function<Object, @Nullable Object> to, @Nullable Object value)
            throws Misfit {
        if (value == null) {
            throw Misfit.missing();
        }
        return to.apply(value);
    }
}
