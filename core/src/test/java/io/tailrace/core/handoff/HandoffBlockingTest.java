// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

import static io.tailrace.core.handoff.OfferResult.ACCEPTED;
import static io.tailrace.core.handoff.OfferResult.CANCELLED;
import static io.tailrace.core.handoff.OfferResult.FULL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** A side that sleeps is woken by everything that ends its wait, and stays sound when it is interrupted. */
final class HandoffBlockingTest {
    private final List<Integer> givenBack = new CopyOnWriteArrayList<>();
    private final Handoff<Integer> handoff = new Handoff<>(2, givenBack::add);

    @Test
    void sleepingConsumerIsWokenByAnOffer() throws Exception {
        Aside<Integer> consumer = Aside.parked("consumer", handoff::take);
        assertEquals(ACCEPTED, handoff.offer(7));
        assertEquals(7, consumer.get());
    }

    @Test
    void sleepingConsumerIsWokenByFinish() throws Exception {
        Aside<Integer> consumer = Aside.parked("consumer", handoff::take);
        handoff.finish();
        assertNull(consumer.get());
    }

    @Test
    void sleepingConsumerIsWokenByFail() throws Exception {
        Aside<Integer> consumer = Aside.parked("consumer", handoff::take);
        handoff.fail(new IOException("broken"));
        assertNull(consumer.get());
    }

    @Test
    void sleepingConsumerIsWokenByCancel() throws Exception {
        Aside<Integer> consumer = Aside.parked("consumer", handoff::take);
        handoff.cancel();
        assertNull(consumer.get());
    }

    @Test
    void sleepingProducerIsWokenByThePollThatMakesRoom() throws Exception {
        Aside<Boolean> producer = sleepingProducer();
        assertEquals(0, handoff.poll());
        assertTrue(producer.get());
        assertEquals(ACCEPTED, handoff.offer(2));
        assertEquals(FULL, handoff.offer(3));
    }

    @Test
    void sleepingProducerIsWokenByCancel() throws Exception {
        Aside<Boolean> producer = sleepingProducer();
        handoff.cancel();
        assertFalse(producer.get());
        assertEquals(List.of(0, 1), givenBack);
    }

    @Test
    void sleepingProducerIsWokenByAFailingConsumer() throws Exception {
        Aside<Boolean> producer = sleepingProducer();
        handoff.fail(new IOException("peer went away"));
        assertFalse(producer.get());
        assertEquals(CANCELLED, handoff.offer(2));
        assertEquals("peer went away", handoff.failure().getMessage());
        assertEquals(List.of(0, 1), givenBack);
    }

    @Test
    void interruptedConsumerLeavesAndMayComeBack() throws Exception {
        Aside<Boolean> consumer = Aside.parked("consumer", () -> {
            assertThrows(InterruptedException.class, handoff::take);
            return Thread.currentThread().isInterrupted();
        });
        consumer.thread().interrupt();
        assertFalse(consumer.get(), "the exception stands for the flag");

        Aside<Integer> again = Aside.parked("consumer", handoff::take);
        handoff.offer(3);
        assertEquals(3, again.get());
    }

    @Test
    void interruptedProducerLeavesAndMayComeBack() throws Exception {
        fill();
        Aside<Boolean> producer = Aside.parked("producer", handoff::awaitSpace);
        producer.thread().interrupt();
        ExecutionException e = assertThrows(ExecutionException.class, producer::get);
        assertInstanceOf(InterruptedException.class, e.getCause());

        Aside<Boolean> again = Aside.parked("producer", handoff::awaitSpace);
        handoff.poll();
        assertTrue(again.get());
    }

    @Test
    void interruptBeforeTakeLeavesTheElementInside() throws Exception {
        handoff.offer(5);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, handoff::take);
        assertFalse(Thread.interrupted());
        assertEquals(5, handoff.take());

        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, handoff::awaitSpace);
        assertFalse(Thread.interrupted());

        Thread.currentThread().interrupt();
        assertEquals(ACCEPTED, handoff.offer(6), "what never blocks minds no interrupt");
        assertEquals(6, handoff.poll());
        assertTrue(Thread.interrupted());
    }

    @Test
    void unparkForNoReasonEndsNoWait() throws Exception {
        Aside<Integer> consumer = Aside.parked("consumer", handoff::take);
        for (int i = 0; i < 100; i++) {
            java.util.concurrent.locks.LockSupport.unpark(consumer.thread());
            Thread.onSpinWait();
        }
        handoff.offer(1);
        assertEquals(1, consumer.get());
    }

    @Test
    void dyingConsumerFreesTheProducerAndLosesNothing() throws Exception {
        AtomicInteger taken = new AtomicInteger();
        Aside<Void> consumer = Aside.run("consumer", () -> {
            try {
                while (handoff.take() != null) {
                    if (taken.incrementAndGet() == 1_000) {
                        throw new IOException("peer went away");
                    }
                }
            } catch (Throwable e) {
                handoff.fail(e);
                throw e;
            } finally {
                handoff.cancel();
            }
            return null;
        });
        int accepted = 0;
        OfferResult answer;
        while ((answer = handoff.offer(accepted)) != CANCELLED) {
            if (answer == ACCEPTED) {
                accepted++;
            } else if (!handoff.awaitSpace()) {
                break;
            }
        }
        assertThrows(ExecutionException.class, consumer::get);
        assertEquals(1_000, taken.get());
        assertEquals(accepted, taken.get() + givenBack.size());
        assertEquals("peer went away", handoff.failure().getMessage());
    }

    @Test
    void virtualThreadsHandOverAndSleep() throws Exception {
        int count = 20_000;
        AtomicInteger taken = new AtomicInteger();
        Thread consumer = startVirtual(() -> {
            Integer element;
            while ((element = handoff.take()) != null) {
                assertEquals(taken.getAndIncrement(), element);
            }
            return null;
        });
        Thread producer = startVirtual(() -> {
            for (int i = 0; i < count; i++) {
                while (handoff.offer(i) == FULL) {
                    handoff.awaitSpace();
                }
                if (i % 1_000 == 0) {
                    Thread.sleep(1);
                }
            }
            handoff.finish();
            return null;
        });
        producer.join(30_000);
        consumer.join(30_000);
        assertFalse(producer.isAlive() || consumer.isAlive(), "hangs");
        assertEquals(count, taken.get());
    }

    private static Thread startVirtual(java.util.concurrent.Callable<Void> work) throws ReflectiveOperationException {
        Assumptions.assumeTrue(Runtime.version().feature() >= 21, "virtual threads came with JDK 21");
        Runnable task = () -> {
            try {
                work.call();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        };
        return (Thread)
                Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, task);
    }

    private Aside<Boolean> sleepingProducer() throws InterruptedException {
        fill();
        return Aside.parked("producer", handoff::awaitSpace);
    }

    private void fill() {
        assertEquals(ACCEPTED, handoff.offer(0));
        assertEquals(ACCEPTED, handoff.offer(1));
        assertEquals(FULL, handoff.offer(2));
    }
}
