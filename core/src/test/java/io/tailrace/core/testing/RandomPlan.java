// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.testing.Plan.Ending;
import java.time.Duration;
import java.util.SplittableRandom;

/** Makes a plan by chance; the bytes that are expected of each direction take some tenths of a second at most. */
final class RandomPlan {

    /** Pieces by chance are up to this at least, so that more bytes than expected are slow but not endless. */
    private static final int LEAST_PIECES = 256;

    private final long seed;
    private final SplittableRandom dice;
    private final long upBytes;
    private final long downBytes;

    RandomPlan(long seed, long upBytes, long downBytes) {
        this.seed = seed;
        this.dice = new SplittableRandom(seed);
        this.upBytes = Math.max(1, upBytes);
        this.downBytes = Math.max(1, downBytes);
    }

    Plan paced() {
        Plan plan = pace(pace(Plan.transparent().seed(seed), Direction.UP), Direction.DOWN);
        if (dice.nextInt(4) == 0) {
            Direction direction = direction();
            plan = plan.stallAfter(direction, offset(direction), Duration.ofMillis(dice.nextInt(1, 50)));
        }
        return plan;
    }

    Plan faulty() {
        Plan plan = paced();
        Direction direction = direction();
        long at = offset(direction);
        return switch (dice.nextInt(7)) {
            case 0 -> plan.flip(direction, at, dice.nextInt(Byte.SIZE));
            case 1 -> plan.cutAfter(direction, at, Ending.RESET);
            case 2 -> plan.cutAfter(direction, at, Ending.FIN);
            case 3 -> plan.blackholeAfter(direction, at);
            case 4 -> plan.duplicate(direction, at, range());
            case 5 -> plan.swap(direction, at, range(), range());
            default -> plan;
        };
    }

    private Plan pace(Plan plan, Direction direction) {
        long bytes = bytes(direction);
        int some = (int) Math.min(Plan.PIECE_BYTES, Math.max(LEAST_PIECES, bytes / 16));
        return switch (dice.nextInt(5)) {
            case 0 -> plan.split(direction, 1, some);
            case 1 -> plan.split(direction, 1, some).delay(direction, Duration.ZERO, Duration.ofMillis(1));
            case 2 -> plan.trickle(direction, some / 8, Duration.ofNanos(dice.nextInt(1_000_000)));
            case 3 -> plan.bandwidth(direction, some * dice.nextLong(64, 512));
            default -> plan;
        };
    }

    private Direction direction() {
        return dice.nextBoolean() ? Direction.UP : Direction.DOWN;
    }

    private long bytes(Direction direction) {
        return direction == Direction.UP ? upBytes : downBytes;
    }

    /** Anywhere, or as often near the start, where a connection agrees on what follows. */
    private long offset(Direction direction) {
        long bytes = bytes(direction);
        if (dice.nextBoolean()) {
            return dice.nextLong(bytes);
        }
        int bits = Long.SIZE - Long.numberOfLeadingZeros(bytes);
        return dice.nextLong(Math.min(bytes, 1L << dice.nextInt(bits)));
    }

    private int range() {
        return dice.nextInt(1, 1 << dice.nextInt(1, 11));
    }
}
