// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

import static io.tailrace.core.handoff.OfferResult.ACCEPTED;
import static io.tailrace.core.handoff.OfferResult.CANCELLED;
import static io.tailrace.core.handoff.OfferResult.FULL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The hand-off's table: every call in every state, on one thread. */
final class HandoffTest {
    private final List<Integer> givenBack = new ArrayList<>();

    @Test
    void elementsComeOutInOrder() throws InterruptedException {
        Handoff<Integer> handoff = new Handoff<>(3, givenBack::add);
        assertNull(handoff.poll());
        fill(handoff, 3);
        assertEquals(0, handoff.poll());
        assertEquals(1, handoff.take());
        assertEquals(2, handoff.poll());
        assertNull(handoff.poll());
        assertEquals(List.of(), givenBack);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65})
    void capacityIsExactAndRoomIsOneForOne(int capacity) throws InterruptedException {
        Handoff<Integer> handoff = new Handoff<>(capacity, givenBack::add);
        fill(handoff, capacity);
        for (int i = capacity; i < 5 * capacity + 3; i++) {
            assertEquals(FULL, handoff.offer(i));
            assertEquals(capacity, handoff.held());
            assertEquals(i - capacity, handoff.poll());
            assertTrue(handoff.awaitSpace());
            assertEquals(ACCEPTED, handoff.offer(i));
        }
        assertEquals(FULL, handoff.offer(-1));
        assertEquals(capacity, handoff.capacity());
    }

    @Test
    void finishEndsAfterTheLastElement() throws InterruptedException {
        Handoff<Integer> handoff = new Handoff<>(4, givenBack::add);
        fill(handoff, 2);
        handoff.finish();
        handoff.finish();
        assertTrue(handoff.finished());
        assertFalse(handoff.cancelled());
        assertEquals(0, handoff.take());
        assertEquals(1, handoff.take());
        assertNull(handoff.take());
        assertNull(handoff.take());
        assertNull(handoff.failure());
        assertEquals(List.of(), givenBack);
    }

    @Test
    void offerAfterFinishIsAnErrorOfTheCaller() {
        Handoff<Integer> handoff = new Handoff<>(4, givenBack::add);
        handoff.finish();
        assertThrows(IllegalStateException.class, () -> handoff.offer(1));
        handoff.cancel();
        assertEquals(CANCELLED, handoff.offer(1));
        assertEquals(List.of(), givenBack);
    }

    /** The ways to end before everything has been taken. */
    enum Breaking {
        CANCEL,
        FAIL,
        CANCEL_TWICE,
        FINISH_THEN_CANCEL,
        FINISH_THEN_FAIL,
        CANCEL_THEN_FINISH;

        void act(Handoff<?> handoff) {
            switch (this) {
                case CANCEL -> handoff.cancel();
                case FAIL -> handoff.fail(new IOException("broken"));
                case CANCEL_TWICE -> {
                    handoff.cancel();
                    handoff.cancel();
                }
                case FINISH_THEN_CANCEL -> {
                    handoff.finish();
                    handoff.cancel();
                }
                case FINISH_THEN_FAIL -> {
                    handoff.finish();
                    handoff.fail(new IOException("broken"));
                }
                case CANCEL_THEN_FINISH -> {
                    handoff.cancel();
                    handoff.finish();
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Breaking.class)
    void cancelAtEveryPositionGivesBackExactlyTheRest(Breaking breaking) throws InterruptedException {
        int capacity = 5;
        for (int offered = 0; offered <= 3 * capacity; offered++) {
            for (int taken = Math.max(0, offered - capacity); taken <= offered; taken++) {
                givenBack.clear();
                Handoff<Integer> handoff = new Handoff<>(capacity, givenBack::add);
                for (int i = 0, out = 0; i < offered; i++) {
                    if (handoff.offer(i) == FULL) {
                        assertEquals(out++, handoff.poll());
                        assertEquals(ACCEPTED, handoff.offer(i));
                    }
                }
                while (handoff.held() > offered - taken) {
                    handoff.take();
                }
                breaking.act(handoff);
                assertEquals(IntStream.range(taken, offered).boxed().toList(), givenBack);
                assertEnded(handoff);
            }
        }
    }

    private void assertEnded(Handoff<Integer> handoff) throws InterruptedException {
        int before = givenBack.size();
        assertTrue(handoff.cancelled());
        assertFalse(handoff.finished());
        assertEquals(0, handoff.held());
        assertNull(handoff.poll());
        assertNull(handoff.take());
        assertEquals(CANCELLED, handoff.offer(99));
        assertFalse(handoff.awaitSpace());
        assertEquals(before, givenBack.size());
    }

    @Test
    void firstCauseStays() {
        IOException first = new IOException("first");
        Handoff<Integer> failed = new Handoff<>(1, givenBack::add);
        failed.fail(first);
        failed.fail(new IOException("second"));
        failed.cancel();
        assertSame(first, failed.failure());

        Handoff<Integer> cancelled = new Handoff<>(1, givenBack::add);
        cancelled.cancel();
        cancelled.fail(first);
        assertNull(cancelled.failure());

        Handoff<Integer> finished = new Handoff<>(1, givenBack::add);
        finished.finish();
        finished.fail(first);
        assertSame(first, finished.failure());
    }

    @Test
    void giveBackThatThrowsStopsNeitherTheRestNorTheCaller() {
        IllegalStateException thrown = new IllegalStateException("at 1");
        Handoff<Integer> cancelled = new Handoff<>(4, i -> giveBackFailingAtOne(i, thrown));
        fill(cancelled, 4);
        cancelled.cancel();
        assertEquals(List.of(0, 1, 2, 3), givenBack);
        assertSame(thrown, cancelled.failure());

        IOException cause = new IOException("broken");
        Handoff<Integer> failed = new Handoff<>(4, i -> giveBackFailingAtOne(i, thrown));
        fill(failed, 4);
        failed.fail(cause);
        assertEquals(8, givenBack.size());
        assertSame(cause, failed.failure());
        assertSame(thrown, cause.getSuppressed()[0]);

        Handoff<Integer> sameAgain = new Handoff<>(4, i -> giveBackFailingAtOne(i, thrown));
        fill(sameAgain, 4);
        sameAgain.fail(thrown);
        assertSame(thrown, sameAgain.failure());
        assertEquals(0, thrown.getSuppressed().length);
    }

    private void giveBackFailingAtOne(int element, RuntimeException failure) {
        givenBack.add(element);
        if (element == 1) {
            throw failure;
        }
    }

    @Test
    void giveBackMayCallTheHandoffAgain() {
        List<Handoff<Integer>> self = new ArrayList<>();
        Handoff<Integer> handoff = new Handoff<>(4, i -> {
            givenBack.add(i);
            self.get(0).cancel();
            assertNull(self.get(0).poll());
            assertEquals(CANCELLED, self.get(0).offer(i));
        });
        self.add(handoff);
        fill(handoff, 4);
        handoff.cancel();
        assertEquals(List.of(0, 1, 2, 3), givenBack);
        assertNull(handoff.failure());
    }

    @Test
    void senselessArgumentsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Handoff<Integer>(0, givenBack::add));
        assertThrows(NullPointerException.class, () -> new Handoff<Integer>(1, null));
        Handoff<Integer> handoff = new Handoff<>(1, givenBack::add);
        assertThrows(NullPointerException.class, () -> handoff.offer(null));
        assertThrows(NullPointerException.class, () -> handoff.fail(null));
        assertFalse(handoff.cancelled());
        assertEquals(0, handoff.held());
    }

    private static void fill(Handoff<Integer> handoff, int count) {
        for (int i = 0; i < count; i++) {
            assertEquals(ACCEPTED, handoff.offer(i));
        }
    }
}
