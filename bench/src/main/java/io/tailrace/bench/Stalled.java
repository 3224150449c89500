// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.core.transport.ArrivingResult;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Results whose handlers read one chunk and then stand still, until this is closed.
 *
 * <p><b>Threads.</b> Each has one that sends and one that handles; neither goes on.
 */
final class Stalled implements AutoCloseable {

    private static final long STAGE = 2;
    private static final long PATIENCE_SECONDS = 30;

    private final int count;
    private final CountDownLatch begun;
    private final CountDownLatch released = new CountDownLatch(1);
    private final ExecutorService senders = Executors.newCachedThreadPool();

    Stalled(int count) {
        this.count = count;
        this.begun = new CountDownLatch(count);
    }

    static boolean is(ArrivingResult result) {
        return result.id().stage() == STAGE;
    }

    /** Sends them, and waits until nothing moves any more. */
    void begin(MuxPair over, BigResult<?> each) throws InterruptedException {
        over.stalling(this);
        for (int i = 0; i < count; i++) {
            ResultId id = new ResultId("bench", STAGE, i, 0);
            senders.execute(() -> send(over, id, each));
        }
        if (!begun.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException(begun.getCount() + " of " + count + " did not begin");
        }
        long live = -1;
        while (live != over.liveBytes()) {
            live = over.liveBytes();
            TimeUnit.MILLISECONDS.sleep(200);
        }
    }

    private static <E> void send(MuxPair over, ResultId id, BigResult<E> result) {
        try {
            over.submit(id, result.codec(), result.source()).join();
        } catch (ResultException e) {
            // refused, as is meant
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    void receive(ArrivingResult result) throws IOException, InterruptedException {
        WireInput payload = result.payload();
        if (payload.exhausted()) {
            throw new IOException("an empty result");
        }
        payload.commit(payload.limit());
        begun.countDown();
        released.await();
        // It is refused, and the rest of it need not come.
        throw new IOException("it stood still long enough");
    }

    @Override
    public void close() {
        released.countDown();
        senders.shutdown();
        Ending.await("senders", senders::awaitTermination);
    }
}
