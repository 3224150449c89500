// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

/**
 * What a result waits for, on its sender's side or on its receiver's; this is where each cause is defined. Times are nanoseconds of
 * wall clock, counted when a wait has ended.
 *
 * <p>{@link #ADMISSION}, {@link #POOL} and {@link #WINDOW} are the encoding thread's time. {@link #CREDIT}, {@link #LINK} and
 * {@link #ACKNOWLEDGEMENT} are the time of the frames that it has written: a result is in one of them at a time, or in none while
 * it has nothing to send. The two kinds overlap: a window is full because of where the frames are. {@link #DISK} is beside both.
 *
 * <p>Small results that share chunks ({@link ResultClient#submit}) know of {@link #WINDOW} and {@link #ACKNOWLEDGEMENT} alone, as
 * long as credit lasts: they are sent in one with others. Where many are under way they wait for those, which no cause tells.
 */
public enum StallCause {

    /** Sender: before the result was opened, until there was a connection. */
    ADMISSION,

    /** Sender: the encoding thread had used what the process's budget has for it, its result's reserve included. */
    POOL,

    /**
     * Sender: all chunks of the result's window were out, or, for a small result, all chunks that small results share. Who waits
     * there behind another small result is not counted.
     */
    WINDOW,

    /** Sender: frames were ready, and the receiver had given no credit for the next one. It reads slowly, or not yet. */
    CREDIT,

    /**
     * Sender: frames were ready and had credit, as far as was known, or were with Netty. It was other results' turn, as much was
     * inside Netty as may be, or the socket took no more.
     */
    LINK,

    /** Sender: frames were being written to the spill file, by the spilling task first, by the sending thread then. */
    DISK,

    /** Sender: all frames were out, and the receiver had not said what became of the result. Its handler may still be at work. */
    ACKNOWLEDGEMENT,

    /** Receiver: it was let in, and no decoding thread was free for it. */
    DECODER,

    /** Receiver: its decoding thread had read all that had come. The sender encodes slowly, or the network is slow. */
    BYTES
}
