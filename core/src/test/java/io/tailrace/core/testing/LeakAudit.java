// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import io.tailrace.core.chunk.ChunkPool;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The audit after a test: no chunk out, no reserve kept, no thread alive that was not there before, no Netty buffer lost,
 * nothing logged that was not expected.
 *
 * <p>Registered by a test class as an instance field, so that each test has an audit of its own; a class without the field
 * has its tests audited all the same ({@link LeakAuditEverywhere}):
 *
 * <pre>{@code
 * @RegisterExtension
 * final LeakAudit audit = new LeakAudit();
 * }</pre>
 *
 * <p><b>Threads.</b> Any thread of a test asks for pools, cases and the seed; JUnit's thread audits.
 */
public final class LeakAudit implements BeforeEachCallback, AfterEachCallback {

    /** Whether the proofs run at their full size: {@code -Dtailrace.proof=full}. */
    public static final boolean FULL = "full".equals(System.getProperty("tailrace.proof"));

    /** Threads of the harness and of the JDK's and Netty's own executors, which come and go as they like. */
    private static final List<String> NOT_OURS =
            List.of("junit-", "surefire-", "ForkJoinPool.commonPool-", "globalEventExecutor-", "JFR ");

    private static final AtomicInteger THREADS = new AtomicInteger();

    /** Held here, because the logging framework holds its loggers weakly. */
    private static final Logger OURS = Logger.getLogger("io.tailrace");

    private static final Logger NETTY_LEAKS = Logger.getLogger(ResourceLeakDetector.class.getName());

    private final long seed = Long.getLong("tailrace.seed", new Random().nextLong());
    private final List<ChunkPool> pools = new CopyOnWriteArrayList<>();
    private final Recorder ours = new Recorder();
    private final Recorder nettyLeaks = new Recorder();
    private volatile boolean seedUsed;
    private volatile boolean warningsExpected;
    private volatile boolean nettyUsed;
    private final Duration patience;
    private String test = "";
    private Set<Thread> threadsBefore = Set.of();
    private ExecutorService executor;
    private ResourceLeakDetector.Level levelBefore;

    public LeakAudit() {
        this(Duration.ofSeconds(10));
    }

    /** One that waits that long for threads to end. */
    LeakAudit(Duration patience) {
        this.patience = patience;
    }

    /** Builds a pool that must be whole again after the test. */
    public ChunkPool pool(ChunkPool.Builder builder) {
        ChunkPool pool = builder.build();
        pools.add(pool);
        return pool;
    }

    public ChunkPool pool(int chunkBytes, long budgetBytes) {
        return pool(ChunkPool.builder().chunkBytes(chunkBytes).budgetBytes(budgetBytes));
    }

    /** A thread for each task; all must have ended soon after the test. */
    public synchronized ExecutorService executor() {
        if (executor == null) {
            executor = Executors.newCachedThreadPool(task -> {
                Thread thread = new Thread(task, "tailrace-test-" + THREADS.incrementAndGet());
                thread.setDaemon(true);
                return thread;
            });
        }
        return executor;
    }

    /** The test's seed, told when it fails; {@code -Dtailrace.seed=…} repeats it. */
    public long seed() {
        seedUsed = true;
        return seed;
    }

    public Random random() {
        return new Random(seed());
    }

    /** Warnings and errors of ours are part of this test. */
    public void expectWarnings() {
        warningsExpected = true;
        OURS.setUseParentHandlers(false); // the console is for the unexpected ones
    }

    /** What was logged at WARNING or above so far. */
    public List<String> warnings() {
        return ours.lines();
    }

    /** Netty buffers that its leak detector tracks are used: the collector runs after the test, so that it can tell. */
    public void usesNettyBuffers() {
        nettyUsed = true;
    }

    /** Prints how many cases a loop ran. */
    public void cases(long n) {
        System.out.println(test + ": " + n + " cases");
    }

    /** Prints a figure that this test measured. */
    public void figure(String text) {
        System.out.println(test + ": " + text);
    }

