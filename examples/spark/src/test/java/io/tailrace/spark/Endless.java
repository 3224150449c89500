// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A value that is written until somebody stops it. */
final class Endless implements Serializable {

    private static final long serialVersionUID = 1;

    private final long pauseMillis;

    /** @param pauseMillis behind each 4 KiB */
    Endless(long pauseMillis) {
        this.pauseMillis = pauseMillis;
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
        out.defaultWriteObject();
        byte[] block = new byte[4096];
        while (true) {
            out.write(block);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(pauseMillis));
        }
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
        in.defaultReadObject();
        byte[] block = new byte[4096];
        while (true) {
            in.readFully(block);
        }
    }
}
