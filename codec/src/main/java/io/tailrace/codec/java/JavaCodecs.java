// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.java;

import io.tailrace.core.wire.ValueCodec;
import java.io.ObjectInputFilter;
import java.util.Iterator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Codecs by Java's own serialisation: an {@link java.io.ObjectOutputStream} on the payload. Its bytes are what such a stream
 * writes, nothing in front or behind, so a plain {@link java.io.ObjectInputStream} reads them too (protocol version 2 of the Java
 * Object Serialization Specification).
 *
 * <p>The JDK gathers its output in a buffer of 1 KiB, which is the one copy. It gives every object a handle and keeps it for as
 * long as the handle may be used: a single value stays in memory until it is written or read. Elements are safe from that, since
 * the handles are forgotten at the {@linkplain Builder#resetEvery reset points}. Those are the sender's: who reads a payload
 * without any keeps its objects until the payload's end.
 *
 * <p>A value that the JDK cannot write or read is told as {@link io.tailrace.core.wire.MalformedDataException}, with what the
 * JDK said as its cause; one that crosses a limit as {@link io.tailrace.core.wire.ResultTooLargeException}.
 *
 * <p><b>Threads.</b> These and their codecs keep nothing between calls. The filter is called by every thread that decodes.
 */
public final class JavaCodecs {

    private final Builder settings;

    private JavaCodecs(Builder settings) {
        this.settings = settings;
    }

    /**
     * Settings of codecs that read what this filter lets pass. It is asked of every class, and what it leaves undecided is
     * refused: a pattern such as {@code "com.acme.Trade;java.lang.*;java.util.ArrayList"} names all that may come. The JVM's own
     * filter, where one is set, must let it pass too.
     *
     * <p>Nothing but the filter bounds what a class does while it is read: a few thousand bytes of sets within sets are hashed for
     * hours, and a {@link java.net.URL} among a map's keys asks the network. {@code "java.base/*"} lets both pass, and is for
     * senders that are trusted.
     *
     * @throws NullPointerException without a filter: bytes that say which classes are to be made are never read without one
     */
    public static Builder builder(ObjectInputFilter filter) {
        return new Builder(filter);
    }

    /** A payload of one object, which may be null. */
    public <T> ValueCodec<T> value(Class<T> type) {
        return new ObjectCodec<>(type, settings);
    }

    /**
     * A payload of objects whose number is not known, any of them null: they are written as the iterator gives them and read as
     * they arrive. The iterator that is read belongs to the decoding thread and throws {@link java.io.UncheckedIOException}. For
     * streams, iterables and lists that are freed as they go see {@link io.tailrace.codec.Codecs#streamOf} and its like.
     */
    public <E> ValueCodec<Iterator<E>> each(Class<E> type) {
        return new EachObjectCodec<>(type, settings);
    }

    /** Settings of {@link JavaCodecs}. */
    public static final class Builder {
        final ObjectInputFilter filter;
        int resetEvery = 512;
        int maxDepth = 256;
        long maxArrayBytes = 64L << 20;

        @Nullable
        ClassLoader classLoader;

        private Builder(ObjectInputFilter filter) {
            this.filter = Objects.requireNonNull(filter, "without a filter nothing can be read");
        }

        private Builder(Builder other) {
            this.filter = other.filter;
            this.resetEvery = other.resetEvery;
            this.maxDepth = other.maxDepth;
            this.maxArrayBytes = other.maxArrayBytes;
            this.classLoader = other.classLoader;
        }

        /**
         * After how many elements their handles are forgotten on both sides; 512 by default. An object that is shared by elements
         * on two sides of a reset point is written twice and is two objects to the reader; and each class is described anew.
         */
        public Builder resetEvery(int elements) {
            if (elements < 1) {
                throw new IllegalArgumentException("reset every " + elements + " elements");
            }
            resetEvery = elements;
            return this;
        }

        /** How deep objects may be nested when they are read; 256 by default. */
        public Builder maxDepth(int most) {
            if (most < 1) {
                throw new IllegalArgumentException("depth of at most " + most);
            }
            maxDepth = most;
            return this;
        }

        /**
         * The most bytes of arrays that may be made ahead of what has arrived of them; 64 MiB by default. The JDK makes an array
         * as soon as its length has come, so this is also the largest array that can be read, and what the first bytes of a
         * hostile payload can cost.
         */
        public Builder maxArrayBytes(long most) {
            if (most < 0) {
                throw new IllegalArgumentException("arrays of at most " + most + " bytes");
            }
            maxArrayBytes = most;
            return this;
        }

        /** Where classes are looked for; null, the default, leaves that to the JDK. */
        public Builder classLoader(@Nullable ClassLoader loader) {
            classLoader = loader;
            return this;
        }

        public JavaCodecs build() {
            return new JavaCodecs(new Builder(this));
        }
    }
}
