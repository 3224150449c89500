// SPDX-License-Identifier: Apache-2.0
/**
 * The bounded way of frames from the encoding thread to the sending thread, and the one class that parks a thread.
 *
 * <h2>Assumptions</h2>
 *
 * One producer, one consumer, any thread may end it. The queue inside is JCTools' single-producer single-consumer array:
 * its {@code offer} and {@code poll} are release stores into a slot followed by a release store of an index, so what was
 * written before {@code offer} is seen after {@code poll}. Nothing in them orders a store before a <em>later load</em> of
 * something else. Every question of the form "I have changed mine; has the other side changed its own?" needs that order,
 * and {@code VarHandle.fullFence()} stands there, between the change and the question, on both sides:
 *
 * <pre>
 *   who                 changes                      fence  asks
 *   offer               puts the element in            |    does the consumer sleep?  is it cancelled?
 *   poll                frees the slot, the claim      |    does the producer sleep?  is it cancelled?
 *   finish, fail,
 *   cancel              sets the end                   |    does either side sleep?   is anything inside?
 *   drain               gives up the claim             |    is anything inside?
 *   await               announces the waiter           |    is it ready?
 * </pre>
 *
 * For any two lines that meet, at least one thread sees the other's change.
 *
 * <h2>Guarantees</h2>
 *
 * <ul>
 *   <li><b>No lost wake-up.</b> From the line of {@code await} against each of the others. A thread decides to sleep only
 *       by the look that the queue's own {@code poll} and {@code offer} would take (the next slot; the consumer's index
 *       against the producer's own count), after it has announced itself; never by {@code size()}.
 *   <li><b>Taken once or given back once.</b> The queue knows one consumer, but an end must empty it from another thread.
 *       So the consuming end is claimed: by the consumer for one poll, by a thread that drains for as long as it gives
 *       back. A claim that fails is never waited for, since the holder asks again once it has given the claim up. An
 *       element that came in after the end was set is found by its own producer, which asks after the fence.
 *   <li><b>The end is an order.</b> A poll that holds the claim looks for the end first: after {@code cancel} has returned
 *       nothing more is taken.
 *   <li><b>The bound is exact</b>, whatever power of two the queue's array has: the producer compares its own count with
 *       the consumer's index, which moves only after the slot is free.
 * </ul>
 *
 * <h2>Progress</h2>
 *
 * {@code offer} and {@code poll} are wait-free while open: a fence each, and one uncontended compare-and-set per element
 * polled. {@code cancel} is lock-free up to what {@code giveBack} does.
 */
@NullMarked
package io.tailrace.core.handoff;

import org.jspecify.annotations.NullMarked;
