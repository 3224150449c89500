// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Supplier;
import org.apache.fory.Fory;

/**
 * Forys that wait for a next result.
 *
 * <p><b>Threads.</b> Any number at once: one that is taken belongs to its taker until it is given back.
 */
final class ForyPool {

    private final Supplier<Fory> forys;
    private final int elementBytes;
    private final boolean outOfBand;
    private final boolean unregistered;
    private final Scratch scratch = new Scratch();
    private final ArrayBlockingQueue<PooledFory> idle;

    ForyPool(ForyCodecs.Builder settings) {
        this.forys = settings.forys;
        this.elementBytes = settings.elementBytes;
        this.outOfBand = settings.outOfBand;
        this.unregistered = settings.unregistered;
        this.idle = new ArrayBlockingQueue<>(settings.kept);
        give(make());
    }

    Scratch scratch() {
        return scratch;
    }

    PooledFory take() {
        PooledFory taken = idle.poll();
        return taken == null ? make() : taken;
    }

    void give(PooledFory fory) {
        if (!fory.rest() || !idle.offer(fory)) {
            fory.drop();
        }
    }

    private PooledFory make() {
        Fory fory = forys.get();
        boolean registered = fory.getConfig().requireClassRegistration();
        if (!registered && !unregistered) {
            throw new IllegalArgumentException(
                    "this Fory makes objects of any class that a payload names: require class"
                            + " registration, or say allowUnregistered()");
        }
        if (fory.getTypeResolver().isRegistrationFinished()) {
            throw new IllegalArgumentException("this Fory was used before: the supplier must make a new one each time");
        }
        return new PooledFory(fory, scratch, elementBytes, outOfBand);
    }
}
