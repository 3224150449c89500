// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The audit sees what it is there to see. */
class LeakAuditTest {

    private final LeakAudit audited = new LeakAudit(Duration.ofMillis(100));

    private interface Scenario {
        void run() throws Exception;
    }

    /** What the audit found after a test that did this. */
    private String found(Scenario scenario) throws Exception {
        ExtensionContext context = context();
        audited.beforeEach(context);
        scenario.run();
        return assertThrows(AssertionError.class, () -> audited.afterEach(context))
                .getMessage();
    }

    private static ExtensionContext context() {
        InvocationHandler handler = (proxy, method, arguments) -> switch (method.getName()) {
            case "getRequiredTestClass" -> LeakAuditTest.class;
            case "getRequiredTestMethod" -> LeakAuditTest.class.getDeclaredMethod("nothingIsFoundWhereNothingIs");
            case "getDisplayName" -> "audited";
            case "getExecutionException" -> Optional.empty();
            default -> throw new UnsupportedOperationException(method.getName());
        };
        return (ExtensionContext) Proxy.newProxyInstance(
                LeakAuditTest.class.getClassLoader(), new Class<?>[] {ExtensionContext.class}, handler);
    }

    @Test
    void nothingIsFoundWhereNothingIs() {
        audited.beforeEach(context());
        audited.pool(512, 512);
        audited.usesNettyBuffers();
        UnpooledByteBufAllocator.DEFAULT.directBuffer(16).release();
        assertDoesNotThrow(() -> audited.afterEach(context()));
    }

    @Test
    void threadOfAnyNameThatOutlivesItsTestIsFound() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        Thread thread = new Thread(() -> assertDoesNotThrow(() -> end.await()), "pool-7-thread-1");
        try {
            String found = found(thread::start);
            assertTrue(found.contains("still runs: pool-7-thread-1\n    at "), found);
        } finally {
            end.countDown();
            thread.join();
        }
    }

    @Test
    void chunkThatIsOutIsFound() throws Exception {
        ChunkPool pool = audited.pool(512, 1024);
        ChunkWindow window = pool.open("holder", 2, 1);
        Chunk chunk = window.acquire();
        String found = found(() -> {});
        chunk.release();
        window.close();
        assertTrue(found.contains("512 bytes are live"), found);
    }

    @Test
    void reserveThatIsKeptIsFound() throws Exception {
        ChunkPool pool = audited.pool(512, 1024);
        ChunkWindow window = pool.open("holder", 2, 1);
        String found = found(() -> {});
        window.close();
        assertTrue(found.contains("a reserve was not given back"), found);
    }

    @Test
    void lineThatIsLoggedIsFound() throws Exception {
        Logger logger = Logger.getLogger("io.tailrace.core.Some");
        String found = found(() -> {
            Logger.getLogger("io.tailrace").setUseParentHandlers(false); // lest the console shows it
            logger.log(Level.WARNING, "odd");
        });
        assertTrue(found.contains("logged: WARNING io.tailrace.core.Some: odd"), found);
    }

    @Test
    void lostNettyBufferIsFound() throws Exception {
        audited.usesNettyBuffers();
        Logger detectors = Logger.getLogger(ResourceLeakDetector.class.getName());
        detectors.setUseParentHandlers(false); // lest the console shows it
        String found = found(LeakAuditTest::lose);
        detectors.setUseParentHandlers(true);
        assertTrue(found.contains("leaked: "), found);
    }

    private static void lose() throws IOException {
        if (UnpooledByteBufAllocator.DEFAULT.directBuffer(16).refCnt() != 1) {
            throw new IOException("gone already");
        }
    }
}
