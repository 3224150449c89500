// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.kryo;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.KryoException;
import com.esotericsoftware.kryo.kryo5.util.Pool;

/**
 * The caller's Kryos, one for each value that is written or read. One that a failure has left in the midst of an object is not
 * given back.
 *
 * <p><b>Threads.</b> As the pool: any, where that is safe for them.
 */
record Kryos(Pool<Kryo> pool, boolean unregisteredToo, long maxCollectionBytes) {

    static {
        // What Kryo tells of an overflown stack; a class whose first use fails for want of stack is lost to the JVM for
        // ever.
        new KryoException("").addTrace("");
    }

    Kryo take() {
        Kryo kryo = pool.obtain();
        if (!unregisteredToo && !kryo.isRegistrationRequired()) {
            throw new IllegalArgumentException(
                    "this Kryo reads classes that are not registered, so that the payload says what"
                            + " is made: setRegistrationRequired(true), or allowUnregistered() here");
        }
        return kryo;
    }

    void give(Kryo kryo) {
        kryo.reset();
        pool.free(kryo);
    }
}