    /** Fails unless every pool is whole now: for the end of each round of a loop. */
    public void requireWhole() {
        List<String> problems = new ArrayList<>();
        auditPools(problems, false);
        failWith(problems);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        test = context.getRequiredTestClass().getSimpleName() + "."
                + context.getRequiredTestMethod().getName();
        if (!context.getDisplayName().startsWith(context.getRequiredTestMethod().getName())) {
            test += " " + context.getDisplayName();
        }
        threadsBefore = threads();
        levelBefore = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        OURS.addHandler(ours);
        NETTY_LEAKS.addHandler(nettyLeaks);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        List<String> problems = new ArrayList<>();
        try {
            auditThreads(problems);
            auditPools(problems, true);
            provokeNettyReports();
        } finally {
            OURS.removeHandler(ours);
            OURS.setUseParentHandlers(true);
            NETTY_LEAKS.removeHandler(nettyLeaks);
            ResourceLeakDetector.setLevel(levelBefore);
        }
        if (!warningsExpected) {
            ours.lines().forEach(line -> problems.add("logged: " + line));
        }
        nettyLeaks.lines().forEach(line -> problems.add("leaked: " + line));
        if (seedUsed && (!problems.isEmpty() || context.getExecutionException().isPresent())) {
            System.out.println(test + " failed; repeat with -Dtailrace.seed=" + seed);
        }
        failWith(problems);
    }

    private void auditThreads(List<String> problems) {
        if (executor != null) {
            executor.shutdown();
        }
        long deadline = System.nanoTime() + patience.toNanos();
        Set<Thread> alive = newThreads();
        while (!alive.isEmpty() && System.nanoTime() < deadline) {
            pause();
            alive = newThreads();
        }
        for (Thread thread : alive) {
            problems.add("still runs: " + thread.getName() + stack(thread));
        }
        if (executor != null) {
            executor.shutdownNow(); // so that it does not disturb the next test
        }
    }

    private void auditPools(List<String> problems, boolean close) {
        for (ChunkPool pool : pools) {
            if (pool.liveBytes() != 0) {
                problems.add(pool.liveBytes() + " bytes are live:\n" + pool.report());
            } else if (pool.freeBytes() != pool.budgetBytes()) {
                problems.add("of a budget of " + pool.budgetBytes() + " bytes only " + pool.freeBytes()
                        + " are free, and none is live: a reserve was not given back");
            }
            if (pool.waiting() != 0) {
                problems.add(pool.waiting() + " still wait for the budget");
            }
            if (close) {
                closed(pool, problems);
            }
        }
    }

    private static void closed(ChunkPool pool, List<String> problems) {
        try {
            pool.close();
        } catch (IllegalStateException e) {
            problems.add(e.getMessage());
        }
    }

    private void provokeNettyReports() {
        // The detector reports what was collected when it tracks the next buffer; a heap buffer it does not track.
        for (int i = 0; nettyUsed && i < 3; i++) {
            System.gc();
            pause();
            UnpooledByteBufAllocator.DEFAULT.directBuffer(16).release();
        }
    }

    private void failWith(List<String> problems) {
        if (!problems.isEmpty()) {
            throw new AssertionError("the audit of " + test + " found:\n" + String.join("\n", problems));
        }
    }

    private Set<Thread> newThreads() {
        Set<Thread> alive = threads();
        alive.removeAll(threadsBefore);
        alive.removeIf(thread -> NOT_OURS.stream().anyMatch(thread.getName()::startsWith));
        return alive;
    }

    /** All threads of JUnit's group, in which those of the JVM itself are not, nor virtual ones. */
    private static Set<Thread> threads() {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        Thread[] found = new Thread[group.activeCount() + 16];
        int n = group.enumerate(found);
        while (n == found.length) { // perhaps there were more
            found = new Thread[2 * n];
            n = group.enumerate(found);
        }
        return new HashSet<>(Arrays.asList(found).subList(0, n));
    }

    private static String stack(Thread thread) {
        StringBuilder text = new StringBuilder();
        Arrays.stream(thread.getStackTrace())
                .limit(20)
                .forEach(at -> text.append("\n    at ").append(at));
        return text.toString();
    }

    private static void pause() {
        try {
            Thread.sleep(5);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Keeps what is logged at WARNING or above. */
    private static final class Recorder extends Handler {
        private final ConcurrentLinkedQueue<String> records = new ConcurrentLinkedQueue<>();

        @Override
        public void publish(LogRecord record) {
            if (record.getLevel().intValue() >= Level.WARNING.intValue()) {
                Throwable thrown = record.getThrown();
                records.add(record.getLevel() + " " + record.getLoggerName() + ": " + record.getMessage() + " "
                        + Arrays.toString(record.getParameters()) + (thrown == null ? "" : " " + thrown));
            }
        }

        List<String> lines() {
            return List.copyOf(records);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
