// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.java;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.io.InvalidClassException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.io.ObjectStreamClass;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/** The JDK's stream of objects on a payload, none of which gets past the guard. */
final class FilteredInput extends ObjectInputStream {

    private final WireInput in;
    private final Guard guard;
    private final @Nullable ClassLoader classLoader;

    private FilteredInput(WireInput in, JavaCodecs.Builder settings) throws IOException {
        super(in.asInputStream());
        this.in = in;
        this.guard = new Guard(in, settings);
        this.classLoader = settings.classLoader;
    }

    static FilteredInput on(WireInput in, JavaCodecs.Builder settings) throws IOException {
        FilteredInput made = new FilteredInput(in, settings);
        ObjectInputFilter ofTheJvm = ObjectInputFilter.Config.getSerialFilter();
        made.setObjectInputFilter(ofTheJvm == null ? made.guard : ObjectInputFilter.merge(made.guard, ofTheJvm));
        return made;
    }

    <T> @Nullable T readOne(Class<T> type) throws IOException, ClassNotFoundException {
        Object read;
        try {
            read = readObject();
        } catch (InvalidClassException e) {
            throw guard.refused(e);
        }
        if (read != null && !type.isInstance(read)) {
            throw new MalformedDataException(
                    "a " + read.getClass().getName() + " where a " + type.getName() + " was asked for",
                    in.position(),
                    in.resultId());
        }
        return type.cast(read);
    }

    @Override
    protected Class<?> resolveClass(ObjectStreamClass description) throws IOException, ClassNotFoundException {
        try {
            if (classLoader != null) {
                try {
                    return Class.forName(description.getName(), false, classLoader);
                } catch (ClassNotFoundException e) {
                    // Primitive types, and what that loader does not see, the JDK may know.
                }
            }
            return super.resolveClass(description);
        } catch (LinkageError e) {
            throw unlinkable(description.getName(), e);
        }
    }

    @Override
    protected Class<?> resolveProxyClass(String[] interfaces) throws IOException, ClassNotFoundException {
        try {
            if (classLoader != null) {
                try {
                    return proxyClass(interfaces, classLoader);
                } catch (ClassNotFoundException e) {
                    // As above.
                }
            }
            return super.resolveProxyClass(interfaces);
        } catch (LinkageError e) {
            throw unlinkable("a proxy", e);
        }
    }

    /** As the JDK does, which has no place for a class loader of ours. */
    private static Class<?> proxyClass(String[] names, ClassLoader loader) throws ClassNotFoundException {
        Class<?>[] interfaces = new Class<?>[names.length];
        ClassLoader defining = loader;
        for (int i = 0; i < names.length; i++) {
            interfaces[i] = Class.forName(names[i], false, loader);
            if (!Modifier.isPublic(interfaces[i].getModifiers())) {
                defining = interfaces[i].getClassLoader(); // several of them the proxy's own making refuses
            }
        }
        try {
            return Proxy.newProxyInstance(defining, interfaces, (proxy, method, arguments) -> null)
                    .getClass();
        } catch (IllegalArgumentException e) {
            throw new ClassNotFoundException("a proxy", e);
        }
    }

    /** The sender says which classes are looked for, so one that lacks another is no error of this JVM's. */
    private static ClassNotFoundException unlinkable(String name, LinkageError e) {
        return new ClassNotFoundException(name, e);
    }
}
