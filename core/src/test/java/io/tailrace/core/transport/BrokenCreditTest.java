// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A client that has proved who it is, and breaks the rules: its connection ends, others go on. */
final class BrokenCreditTest {

    private static final long FIRST = FrameBytes.FIRST_STREAM_ID;

    /** Most of the results of a connection share 16 chunks, of which one result may use half. */
    private static final int INITIAL = 8 * Site.CHUNK;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private static FrameBytes frames() {
        return FrameBytes.multiplexed().chunkSize(Site.CHUNK);
    }

    private static byte[] body(int frameBytes) {
        return new byte[frameBytes - 32];
    }

    private static byte[] longs(long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long value : values) {
            bytes.putLong(value);
        }
        return bytes.array();
    }

    private static byte[] fate(long stream) {
        ResultFate fate = new ResultFate(Verdict.ACCEPTED, "", false);
        byte[] frame = RawPeer.frame(into -> ControlWriter.fate(into, fate, new long[] {stream}, 1));
        return Arrays.copyOfRange(frame, 32, frame.length);
    }

    private static Map<String, FrameBytes> violations() {
        Map<String, FrameBytes> broken = new LinkedHashMap<>();
        FrameBytes beyond = frames().open();
        for (int sent = 0; sent <= INITIAL; sent += Site.CHUNK) {
            beyond.data(body(Site.CHUNK));
        }
        broken.put("initial credit exceeded", beyond);
        broken.put("frame larger than a chunk", frames().open().data(body(Site.CHUNK + 1)));
        broken.put("frame of 4 GiB", frames().open().data("x").wireLength(0xFFFF_FFFFL));
        broken.put(
                "frame without own credit",
                frames().open()
                        .control(0x16, longs(FIRST, 0, 1))
                        .data(body(Site.CHUNK))
                        .data(body(Site.CHUNK)));
        broken.put("backlog of a result that is not open", frames().control(0x16, longs(5, 0, 0)));
        broken.put("backlog of the connection", frames().control(0x16, longs(0, 0, 0)));
        broken.put("backlog with unknown flags", frames().open().control(0x16, longs(FIRST, 0, 2)));
        broken.put("backlog with reserved bytes", frames().open().control(0x16, longs(FIRST, 0, 256)));
        broken.put("negative backlog", frames().open().control(0x16, longs(FIRST, -1, 0)));
        broken.put("data behind the end", frames().open().end().data("x"));
        broken.put("end behind the end", frames().open().end().end());
        broken.put("failure behind the end", frames().open().end().failure(1, false, "C", "m", ""));
        broken.put("data of nobody", frames().open().data("x").streamId(9));
        broken.put("failure of nobody", frames().failure(1, false, "C", "m", "").streamId(9));
        broken.put("result opened twice", frames().open().open().streamId(FIRST));
        broken.put("open frame too long", frames().open().body(new byte[481]));
        broken.put(
                "failure too long",
                frames().open().failure(1, false, "C", "m", "").body(new byte[8_161]));
        broken.put("credit from a client", frames().control(0x11, longs(0, Site.CHUNK)));
        broken.put("fate from a client", frames().open().control(0x17, fate(FIRST)));
        broken.put("second hello", frames().control(0x10, body(32 + 60)));
        broken.put("second proof", frames().control(0x15, new byte[32]));
        return broken;
    }

    @Test
    void violationsEndTheirConnectionAlone() throws Exception {
        try (Site site = new Site(audit)) {
            Map<String, FrameBytes> violations = violations();
            for (Map.Entry<String, FrameBytes> each : violations.entrySet()) {
                try (RawPeer peer = RawPeer.admitted(site.address())) {
                    peer.sendUnlessClosed(FrameBytes.join(each.getValue().frames()));
                    peer.awaitEnd();
                    assertEquals(ByeReason.PROTOCOL_BROKEN, peer.bye, each.getKey());
                }
                site.goodResultArrives();
            }
            Eventually.isTrue("all is given up", () -> site.server.openResults() == 0);
            audit.cases(violations.size());
        }
    }

    @Test
    void frameThatTheSharedCreditDoesNotReachIsRefused() throws Exception {
        try (Site site = new Site(
                        audit,
                        server -> server.handler(result -> {
                            Thread.sleep(300); // nothing is granted anew
                            result.finish();
                        }));
                RawPeer peer = RawPeer.admitted(site.address())) {
            peer.readUntil(() -> peer.sharedCredit > 0);
            FrameBytes broken = frames();
            for (int sent = 0; sent <= peer.sharedCredit; sent += INITIAL) {
                broken.open();
                for (int part = 0; part < INITIAL; part += Site.CHUNK) {
                    broken.data(body(Site.CHUNK));
                }
            }
            peer.sendUnlessClosed(FrameBytes.join(broken.frames()));
            peer.awaitEnd();
            assertTrue(peer.byeText.startsWith("frame without credit"), peer.byeText);
            Eventually.isTrue("all is given up", () -> site.server.openResults() == 0);
        }
    }

    @Test
    void openingThatCannotBeReadFailsItsResultAlone() throws Exception {
        Map<String, FrameBytes> broken = openings();
        try (Site site = new Site(audit);
                RawPeer peer = RawPeer.admitted(site.address())) {
            int good = 0;
            for (Map.Entry<String, FrameBytes> each : broken.entrySet()) {
                long stream = 100L + good;
                FrameBytes neighbour = frames().nextStreamId(stream).identity("good", 7, good++, 0);
                neighbour.open().data("neighbour").end();
                peer.send(neighbour.frames().get(0), neighbour.frames().get(1));
                peer.send(each.getValue().data("passed over").end());
                peer.readUntil(() -> peer.told.toString().contains(Long.toHexString(FIRST) + " REFUSED"));
                assertTrue(peer.told.toString().contains(each.getKey()), () -> each.getKey() + ": " + peer.told);
                peer.send(neighbour.frames().get(2));
                peer.readUntil(() -> peer.told.toString().contains(Long.toHexString(stream) + " ACCEPTED"));
                peer.told.clear();
            }
            assertEquals(broken.size(), site.handled.size());
            site.goodResultArrives();
            audit.cases(broken.size());
        }
    }

    private static Map<String, FrameBytes> openings() {
        Map<String, FrameBytes> broken = new LinkedHashMap<>();
        broken.put("codec id is too long", another(1).codecId("c".repeat(128)).open());
        broken.put("UTF-8", another(2).open().bodyAt(29, (byte) 0xC0));
        broken.put("job", another(3).open().bodyAt(36, (byte) 0xFF));
        broken.put("too short for its job", another(12).open().bodyAt(35, (byte) 200));
        broken.put("compression", another(4).compression(999).open());
        broken.put("chunk", another(5).chunkSize(2 * Site.CHUNK).open());
        broken.put("chunk size is out of range", another(6).chunkSize(511).open());
        broken.put("open frame is too short", another(7).open().body(new byte[20]));
        broken.put("checksum", another(8).open().bodyChecksum(3));
        broken.put("reserved field", another(9).open().bodyAt(6, (byte) 1));
        broken.put("sequence", another(10).open().sequence(1));
        broken.put("flags", another(11).open().flags(4));
        return broken;
    }

    private static FrameBytes another(int task) {
        return frames().identity("bad", 1, task, 0);
    }

    @Test
    void clientThatDoesNotReadItsAnswersIsNotReadEither() throws Exception {
        byte[] pings = pings();
        try (Site site = new Site(audit);
                RawPeer admitted = RawPeer.admitted(site.address());
                SocketChannel peer = greeted(site)) {
            peer.configureBlocking(false);
            long sent = 0;
            long mostSent = 64L << 20;
            for (long quiet = System.nanoTime(); sent < mostSent && System.nanoTime() - quiet < 500_000_000; ) {
                ByteBuffer more = ByteBuffer.wrap(pings);
                int written = writeOrEnd(peer, more);
                if (written < 0) {
                    break; // it was given up for silence: nothing of it was read for so long
                }
                sent += written;
                if (written > 0) {
                    quiet = System.nanoTime();
                } else {
                    Thread.sleep(5);
                }
            }
            assertTrue(sent < mostSent, "all of " + sent + " bytes were taken");
            audit.figure(sent + " bytes of pings sent before the server stopped reading");
            site.goodResultArrives();
            admitted.send(RawPeer.frame(into -> ControlWriter.ping(into, 1)));
            admitted.readUntil(() -> admitted.told.contains("PONG"));
        }
    }

    private static int writeOrEnd(SocketChannel peer, ByteBuffer bytes) {
        try {
            return peer.write(bytes);
        } catch (IOException e) {
            return -1;
        }
    }

    private static byte[] pings() {
        byte[] ping = RawPeer.frame(into -> ControlWriter.ping(into, 1));
        byte[] pings = new byte[ping.length * 1_000];
        for (int at = 0; at < pings.length; at += ping.length) {
            System.arraycopy(ping, 0, pings, at, ping.length);
        }
        return pings;
    }

    /** One that is let in, by a channel. */
    private static SocketChannel greeted(Site site) throws IOException {
        SocketChannel channel = SocketChannel.open(site.address());
        byte[] hello = RawPeer.hello(false, true, 2);
        write(channel, FrameBytes.join(List.of(RawPeer.PREAMBLE, hello)));
        byte[] answer = new byte[16 + 32 + 57 + "server".length()];
        ByteBuffer into = ByteBuffer.wrap(answer);
        while (into.hasRemaining()) {
            assertTrue(channel.read(into) >= 0);
        }
        byte[] serversHello = Arrays.copyOfRange(answer, 16, answer.length);
        write(channel, RawPeer.proof(Site.SECRET, false, hello, serversHello));
        return channel;
    }

    private static void write(SocketChannel channel, byte[] bytes) throws IOException {
        ByteBuffer all = ByteBuffer.wrap(bytes);
        while (all.hasRemaining()) {
            channel.write(all);
        }
    }
}
