// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.util.SplittableRandom;

/**
 * What a seed is about.
 *
 * @param stalls consumers that stand still until all others are through
 * @param spillAfter how long before a consumer's results go to disk; for ever in most
 * @param places results that may come in on their way to disk before they are read
 */
record Scenario(
        int serverChunk,
        int clientChunk,
        int budget,
        int clients,
        int tasks,
        int longest,
        int window,
        int sharedChunks,
        int decoders,
        int mostInside,
        int stalls,
        boolean faults,
        boolean misfits,
        boolean rivals,
        boolean secret,
        long creditPatience,
        long maxJobBytes,
        long spillAfter,
        long diskBytes,
        int places,
        int manyResults) {

    static Scenario of(Simulation world) {
        int serverChunk = 512 << world.upTo(3);
        int clientChunk = Math.max(512, serverChunk >> world.upTo(2));
        int window = 1 + world.upTo(world.chance(50) ? 3 : 15);
        SplittableRandom disk =
                new SplittableRandom(~world.seed); // its own: other scenarios are what they were without
        boolean spills = disk.nextInt(100) < 30;
        int each = spills ? Overflow.LEAST_WINDOW + 1 : Arriving.LEAST_WINDOW;
        int budget = (spills ? each + 1 : each) + world.upTo(world.chance(50) ? 7 : 63);
        int sure = budget - budget / 4;
        int places = spills ? Math.min((sure - each) / Overflow.LEAST_WINDOW, 1 + disk.nextInt(4)) : 0;
        int rest = sure - places * Overflow.LEAST_WINDOW;
        int decoders = Math.max(1, Math.min(1 + world.upTo(12), rest / each));
        int stalls = world.chance(25)
                ? Math.max(0, Math.min(decoders - 1, rest / Math.max(each, window + 1) - decoders))
                : 0;
        return new Scenario(
                serverChunk,
                clientChunk,
                budget,
                1 + world.upTo(3),
                1 + world.upTo(world.chance(80) ? 15 : 60),
                world.chance(60) ? 4_000 : world.chance(90) ? 40_000 : 400_000,
                window,
                world.upTo(world.chance(50) ? 4 : 16),
                decoders,
                1 + world.upTo(4),
                stalls,
                world.chance(40),
                world.chance(50),
                world.chance(30),
                world.chance(10),
                world.chance(15) ? 200 * Simulation.MILLIS : Long.MAX_VALUE,
                world.chance(10) ? 50_000 : Long.MAX_VALUE,
                spills ? disk.nextInt(5) * Simulation.MILLIS : Long.MAX_VALUE,
                disk.nextBoolean() ? disk.nextInt(20_000) : 10_000_000,
                places,
                1 + disk.nextInt(disk.nextBoolean() ? 8 : 64));
    }

    MuxSettings server() {
        return new MuxSettings(
                "driver",
                window,
                sharedChunks,
                (long) sharedChunks * serverChunk,
                1,
                500 * Simulation.MILLIS,
                2_000 * Simulation.MILLIS,
                60_000 * Simulation.MILLIS,
                Long.MAX_VALUE,
                spillAfter,
                manyResults);
    }

    boolean spills() {
        return spillAfter < Long.MAX_VALUE;
    }

    MuxSettings client(String name) {
        return new MuxSettings(
                name,
                1,
                4,
                0,
                mostInside,
                400 * Simulation.MILLIS,
                2_000 * Simulation.MILLIS,
                60_000 * Simulation.MILLIS,
                creditPatience,
                Long.MAX_VALUE,
                manyResults);
    }
}
