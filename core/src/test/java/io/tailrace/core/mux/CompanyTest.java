// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where many results are under way, small ones and answers go together; where few are, they do not wait for company. */
final class CompanyTest {

    private static final int MANY = MuxSettings.MANY_RESULTS;
    private static final ResultFate ACCEPTED = new ResultFate(Verdict.ACCEPTED, "", false);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private OneEnd server() {
        return OneEnd.server(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK));
    }

    private static List<Arriving> arrive(OneEnd server, int results) {
        server.admit();
        for (int stream = 1; stream <= results; stream++) {
            server.tell(FrameBytes.multiplexed().nextStreamId(stream).open().end());
            server.decodeSome();
            server.decoding.keySet().forEach(Arriving::giveBack); // so that there is credit for the next
            server.runTasks();
        }
        server.runTasks();
        server.link.said.clear();
        return new ArrayList<>(server.decoding.keySet());
    }

    @Test
    void answersOfManyResultsGoTogether() {
        try (OneEnd server = server()) {
            List<Arriving> results = arrive(server, MANY + 51);
            results.get(0).settleAmongMany(ACCEPTED);
            assertEquals(1, server.tasks.size(), "the loop is woken for the first");
            server.runTasks();
            assertEquals(1, server.laterTasks.size(), "the loop looks again by itself");
            results.subList(1, 51).forEach(result -> result.settleAmongMany(ACCEPTED));
            assertEquals(0, server.tasks.size(), "woken for those that have company");
            server.runLaterTasks();
            assertEquals(List.of("FATE", "FATE"), server.link.said);
            assertEquals(51, server.link.fates.size());
        }
    }

    @Test
    void answerOfAnotherKindTakesAllWithItAtOnce() {
        try (OneEnd server = server()) {
            List<Arriving> results = arrive(server, MANY + 51);
            results.get(0).settleAmongMany(ACCEPTED);
            server.runTasks();
            results.subList(1, 50).forEach(result -> result.settleAmongMany(ACCEPTED));
            results.get(50).settle(ACCEPTED, null);
            server.runTasks();
            assertEquals(51, server.link.fates.size());
            server.runLaterTasks();
            assertEquals(51, server.link.fates.size());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, MANY})
    void answersOfFewResultsDoNotWait(int few) {
        try (OneEnd server = server()) {
            List<Arriving> results = arrive(server, few);
            for (int i = 0; i < few; i++) {
                results.get(i).settleAmongMany(ACCEPTED);
                server.runTasks();
                assertEquals(i + 1, server.link.fates.size());
            }
            assertEquals(0, server.laterTasks.size());
        }
    }

    /** The loop sleeps when there is nothing more to say. */
    @Test
    void loopDoesNotLookAgainForEver() {
        try (OneEnd server = server()) {
            List<Arriving> results = arrive(server, 2 * MANY);
            results.get(0).settleAmongMany(ACCEPTED);
            server.runTasks();
            Runnable look = server.laterTasks.remove();
            look.run();
            assertEquals(0, server.tasks.size() + server.laterTasks.size());
            results.get(1).settleAmongMany(ACCEPTED);
            assertEquals(1, server.tasks.size(), "the loop is woken again");
            server.runTasks();
            assertEquals(2, server.link.fates.size());
        }
    }

    /** Not whole, they are not what is in front of another one. */
    @Test
    void resultsOfWhichMoreIsToComeDoNotCount() {
        try (OneEnd server = server()) {
            server.admit();
            for (int stream = 1; stream <= 2 * MANY; stream++) {
                server.tell(FrameBytes.multiplexed().nextStreamId(stream).open());
            }
            server.runTasks();
            new ArrayList<>(server.decoding.keySet()).get(0).settleAmongMany(ACCEPTED);
            server.runTasks();
            assertEquals(0, server.laterTasks.size());
        }
    }

    @Test
    void answersThatWaitAreToldBeforeTheFarewell() {
        try (OneEnd server = server()) {
            List<Arriving> results = arrive(server, MANY + 51);
            results.get(0).settleAmongMany(ACCEPTED);
            server.runTasks();
            results.subList(1, 51).forEach(result -> result.settleAmongMany(ACCEPTED));
            server.connection.close(ByeReason.DONE, "");
            assertEquals(List.of("FATE", "FATE", "BYE"), server.link.said);
            assertEquals(51, server.link.fates.size());
            server.runLaterTasks();
            assertEquals(3, server.link.said.size());
        }
    }

    /** The loop may end, and forget what it meant to do later. */
    @Test
    void whatWaitsIsLookedAtWhenTheConnectionIsLost() throws IOException {
        try (OneEnd server = server();
                OneEnd client = OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK))) {
            List<Arriving> results = arrive(server, MANY + 2);
            results.get(0).settleAmongMany(ACCEPTED);
            server.runTasks();
            results.get(1).settleAmongMany(ACCEPTED);
            assertEquals(0, server.tasks.size());
            server.connection.lost(null);
            assertEquals(1, server.tasks.size());

            begin(client);
            client.sendWhole(8);
            client.connection.lost(null);
            assertEquals(Verdict.LOST, client.lastFate.getNow(ACCEPTED).verdict());
        }
    }

    /** So many small results are under way that the next one waits. */
    private static void begin(OneEnd client) throws IOException {
        client.admit();
        client.tell(OneEnd.frame(into -> Tapped.credit(into, 0, 1_024L * OneEnd.CHUNK)));
        for (int i = 0; i < MANY; i++) {
            client.sendWhole(8);
            client.runTasks();
            client.connection.written();
        }
        assertEquals(1, client.laterTasks.size());
    }

    @Test
    void clientsLoopDoesNotLookAgainForEver() throws IOException {
        try (OneEnd client = OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK))) {
            begin(client);
            Runnable look = client.laterTasks.remove();
            look.run();
            assertEquals(0, client.tasks.size() + client.laterTasks.size());
        }
    }

    @Test
    void smallResultsGoAtOnceUntilManyAreUnderWay() throws IOException {
        try (OneEnd client = OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK))) {
            client.admit();
            client.tell(OneEnd.frame(into -> Tapped.credit(into, 0, 1_024L * OneEnd.CHUNK)));
            for (int i = 0; i < MANY; i++) {
                client.sendWhole(8);
                assertTrue(client.tasks.size() > 0, "the loop is woken");
                int before = client.link.departures;
                client.runTasks();
                assertEquals(before + 1, client.link.departures);
                client.connection.written();
            }
            assertEquals(1, client.laterTasks.size());
            int before = client.link.departures;
            client.sendWhole(8);
            client.sendWhole(8);
            assertEquals(0, client.tasks.size(), "woken for those that have company");
            client.runLaterTasks();
            assertEquals(before + 1, client.link.departures, "both in one");
        }
    }

    @Test
    void fullChunkGoesAtOnce() throws IOException {
        try (OneEnd client = OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK))) {
            begin(client);
            client.sendWhole(200);
            assertEquals(0, client.tasks.size());
            client.sendWhole(200);
            assertTrue(client.tasks.size() > 0, "the loop is woken for the full one");
        }
    }

    @Test
    void whatIsNotFullStaysWhenSomethingElseIsWritten() throws IOException {
        try (OneEnd client = OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK))) {
            begin(client);
            client.sendWhole(8);
            int before = client.link.departures;
            client.connection.written();
            assertEquals(before, client.link.departures);
            client.runLaterTasks();
            assertEquals(before + 1, client.link.departures);
        }
    }

    /** Two results in one chunk, for which there is no credit but for what needs none. */
    private static OneEnd held(OneEnd client) throws IOException {
        client.admit();
        client.sendWhole(8);
        client.sendWhole(8);
        client.runTasks();
        assertEquals(1, client.link.departures, "the first opening");
        assertEquals(0, backlogs(client));
        return client;
    }

    private static long backlogs(OneEnd client) {
        return client.link.said.stream().filter("BACKLOG"::equals).count();
    }

    @Test
    void gatheredResultsGoTogetherWhenCreditComes() throws IOException {
        try (OneEnd client = held(OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK)))) {
            assertTrue(client.connection.tally().backlog.sum() > 0);
            client.tell(OneEnd.frame(into -> Tapped.credit(into, 0, 4L * OneEnd.CHUNK)));
            assertEquals(2, client.link.departures);
            assertEquals(0, client.connection.tally().backlog.sum());
            client.now += 10_000_000;
            client.runLaterTasks();
            assertEquals(0, backlogs(client));
            assertEquals(0, client.laterTasks.size());
        }
    }

    @Test
    void gatheredResultsGoOnByThemselvesWhereNoCreditComes() throws IOException {
        try (OneEnd client = held(OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK)))) {
            client.laterTasks.remove().run();
            assertEquals(0, backlogs(client));
            client.now += 6_000_000;
            client.laterTasks.remove().run();
            assertEquals(2, backlogs(client));
            assertEquals(0, client.laterTasks.size());
            client.sendWhole(8);
            client.runTasks();
            assertEquals(3, backlogs(client), "those behind do not wait in vain, too");
            client.tell(OneEnd.frame(into -> Tapped.credit(into, 0, 4L * OneEnd.CHUNK)));
            assertEquals(0, client.connection.tally().backlog.sum());
        }
    }

    @Test
    void gatheredResultsWaitAgainWhenCreditHasComeAtLast() throws IOException {
        try (OneEnd client = held(OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK)))) {
            client.now += 6_000_000;
            client.laterTasks.remove().run();
            assertEquals(2, backlogs(client));
            client.tell(OneEnd.frame(into -> Tapped.credit(into, 0, OneEnd.CHUNK)));
            client.sendWhole(170); // leaves next to none of it
            client.runTasks();
            assertEquals(0, client.connection.tally().backlog.sum());
            while (client.connection.sender().bytesInside() > 0) {
                client.connection.written();
            }
            client.sendWhole(60);
            client.sendWhole(8);
            client.runTasks();
            assertEquals(
                    List.of("OPEN"), client.link.sent.subList(client.link.sent.size() - 1, client.link.sent.size()));
            assertTrue(client.connection.tally().backlog.sum() > 0);
            assertEquals(2, backlogs(client));
        }
    }

    @Test
    void gatheredResultsThatWaitForCreditAreLostWithTheConnection() throws IOException {
        try (OneEnd client = held(OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK)))) {
            client.connection.lost(null);
            assertEquals(Verdict.LOST, client.lastFate.getNow(ACCEPTED).verdict());
            assertEquals(0, client.connection.tally().backlog.sum());
        }
    }

    /** The first of the two is refused while it waits: the other goes on. */
    @Test
    void gatheredResultThatIsSettledWhileItWaitsIsPassedOver() throws IOException {
        try (OneEnd client = held(OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK)))) {
            client.tell(OneEnd.frame(
                    into -> ControlWriter.fate(into, new ResultFate(Verdict.REFUSED, "no", false), new long[] {1}, 1)));
            client.tell(OneEnd.frame(into -> Tapped.credit(into, 0, 4L * OneEnd.CHUNK)));
            assertEquals(0, client.connection.tally().backlog.sum());
            assertEquals(1, client.connection.sender().openResults());
            assertEquals(List.of("OPEN", "OPEN", "DATA", "END"), client.link.sent);
        }
    }

    /** Nothing else would have the loop look at it. */
    @Test
    void whatGatheredBehindResultsThatWaitedInVainFollows() throws IOException {
        try (OneEnd client = held(OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK)))) {
            client.connection.written();
            client.sendWhole(8);
            assertEquals(0, client.tasks.size());
            client.now += 6_000_000;
            client.laterTasks.remove().run();
            while (client.connection.sender().bytesInside() > 0) {
                client.connection.written();
            }
            assertEquals(List.of("OPEN", "OPEN", "OPEN"), client.link.sent);
            assertEquals(3, backlogs(client));
        }
    }

    @Test
    void oneGatheredResultAloneDoesNotWaitForCreditThatAllShare() throws IOException {
        try (OneEnd client = OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK))) {
            client.admit();
            client.sendWhole(8);
            client.runTasks();
            assertEquals(1, backlogs(client));
            assertEquals(0, client.laterTasks.size());
        }
    }

    @Test
    void gatheredResultThatIsAbandonedWhileItWaitsLeavesTheOther() throws IOException {
        try (OneEnd client = OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK))) {
            client.admit();
            Outgoing first = client.sendWhole(8);
            client.sendWhole(8);
            client.runTasks();
            first.abandon(new ResultFate(Verdict.CANCELLED, "cancelled", false));
            client.runTasks();
            assertTrue(client.link.said.contains("FAILURE"), client.link.said::toString);
            client.tell(OneEnd.frame(into -> Tapped.credit(into, 0, 4L * OneEnd.CHUNK)));
            assertEquals(1, client.connection.sender().openResults());
            assertEquals(List.of("OPEN", "OPEN", "DATA", "END"), client.link.sent);
        }
    }

    /** The socket may say so at once. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4})
    void connectionIsLostInTheMomentWhenGatheredResultsAreWritten(int chunksOfCredit) throws IOException {
        try (OneEnd client = OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK))) {
            client.admit();
            if (chunksOfCredit > 0) {
                client.tell(OneEnd.frame(into -> Tapped.credit(into, 0, (long) chunksOfCredit * OneEnd.CHUNK)));
            }
            client.sendWhole(90);
            client.sendWhole(90);
            client.link.whenGiven = () -> client.connection.lost(null);
            client.runTasks();
            client.runLaterTasks();
            assertEquals(Verdict.LOST, client.lastFate.getNow(ACCEPTED).verdict());
            assertEquals(0, client.connection.tally().backlog.sum());
        }
    }

    /** One that was settled while it waited lies between. */
    @Test
    void connectionIsLostInTheMomentWhenTheRestOfGatheredResultsIsWritten() throws IOException {
        try (OneEnd client = OneEnd.client(audit.pool(OneEnd.CHUNK, 64 * OneEnd.CHUNK))) {
            client.admit();
            client.sendWhole(8);
            Outgoing second = client.sendWhole(8);
            client.sendWhole(8);
            client.runTasks();
            second.abandon(new ResultFate(Verdict.CANCELLED, "cancelled", false));
            client.link.whenGiven = () -> client.connection.lost(null);
            client.tell(OneEnd.frame(into -> Tapped.credit(into, 0, 4L * OneEnd.CHUNK)));
            client.runTasks();
            assertEquals(Verdict.LOST, client.lastFate.getNow(ACCEPTED).verdict());
        }
    }
}
