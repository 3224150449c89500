// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What a {@link FaultyProxy} does to one connection: nothing, and each fault that was added.
 *
 * <p>Offsets count the bytes of a direction as they were sent, whatever other faults make of them. Two plans of equal
 * faults and seed are equal, and do the same to the same bytes, but for time.
 */
public record Plan(long seed, Lane up, Lane down) {

    /** The most bytes passed on at once, and the most that a fault keeps. */
    static final int PIECE_BYTES = 64 << 10;

    private static final Plan TRANSPARENT = new Plan(0, Lane.TRANSPARENT, Lane.TRANSPARENT);

    /** How both connections are cut. */
    public enum Ending {
        /** By a reset: who reads learns that it was cut; what the proxy's kernel could not yet deliver is lost. */
        RESET,
        /** As if each peer had ended well; what still comes is swallowed for half a second, then reset. */
        FIN
    }

    /** One direction: its pace, and its faults by their offset. */
    record Lane(Pace pace, List<Fault> faults) {
        static final Lane TRANSPARENT = new Lane(new Pace(PIECE_BYTES, PIECE_BYTES, 0, 0, 0), List.of());

        Lane {
            faults = faults.stream().sorted(Comparator.comparingLong(Fault::at)).toList();
        }
    }

    /** How large pieces are, how long each waits, and how fast all may be; a rate of 0 is none. */
    record Pace(int leastPiece, int mostPiece, long leastNanos, long mostNanos, long bytesPerSecond) {}

    public static Plan transparent() {
        return TRANSPARENT;
    }

    /** Any one fault or none, in pieces and at a pace by chance, somewhere in so many bytes of each direction. */
    public static Plan random(long seed, long upBytes, long downBytes) {
        return new RandomPlan(seed, upBytes, downBytes).faulty();
    }

    /** Pieces, pace and stalls by chance, and every byte arrives. */
    public static Plan randomPace(long seed, long upBytes, long downBytes) {
        return new RandomPlan(seed, upBytes, downBytes).paced();
    }

    /** Whether all bytes arrive as they were sent, however late. */
    public boolean keepsBytes() {
        return up.faults.stream().allMatch(Fault.Stall.class::isInstance)
                && down.faults.stream().allMatch(Fault.Stall.class::isInstance);
    }

    /** What sizes and delays by chance come from. */
    public Plan seed(long newSeed) {
        return new Plan(newSeed, up, down);
    }

    /** Each piece waits that long, one behind the other. */
    public Plan delay(Direction direction, Duration each) {
        return delay(direction, each, each);
    }

    public Plan delay(Direction direction, Duration least, Duration most) {
        require(!least.isNegative() && least.compareTo(most) <= 0, "delays from " + least + " to " + most);
        Pace pace = lane(direction).pace;
        return with(
                direction,
                new Pace(pace.leastPiece, pace.mostPiece, least.toNanos(), most.toNanos(), pace.bytesPerSecond));
    }

    /** At most so many bytes at a time, of sizes by chance. */
    public Plan split(Direction direction, int least, int most) {
        require(least > 0 && least <= most && most <= PIECE_BYTES, "pieces from " + least + " to " + most);
        Pace pace = lane(direction).pace;
        return with(direction, new Pace(least, most, pace.leastNanos, pace.mostNanos, pace.bytesPerSecond));
    }

    /** So many bytes each interval. */
    public Plan trickle(Direction direction, int bytes, Duration interval) {
        return split(direction, bytes, bytes).delay(direction, interval);
    }

    public Plan bandwidth(Direction direction, long bytesPerSecond) {
        require(bytesPerSecond > 0, "a rate of " + bytesPerSecond);
        Pace pace = lane(direction).pace;
        return with(
                direction, new Pace(pace.leastPiece, pace.mostPiece, pace.leastNanos, pace.mostNanos, bytesPerSecond));
    }

    /** Turns one bit of one byte. */
    public Plan flip(Direction direction, long offset, int bit) {
        require(bit >= 0 && bit < Byte.SIZE, "bit " + bit);
        return with(direction, new Fault.Flip(offset, bit));
    }

    /** Resets both connections as soon as so many bytes of the direction were passed on. */
    public Plan cutAfter(Direction direction, long bytes) {
        return cutAfter(direction, bytes, Ending.RESET);
    }

    public Plan cutAfter(Direction direction, long bytes, Ending ending) {
        return with(direction, new Fault.Cut(bytes, ending));
    }

    /** Swallows what comes in both directions, ends of stream too, until the proxy heals; what was swallowed is lost. */
    public Plan blackholeAfter(Direction direction, long bytes) {
        return with(direction, new Fault.Blackhole(bytes));
    }

    /** Reads nothing more of the direction for so long, or until the proxy heals, and then loses nothing. */
    public Plan stallAfter(Direction direction, long bytes, Duration longest) {
        require(!longest.isNegative(), "a stall of " + longest);
        return with(direction, new Fault.Stall(bytes, longest.toNanos()));
    }

    /** Passes a range on, and then once more. */
    public Plan duplicate(Direction direction, long from, int length) {
        return with(direction, new Fault.Keep(from, length, true), new Fault.Tell(from + length));
    }

    /** Passes a range on only after the one behind it: it waits for all of that, or for the end of stream. */
    public Plan swap(Direction direction, long from, int first, int second) {
        require(second > 0, "a range of " + second);
        return with(direction, new Fault.Keep(from, first, false), new Fault.Tell(from + first + second));
    }

    Lane lane(Direction direction) {
        return direction == Direction.UP ? up : down;
    }

    private Plan with(Direction direction, Pace pace) {
        return with(direction, new Lane(pace, lane(direction).faults));
    }

    private Plan with(Direction direction, Fault... more) {
        List<Fault> faults = new ArrayList<>(lane(direction).faults);
        for (Fault fault : more) {
            require(fault.at() >= 0, "offset " + fault.at());
            if (fault instanceof Fault.Keep keep) {
                require(keep.length() > 0 && keep.length() <= PIECE_BYTES, "a range of " + keep.length());
                require(
                        faults.stream().noneMatch(Fault.Keep.class::isInstance),
                        "a direction keeps one range, to repeat it or to pass it on later");
            }
            faults.add(fault);
        }
        return with(direction, new Lane(lane(direction).pace, faults));
    }

    private Plan with(Direction direction, Lane lane) {
        return direction == Direction.UP ? new Plan(seed, lane, down) : new Plan(seed, up, lane);
    }

    private static void require(boolean condition, String what) {
        if (!condition) {
            throw new IllegalArgumentException(what);
        }
    }
}
