// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.kryo;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.util.Pool;
import io.tailrace.core.wire.ValueCodec;
import java.util.Iterator;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * Codecs that write and read by Kryos of the caller's, which are taken as they are. The payload is what Kryo writes to a stream
 * of its own, without anything of ours; it goes straight into the chunks.
 *
 * <pre>
 *   KryoCodecs codecs = KryoCodecs.builder(() -&gt; {
 *       Kryo kryo = new Kryo();
 *       kryo.register(Trade.class);
 *       return kryo;
 *   }).build();
 *   encoder.encode(id, codecs.each(Trade.class), trades.iterator(), sink);
 * </pre>
 *
 * <p>A receiver's Kryo must be set up as the sender's, which no schema checks. Classes must be registered, unless {@link
 * Builder#allowUnregistered()} is said: otherwise the payload's bytes choose which classes are made.
 *
 * <p>What is read is not trusted. Whatever goes wrong with it is one of our exceptions, with offset and result; text and arrays
 * of primitives never take more than 1 MiB ahead of what has arrived. A collection, map or array of objects is made by Kryo's
 * own serializers, at once, of the length that the payload says. Such lengths are refused when at 8 bytes an element they come
 * to more than {@link Builder#maxCollectionBytes} and 8 times what has arrived. Nobody bounds what the caller's serializers allocate, nor those of Kryo's that put a stream of
 * their own between: chunked encoding, {@code DeflateSerializer}, {@code BlowfishSerializer}.
 *
 * <p>Deep nesting ends in an exception of ours too, but where the stack overflows there, a class that is first used then is lost
 * to the JVM: who reads from strangers says {@code setMaxDepth} on the Kryo.
 *
 * <p>Kryo keeps each object written to in a table while references are on, so one value keeps memory by its number of objects;
 * of elements, that is emptied after each.
 *
 * <p><b>Threads.</b> Any, also at once: each value has a Kryo of its own meanwhile.
 */
public final class KryoCodecs {

    private final Kryos kryos;

    private KryoCodecs(Kryos kryos) {
        this.kryos = kryos;
    }

    /** Of Kryos that the supplier makes, a new one each time it is asked; they are kept for later values. */
    public static Builder builder(Supplier<Kryo> maker) {
        Objects.requireNonNull(maker, "maker");
        return new Builder(new Pool<>(true, true) {
            @Override
            protected Kryo create() {
                return Objects.requireNonNull(maker.get(), "the supplier gave no Kryo");
            }
        });
    }

    /** Of the pool's Kryos. One comes back when its value or last element is done, reset; after a failure, it does not. */
    public static Builder builder(Pool<Kryo> pool) {
        return new Builder(Objects.requireNonNull(pool, "pool"));
    }

    /** One object of exactly that class, as by {@code writeObject}; null is refused. */
    public <T> ValueCodec<T> value(Class<T> type) {
        return new KryoValue<>(kryos, Objects.requireNonNull(type, "type"));
    }

    /** One object of any registered class, or null, as by {@code writeClassAndObject}. */
    public ValueCodec<Object> value() {
        return new KryoValue<>(kryos, null);
    }

    /**
     * Objects of exactly that class, or null, as by {@code writeObjectOrNull} one after the other; read one by one while they
     * arrive. Each is a graph of its own: an object that two of them refer to is two when it is read. For streams, iterables
     * and lists see {@link io.tailrace.codec.Codecs#streamOf}, {@code iterableOf} and {@code consumedListOf}.
     *
     * <p>An iterator that is not read to its end keeps its Kryo.
     */
    public <E> ValueCodec<Iterator<E>> each(Class<E> type) {
        return new KryoEach<>(kryos, Objects.requireNonNull(type, "type"));
    }

    /** How codecs are made. */
    public static final class Builder {
        private final Pool<Kryo> pool;
        private boolean unregisteredToo;
        private long maxCollectionBytes = 64L << 20;

        private Builder(Pool<Kryo> pool) {
            this.pool = pool;
        }

        /** Takes Kryos that need no registration, too: then whoever makes a payload can have any class on the class path made. */
        public Builder allowUnregistered() {
            unregisteredToo = true;
            return this;
        }

        /**
         * The most bytes of collections, maps and arrays of objects, at 8 an element, that may be made ahead of what has arrived
         * of them; 64 MiB by default, and never more than the reader's {@code valueBytes}. Kryo makes each as soon as its length
         * has come, so this is also the largest that can be read, and what the first bytes of a hostile payload can cost.
         */
        public Builder maxCollectionBytes(long most) {
            if (most < 0) {
                throw new IllegalArgumentException("collections of at most " + most + " bytes");
            }
            maxCollectionBytes = most;
            return this;
        }

        /** Takes a Kryo and gives it back; an IllegalArgumentException when it needs no registration and that is not allowed. */
        public KryoCodecs build() {
            Kryos kryos = new Kryos(pool, unregisteredToo, maxCollectionBytes);
            kryos.give(kryos.take());
            return new KryoCodecs(kryos);
        }
    }
}
