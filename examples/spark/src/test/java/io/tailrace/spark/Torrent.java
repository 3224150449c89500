// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.io.StreamCorruptedException;
import java.util.Arrays;
import java.util.SplittableRandom;

/** A value of any size that is nowhere whole: its bytes are made when it is written, and looked at when it is read. */
final class Torrent implements Serializable {

    private static final long serialVersionUID = 1;
    private static final int BLOCK = 65_536;

    private final int seed;
    private final long blocks;

    Torrent(int seed, long blocks) {
        this.seed = seed;
        this.blocks = blocks;
    }

    int seed() {
        return seed;
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
        out.defaultWriteObject();
        SplittableRandom random = new SplittableRandom(seed);
        byte[] block = new byte[BLOCK];
        for (long i = 0; i < blocks; i++) {
            random.nextBytes(block);
            out.write(block);
        }
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
        in.defaultReadObject();
        SplittableRandom random = new SplittableRandom(seed);
        byte[] wanted = new byte[BLOCK];
        byte[] block = new byte[BLOCK];
        for (long i = 0; i < blocks; i++) {
            random.nextBytes(wanted);
            in.readFully(block);
            if (!Arrays.equals(wanted, block)) {
                throw new StreamCorruptedException("block " + i);
            }
        }
    }
}
