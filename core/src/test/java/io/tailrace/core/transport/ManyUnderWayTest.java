// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** So many small results that they and their answers wait for company: which never waits for what depends on them. */
final class ManyUnderWayTest {

    private static final int RESULTS = 2_000;
    private static final int STANDS_STILL_AT = 1_000;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private static List<CompletableFuture<ResultFate>> submitAll(Ends ends, AtomicInteger answered) throws Exception {
        List<CompletableFuture<ResultFate>> fates = new ArrayList<>();
        for (int task = 0; task < RESULTS; task++) {
            ResultId id = new ResultId("job", 1, task, 0);
            CompletableFuture<ResultFate> fate = ends.client().submit(id, Filling.CODEC, new Filling(id, 8));
            fates.add(fate.whenComplete((told, thrown) -> answered.incrementAndGet()));
        }
        return fates;
    }

    private static void allAreAccepted(List<CompletableFuture<ResultFate>> fates) throws Exception {
        for (CompletableFuture<ResultFate> fate : fates) {
            assertEquals(Verdict.ACCEPTED, fate.get(20, TimeUnit.SECONDS).verdict());
        }
    }

    /** It waits for all answers but those of itself and what comes behind it. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void answersComeWhileTheNextHandlerStandsStill(Way way) throws Exception {
        AtomicInteger handled = new AtomicInteger();
        AtomicInteger answered = new AtomicInteger();
        AtomicBoolean came = new AtomicBoolean();
        CountDownLatch allCame = new CountDownLatch(1);
        ResultServer.Handler handler = result -> {
            int before = handled.getAndIncrement();
            if (before == 0) {
                assertTrue(allCame.await(20, TimeUnit.SECONDS));
            } else if (before == STANDS_STILL_AT) {
                Eventually.isTrue("those before are answered", () -> answered.get() == STANDS_STILL_AT);
                came.set(true);
            }
            result.finish();
        };
        try (Ends ends = Ends.of(audit, way, handler)
                .server(server -> server.maxDecoders(1).sharedChunks(128))
                .open()) {
            List<CompletableFuture<ResultFate>> fates = submitAll(ends, answered);
            Eventually.isTrue("all are open", () -> ends.server().openResults() == RESULTS);
            allCame.countDown();
            allAreAccepted(fates);
            assertTrue(came.get());
        }
    }

    /** No answer comes that would have the client look at what has gathered. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void resultsComeWhileNoneIsAnswered(Way way) throws Exception {
        CountDownLatch allCame = new CountDownLatch(1);
        ResultServer.Handler handler = result -> {
            assertTrue(allCame.await(20, TimeUnit.SECONDS));
            result.finish();
        };
        try (Ends ends = Ends.of(audit, way, handler)
                .server(server -> server.maxDecoders(1).sharedChunks(128))
                .open()) {
            List<CompletableFuture<ResultFate>> fates = submitAll(ends, new AtomicInteger());
            Eventually.isTrue("all are open", () -> ends.server().openResults() == RESULTS);
            allCame.countDown();
            allAreAccepted(fates);
        }
    }
}
