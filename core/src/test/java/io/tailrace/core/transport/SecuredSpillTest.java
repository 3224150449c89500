// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static io.tailrace.core.transport.SpillFolder.AMPLE;
import static io.tailrace.core.transport.SpillFolder.task;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.PackBits;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes over a disk arrives whole under TLS, where the kernel cannot send it from a file. */
final class SecuredSpillTest {

    private static final Duration SOON = Duration.ofMillis(20);

    /** Handshakes take their time on a busy machine. */
    private static final Duration HEARTBEAT = Duration.ofSeconds(3);

    private static final int FILLINGS = 6;
    private static final int ALL = FILLINGS + 4;
    private static final long BYTES = 400_000;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @RegisterExtension
    final SpillFolder folder = new SpillFolder();

    private final Certificates certificates = new Certificates();
    private final CountDownLatch release = new CountDownLatch(1);
    private final Parts parts = new Parts(audit.seed());
    private final Arrivals fillings = new Arrivals();

    SecuredSpillTest() throws Exception {}

    @BeforeEach
    void nettyIsAudited() {
        audit.usesNettyBuffers();
    }

    @AfterEach
    void letGo() {
        release.countDown();
    }

    private void receive(ArrivingResult result) throws Exception {
        release.await();
        if (result.codecId().equals(Filling.CODEC.id())) {
            fillings.receive(result);
        } else {
            parts.receive(result);
        }
    }

    /** Both ends under TLS; the rest of their settings is what a test adds. */
    private Ends open(
            boolean compresses, Consumer<ResultServer.Builder> receiver, Consumer<ResultClient.Builder> sender)
            throws Exception {
        TransportTls driver = certificates.loopbackSide();
        TransportTls executor = certificates.clientSide();
        return Ends.of(audit, Way.SOCKET, this::receive)
                .server(server -> receiver.accept(server.tls(driver).window(4).compression(new PackBits())))
                .encoder(encoder -> encoder.compression(compresses ? new PackBits() : null))
                .client(client -> sender.accept(client.tls(executor)))
                .open();
    }

    private List<Future<?>> send(Ends ends) {
        List<Future<?>> tasks = new ArrayList<>();
        for (int number = 0; number < ALL; number++) {
            int task = number;
            tasks.add(audit.executor()
                    .submit(() -> task < FILLINGS
                            ? ends.client().send(task(task), Filling.CODEC, new Filling(task(task), BYTES + task))
                            : parts.send(ends.client(), task(task))));
        }
        return tasks;
    }

    private static void await(List<Future<?>> tasks) throws Exception {
        for (Future<?> task : tasks) {
            task.get(30, TimeUnit.SECONDS);
        }
    }

    private void assertPrivate() throws IOException {
        assertEquals("rwx------", SpillFolder.permissions(folder.path()));
        List<Path> files = folder.openFiles();
        assertFalse(files.isEmpty());
        for (Path file : files) {
            assertEquals("rw-------", SpillFolder.permissions(file));
        }
    }

    private void assertAllIsRight() {
        assertEquals(FILLINGS, fillings.whole().size());
        fillings.whole().forEach((id, bytes) -> assertEquals(BYTES + id.task(), bytes));
        assertEquals(ALL - FILLINGS, parts.whole());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatTheSenderHasSpilledArrivesWhole(boolean compresses) throws Exception {
        assumeTrue(SpillFolder.tellsOpenFiles(), "open files without a name are found there");
        try (Ends ends = open(
                compresses,
                server -> {},
                client -> client.heartbeat(HEARTBEAT).spill(folder.path(), AMPLE, SOON, audit.executor()))) {
            await(send(ends)); // a part of each is on disk
            assertEquals(0, fillings.calls());
            assertTrue(ends.client().spilledBytes() > FILLINGS * 300_000);
            assertPrivate();
            release.countDown();
            Eventually.isTrue("all came", () -> fillings.whole().size() + parts.whole() == ALL);
            assertAllIsRight();
            Eventually.settlesAt("the disk", 0, () -> ends.client().spilledBytes());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatTheReceiverHasSpilledIsReadWhole(boolean compresses) throws Exception {
        assumeTrue(SpillFolder.tellsOpenFiles(), "open files without a name are found there");
        try (Ends ends = open(
                compresses,
                server -> server.heartbeat(HEARTBEAT).spill(folder.path(), AMPLE, SOON, audit.executor()),
                client -> {})) {
            List<Future<?>> tasks = send(ends);
            Eventually.settlesAt("sender's live bytes", 0, () -> ends.sending().liveBytes());
            Eventually.isTrue("all is there", () -> ends.server().spilledBytes() > FILLINGS * 300_000);
            assertPrivate();
            release.countDown();
            await(tasks);
            assertAllIsRight();
            Eventually.settlesAt("the disk", 0, () -> ends.server().spilledBytes());
        }
    }
}
