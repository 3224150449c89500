// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.lang.annotation.Annotation;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.AnnotatedArrayType;
import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.AnnotatedWildcardType;
import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Makes codecs for classes: records by their components; bean-like classes by their public fields and by each property that
 * has a getter and a setter, with a constructor without arguments; sealed types by their members; and everything that
 * {@link Codecs} has, nested at will. What it has no codec for, it says at once.
 *
 * <p>Null is allowed in a component, property or type argument that an annotation named {@code Nullable} marks, and nowhere
 * else, unless {@link Builder#nullable} says so.
 *
 * <p><b>Threads.</b> One thread at a time; the codecs it makes may be used by any number.
 */
public final class Derivation {

    private final MethodHandles.Lookup lookup;
    private final boolean nullable;
    private final Map<Class<?>, Codec<?>> given;
    private final Map<Class<?>, Map<String, Class<?>>> members;
    private final Set<Class<?>> shared;
    private final Map<Type, Codec<?>> made = new HashMap<>();

    private Derivation(Builder from) {
        this.lookup = from.lookup;
        this.nullable = from.nullable;
        this.given = new HashMap<>(PLAIN);
        this.given.putAll(from.given);
        this.shared = Set.copyOf(from.shared);
        for (Class<?> type : shared) {
            shareGiven(type);
        }
        this.members = new HashMap<>();
        from.members.forEach((type, tags) -> members.put(type, new LinkedHashMap<>(tags)));
    }

    private void shareGiven(Class<?> type) {
        Codec<?> own = given.get(type);
        if (type.isPrimitive() || (own == null && (type.isArray() || type.getTypeParameters().length > 0))) {
            throw new IllegalArgumentException(type.getName() + " cannot be shared: "
                    + (type.isPrimitive() ? "it is no object" : "give it a codec of its own"));
        }
        if (own != null) {
            given.put(type, Codecs.shared(own));
        }
    }

    /** Of public classes only. */
    public static Builder builder() {
        return new Builder(MethodHandles.publicLookup());
    }

    /** Also of what the lookup's class may see: {@code MethodHandles.lookup()} opens its own package and module. */
    public static Builder builder(MethodHandles.Lookup lookup) {
        return new Builder(lookup);
    }

    /**
     * The codec of a class.
     *
     * @throws IllegalArgumentException when there can be none, which says where and why
     */
    @SuppressWarnings("unchecked") // made for that class
    public <T> Codec<T> of(Class<T> type) {
        return (Codec<T>) of((Type) type);
    }

    /** The codec of a generic type, such as a method's return type or a type token's. */
    public Codec<?> of(Type type) {
        Map<Type, Codec<?>> before = new HashMap<>(made);
        boolean complete = false;
        try {
            Codec<?> codec = codec(type);
            complete = true;
            return codec;
        } catch (Underivable e) {
            throw e.told(type);
        } finally {
            if (!complete) { // what was made on the way may hold on to what was not
                made.clear();
                made.putAll(before);
            }
        }
    }

    /** Where the way down to a type that has no codec is told on the way up. */
    static final class Underivable extends Exception {
        private static final long serialVersionUID = 1;

        private final String path;
        private final String reason;

        private Underivable(String path, String reason) {
            super(path + ": " + reason);
            this.path = path;
            this.reason = reason;
        }

        Underivable(String step, Underivable inner) {
            this("." + step + inner.path, inner.reason);
        }

        static Underivable because(String reason) {
            return new Underivable("", reason);
        }

        IllegalArgumentException told(Type type) {
            return new IllegalArgumentException(type.getTypeName() + getMessage(), this);
        }
    }

    boolean isNullable(AnnotatedType type, Annotation[] declared) {
        return nullable || named(type.getAnnotations()) || named(declared);
    }

    private static boolean named(Annotation[] annotations) {
        for (Annotation annotation : annotations) {
            if (annotation.annotationType().getSimpleName().equals("Nullable")) {
                return true;
            }
        }
        return false;
    }

    private static final Annotation[] NONE = {};

    /** A type argument or an array's element: null is written in place. */
    private Codec<?> element(AnnotatedType type) throws Underivable {
        if (type instanceof AnnotatedWildcardType wildcard) {
            return element(wildcard.getAnnotatedUpperBounds()[0]);
        }
        Codec<?> codec = codec(type);
        return isNullable(type, NONE) ? Codecs.nullable(codec) : codec;
    }

    Codec<?> codec(AnnotatedType type) throws Underivable {
        if (type instanceof AnnotatedParameterizedType parameterized
                && parameterized.getType() instanceof ParameterizedType plain
                && plain.getRawType() instanceof Class<?> raw) {
            Codec<?> own = given.get(raw);
            if (own != null) {
                return own;
            }
            AnnotatedType[] arguments = parameterized.getAnnotatedActualTypeArguments();
            Codec<?>[] codecs = new Codec<?>[arguments.length];
            for (int i = 0; i < codecs.length; i++) {
                codecs[i] = raw == Optional.class ? codec(arguments[i]) : element(arguments[i]);
            }
            return generic(raw, codecs);
        }
        if (type instanceof AnnotatedArrayType array && !primitiveArray(array.getType())) {
            return array(element(array.getAnnotatedGenericComponentType()), component(array.getType()));
        }
        if (type instanceof AnnotatedWildcardType wildcard) {
            return codec(wildcard.getAnnotatedUpperBounds()[0]);
        }
        return codec(type.getType());
    }

    private static boolean primitiveArray(Type type) {
        return type instanceof Class<?> array && array.getComponentType().isPrimitive();
    }

    private static Class<?> component(Type array) throws Underivable {
        Type component = array instanceof Class<?> type
                ? type.getComponentType()
                : ((GenericArrayType) array).getGenericComponentType();
        return raw(component);
    }

    private static Class<?> raw(Type type) throws Underivable {
        if (type instanceof Class<?> plain) {
            return plain;
        }
        if (type instanceof ParameterizedType generic && generic.getRawType() instanceof Class<?> plain) {
            return plain;
        }
        throw Underivable.because("an array of " + type.getTypeName() + " cannot be made");
    }

    private Codec<?> codec(Type type) throws Underivable {
        Codec<?> known = type instanceof Class<?> plain ? given.get(plain) : null;
        known = known == null ? made.get(type) : known;
        if (known != null) {
            return known;
        }
        if (type instanceof Class<?> plain) {
            return derived(plain);
        }
        if (type instanceof ParameterizedType generic && generic.getRawType() instanceof Class<?> raw) {
            Codec<?> own = given.get(raw);
            if (own != null) {
                return own;
            }
            Type[] arguments = generic.getActualTypeArguments();
            Codec<?>[] codecs = new Codec<?>[arguments.length];
            for (int i = 0; i < codecs.length; i++) {
                Codec<?> codec = codec(arguments[i]);
                codecs[i] = nullable && raw != Optional.class ? Codecs.nullable(codec) : codec;
            }
            return generic(raw, codecs);
        }
        throw Underivable.because("no codec for " + type.getTypeName() + "; give the class a codec of its own");
    }

    private static Codec<?> generic(Class<?> raw, Codec<?>[] arguments) throws Underivable {
        if (raw == List.class) {
            return Codecs.list(arguments[0]);
        }
        if (raw == Collection.class) {
            return Codecs.collection(arguments[0]);
        }
        if (raw == Set.class) {
            return Codecs.set(arguments[0]);
        }
        if (raw == Map.class) {
            return Codecs.map(arguments[0], arguments[1]);
        }
        if (raw == Optional.class) {
            return Codecs.optional(arguments[0]);
        }
        throw Underivable.because("no codec for the generic class " + raw.getName()
                + "; List, Collection, Set, Map and Optional have one");
    }

    @SuppressWarnings("unchecked") // an array of the component's class
    private static <E> Codec<?> array(Codec<E> element, Class<?> component) {
        return Codecs.array(element, length -> (E[]) Array.newInstance(component, length));
    }

    private Codec<?> derived(Class<?> type) throws Underivable {
        if (type.isArray()) {
            Codec<?> element = codec((Type) type.getComponentType());
            if (nullable) {
                element = Codecs.nullable(element);
            }
            return array(element, type.getComponentType());
        }
        if (type.isEnum()) {
            Codec<?> codec = enumeration(type);
            codec = met(met(type, codec.shape()), codec);
            made.put(type, codec);
            return codec;
        }
        if (members.containsKey(type) || type.isSealed()) {
            return union(type);
        }
        if (type.isInterface() || Modifier.isAbstract(type.getModifiers())) {
            throw Underivable.because(type.getName() + " is abstract, not sealed, and has no members registered");
        }
        Definition definition = new Definition(Kind.RECORD, type.getSimpleName());
        Later<Object> knot = new Later<>(met(type, Shape.of(definition)));
        made.put(type, knot);
        Codec<Object> codec = met(knot.shape(), RecordClass.codec(Plans.of(type, definition, this, lookup)));
        knot.is(codec);
        made.put(type, codec);
        return codec;
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // it is an enum's class
    private static Codec<?> enumeration(Class<?> type) {
        return Codecs.enumeration((Class) type);
    }

    private Codec<?> union(Class<?> type) throws Underivable {
        Definition definition = new Definition(Kind.UNION, type.getSimpleName());
        UnionCodec<Object> union = new UnionCodec<>(definition);
        Later<Object> knot = new Later<>(met(type, Shape.of(definition)));
        Codec<Object> codec = met(knot.shape(), union);
        knot.is(codec);
        made.put(type, knot);
        for (Map.Entry<String, Class<?>> member : members(type).entrySet()) {
            try {
                union.add(member(member.getKey(), member.getValue()));
            } catch (Underivable e) {
                throw new Underivable(member.getKey(), e);
            }
        }
        made.put(type, codec);
        return codec;
    }

    /** What stands for a class wherever it is met: its own, or that shared. */
    private Shape met(Class<?> type, Shape own) {
        return shared.contains(type) ? SharedCodec.shape(own) : own;
    }

    private static <T> Codec<T> met(Shape shape, Codec<T> own) {
        return shape.kind() == Kind.SHARED ? new SharedCodec<>(shape, own) : own;
    }

    @SuppressWarnings("unchecked") // derived for that class
    private UnionCodec.Member<Object> member(String tag, Class<?> type) throws Underivable {
        if (Modifier.isAbstract(type.getModifiers()) && !type.isEnum()) {
            throw Underivable.because(type.getName() + " is abstract: register the classes that its values are of");
        }
        return new UnionCodec.Member<>(tag, type, (Codec<Object>) codec((Type) type));
    }

    /** Registered, or each permitted class by its simple name; a sealed member stands for its own members. */
    private Map<String, Class<?>> members(Class<?> type) throws Underivable {
        Map<String, Class<?>> registered = members.get(type);
        if (registered != null) {
            return registered;
        }
        Map<String, Class<?>> found = new LinkedHashMap<>();
        for (Class<?> permitted : type.getPermittedSubclasses()) {
            Map<String, Class<?>> those = permitted.isSealed() && !permitted.isEnum()
                    ? members(permitted)
                    : Map.of(permitted.getSimpleName(), permitted);
            for (Map.Entry<String, Class<?>> one : those.entrySet()) {
                Class<?> other = found.putIfAbsent(one.getKey(), one.getValue());
                if (other != null && other != one.getValue()) {
                    throw Underivable.because(
                            type.getName() + " has two members named " + one.getKey() + ": register their tags");
                }
            }
        }
        return found;
    }

    private static final Map<Class<?>, Codec<?>> PLAIN = plain();

    private static Map<Class<?>, Codec<?>> plain() {
        Map<Class<?>, Codec<?>> plain = new HashMap<>(Times.all());
        both(plain, boolean.class, Boolean.class, Codecs.BOOLEAN);
        both(plain, byte.class, Byte.class, Codecs.BYTE);
        both(plain, short.class, Short.class, Codecs.SHORT);
        both(plain, char.class, Character.class, Codecs.CHAR);
        both(plain, int.class, Integer.class, Codecs.INT);
        both(plain, long.class, Long.class, Codecs.LONG);
        both(plain, float.class, Float.class, Codecs.FLOAT);
        both(plain, double.class, Double.class, Codecs.DOUBLE);
        plain.put(String.class, Codecs.TEXT);
        plain.put(byte[].class, Codecs.BYTES);
        plain.put(java.nio.ByteBuffer.class, Codecs.BYTE_BUFFER);
        plain.put(java.util.OptionalInt.class, Codecs.OPTIONAL_INT);
        plain.put(java.util.OptionalLong.class, Codecs.OPTIONAL_LONG);
        plain.put(java.util.OptionalDouble.class, Codecs.OPTIONAL_DOUBLE);
        plain.put(boolean[].class, Codecs.BOOLEANS);
        plain.put(short[].class, Codecs.SHORTS);
        plain.put(char[].class, Codecs.CHARS);
        plain.put(int[].class, Codecs.INTS);
        plain.put(long[].class, Codecs.LONGS);
        plain.put(float[].class, Codecs.FLOATS);
        plain.put(double[].class, Codecs.DOUBLES);
        plain.put(java.math.BigInteger.class, Codecs.BIG_INTEGER);
        plain.put(java.math.BigDecimal.class, Codecs.BIG_DECIMAL);
        plain.put(java.util.UUID.class, Codecs.UUID);
        return plain;
    }

    /** Whether a primitive is carried as it is: not where its class was given a codec of its own. */
    static boolean isPlain(Class<?> primitive, Codec<?> codec) {
        return PLAIN.get(primitive) == codec;
    }

    private static void both(Map<Class<?>, Codec<?>> plain, Class<?> primitive, Class<?> boxed, Codec<?> codec) {
        plain.put(primitive, codec);
        plain.put(boxed, codec);
    }

    /** What is told before the first codec is made. */
    public static final class Builder {
        private final MethodHandles.Lookup lookup;
        private final Map<Class<?>, Codec<?>> given = new HashMap<>();
        private final Map<Class<?>, Map<String, Class<?>>> members = new HashMap<>();
        private final Set<Class<?>> shared = new HashSet<>();
        private boolean nullable;

        private Builder(MethodHandles.Lookup lookup) {
            this.lookup = lookup;
        }

        /** Takes this codec for that class, wherever it is met. */
        public <T> Builder with(Class<T> type, Codec<T> codec) {
            given.put(type, codec);
            return this;
        }

        /** Registers a class as a member of an interface or abstract class; the tag stands in the schema. */
        public <T> Builder member(Class<T> type, String tag, Class<? extends T> member) {
            Map<String, Class<?>> tags = members.computeIfAbsent(type, each -> new LinkedHashMap<>());
            if (tags.putIfAbsent(tag, member) != null) {
                throw new IllegalArgumentException(type.getName() + " has two members tagged " + tag);
            }
            return this;
        }

        /** Shares the values of that class wherever it is met, as {@link Codecs#shared} says, with what it costs. */
        public Builder shared(Class<?> type) {
            shared.add(type);
            return this;
        }

        /** Allows null in every field and element that is not primitive. */
        public Builder nullable() {
            nullable = true;
            return this;
        }

        public Derivation build() {
            return new Derivation(this);
        }
    }
}
