// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.HexText;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Control frames as literal bytes, both ways. */
final class ControlFramesTest {

    private static final long STREAM = FrameBytes.FIRST_STREAM_ID;
    private static final HelloBody HELLO =
            HelloBody.of(true, true, 65_536, 1 << 20, 10_000, HexText.parse(Controls.NONCE), "a\u00E9");

    @Test
    void helloIsTheseBytes() throws IOException {
        both(Controls.hello(), into -> ControlWriter.hello(into, HELLO), HELLO.toString());
    }

    @Test
    void helloOfAClientIsTheseBytes() throws IOException {
        HelloBody hello = HelloBody.of(false, false, 512, 0, 0, new byte[32], "");
        String body = "01 00 00 00 00 02 00 00" + " 00".repeat(49);
        both(Controls.of(0x10, body), into -> ControlWriter.hello(into, hello), hello.toString());
    }

    @Test
    void creditIsTheseBytes() throws IOException {
        long[] streams = {0, STREAM};
        long[] bytes = {131_072, 65_536};
        both(
                Controls.credit(),
                into -> ControlWriter.credit(into, streams, bytes, 2),
                "credit 0 131072",
                "credit 123456789abcdef 65536");
    }

    @Test
    void pingAndPongAreTheseBytes() throws IOException {
        long token = Long.MIN_VALUE + 42;
        both(Controls.of(0x13, Controls.PING), into -> ControlWriter.ping(into, token), "ping " + token);
        both(Controls.of(0x14, Controls.PING), into -> ControlWriter.pong(into, token), "pong " + token);
    }

    @Test
    void proofIsTheseBytes() throws IOException {
        byte[] proof = HexText.parse(Controls.PROOF);
        both(
                Controls.of(0x15, Controls.PROOF),
                into -> ControlWriter.proof(into, proof),
                "proof 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    }

    @Test
    void backlogIsTheseBytes() throws IOException {
        both(
                Controls.backlog(),
                into -> ControlWriter.backlog(into, STREAM, 0x12345678, true),
                "backlog 123456789abcdef 305419896 own");
        both(
                Controls.backlog().bodyAt(16, (byte) 0),
                into -> ControlWriter.backlog(into, STREAM, 0x12345678, false),
                "backlog 123456789abcdef 305419896");
    }

    @Test
    void fateIsTheseBytes() throws IOException {
        ResultFate fate = new ResultFate(Verdict.REFUSED, "full", true);
        both(
                Controls.fate(),
                into -> ControlWriter.fate(into, fate, new long[] {STREAM, 9}, 2),
                "fate 123456789abcdef REFUSED 'full' retriable",
                "fate 9 REFUSED 'full' retriable");
    }

    @Test
    void everyVerdictAndReasonHasItsNumber() throws IOException {
        List<Verdict> verdicts =
                List.of(Verdict.ACCEPTED, Verdict.REFUSED, Verdict.SUPERSEDED, Verdict.LOST, Verdict.CANCELLED);
        for (int code = 1; code <= verdicts.size(); code++) {
            ResultFate fate = new ResultFate(verdicts.get(code - 1), "", false);
            both(
                    Controls.of(0x17, "0" + code + " 00 00 00 07 00 00 00 00 00 00 00"),
                    into -> ControlWriter.fate(into, fate, new long[] {7}, 1),
                    "fate 7 " + fate.verdict() + " ''");
        }
        List<ByeReason> reasons = List.of(
                ByeReason.DONE,
                ByeReason.NOT_AUTHENTICATED,
                ByeReason.PROTOCOL_BROKEN,
                ByeReason.LIMIT,
                ByeReason.SHUTTING_DOWN,
                ByeReason.TIMED_OUT);
        for (int code = 1; code <= reasons.size(); code++) {
            ByeReason reason = reasons.get(code - 1);
            both(
                    Controls.of(0x18, "0" + code + " 00"),
                    into -> ControlWriter.bye(into, reason, ""),
                    "bye " + reason + " ''");
        }
    }

    @Test
    void byeIsTheseBytes() throws IOException {
        both(Controls.bye(), into -> ControlWriter.bye(into, ByeReason.SHUTTING_DOWN, "ok"), "bye SHUTTING_DOWN 'ok'");
    }

    @Test
    void reasonForByeOfANewerVersionIsTakenForABrokenProtocol() throws IOException {
        for (int code : new int[] {0, 7, 200, 255}) {
            assertEquals(
                    List.of("bye PROTOCOL_BROKEN 'ok'"), told(Controls.bye().bodyAt(0, (byte) code)));
        }
    }

    @Test
    void fieldsThatANewerVersionAppendsAreIgnored() throws IOException {
        for (int more : new int[] {1, 7, 8, 16, 4_000}) {
            assertEquals(List.of(HELLO.toString()), told(appended(0x10, Controls.HELLO, more)));
            assertEquals(List.of("ping " + (Long.MIN_VALUE + 42)), told(appended(0x13, Controls.PING, more)));
            assertEquals(List.of("pong " + (Long.MIN_VALUE + 42)), told(appended(0x14, Controls.PING, more)));
            assertEquals(1, told(appended(0x15, Controls.PROOF, more)).size());
            assertEquals(
                    List.of("backlog 123456789abcdef 305419896 own"), told(appended(0x16, Controls.BACKLOG, more)));
            assertEquals(List.of("bye SHUTTING_DOWN 'ok'"), told(appended(0x18, Controls.BYE, more)));
        }
    }

    private static FrameBytes appended(int kind, String body, int more) {
        return FrameBytes.multiplexed().control(kind, Controls.longer(body, more));
    }

    @Test
    void undefinedFlagsOfAFateAreIgnored() throws IOException {
        assertEquals(
                "fate 123456789abcdef REFUSED 'full'",
                told(Controls.fate().bodyAt(1, (byte) 0xFE)).get(0));
    }

    @Test
    void ignorableKindsAreSkippedWhateverTheyHold() throws IOException {
        for (int kind = 0x80; kind < 0x100; kind++) {
            FrameBytes stream = FrameBytes.multiplexed().control(kind, new byte[300]);
            stream.sequence(77).ignorableFlags(5).control(0x13, HexText.parse(Controls.PING));
            assertEquals(1, told(stream).size());
        }
    }

    @Test
    void mostEntriesFillAFrame() throws IOException {
        long[] streams = LongStream.range(1, 300).toArray();
        long[] bytes = LongStream.range(1, 300).map(i -> i << 40).toArray();
        byte[] credit = written(into -> ControlWriter.credit(into, streams, bytes, FrameLayout.MAX_CREDITS));
        assertEquals(FrameLayout.MAX_FRAME, credit.length);
        List<String> told = told(credit);
        assertEquals(254, told.size());
        assertEquals("credit fe " + (254L << 40), told.get(253));
        ResultFate longest = new ResultFate(Verdict.LOST, "x".repeat(5_000), false);
        byte[] fate = written(into -> ControlWriter.fate(into, longest, streams, FrameLayout.MAX_FATES));
        assertEquals(32 + 4 + 2_048 + 250 * 8, fate.length);
        told = told(fate);
        assertEquals(250, told.size());
        assertEquals("fate fa LOST 2048 bytes", told.get(249));
    }

    @Test
    void textsAreCutBetweenCharacters() throws IOException {
        ResultFate fate = new ResultFate(Verdict.LOST, "x" + "\u00E9".repeat(2_000), false);
        assertEquals(
                List.of("fate 7 LOST 2047 bytes"),
                told(written(into -> ControlWriter.fate(into, fate, new long[] {7}, 1))));
        assertEquals(
                List.of("bye LIMIT 255 bytes"),
                told(written(into -> ControlWriter.bye(into, ByeReason.LIMIT, "\u20AC".repeat(100)))));
    }

    @Test
    void framesAreAppendedBehindWhatIsThere() throws IOException {
        ByteBuf into = Unpooled.buffer(16);
        into.writeBytes(Preamble.MULTIPLEXED.bytes());
        ControlWriter.ping(into, 1);
        ControlWriter.pong(into, 2);
        ControlWriter.bye(into, ByeReason.DONE, "");
        assertEquals(List.of("ping 1", "pong 2", "bye DONE ''"), Told.of(ByteBufUtil.getBytes(into)));
        byte[] array = into.array();
        assertEquals(FrameKind.PONG, FrameHeader.kind(array, 56));
        assertEquals(8, FrameHeader.wireLength(array, 56));
        assertEquals(0, FrameHeader.streamId(array, 56));
    }

    @Test
    void writerRefusesWhatNoReaderTakes() {
        long[] ids = new long[300];
        Arrays.fill(ids, 7);
        ResultFate fate = new ResultFate(Verdict.ACCEPTED, "", false);
        refuses(into -> ControlWriter.proof(into, new byte[31]));
        refuses(into -> ControlWriter.credit(into, ids, ids, 0));
        refuses(into -> ControlWriter.credit(into, ids, ids, 255));
        refuses(into -> ControlWriter.credit(into, ids, new long[] {1, 0}, 2));
        refuses(into -> ControlWriter.credit(into, ids, new long[] {-1}, 1));
        refuses(into -> ControlWriter.backlog(into, 0, 1, false));
        refuses(into -> ControlWriter.backlog(into, 7, -1, false));
        refuses(into -> ControlWriter.fate(into, fate, ids, 0));
        refuses(into -> ControlWriter.fate(into, fate, ids, 251));
        refuses(into -> ControlWriter.fate(into, fate, new long[] {7, 0}, 2));
        byte[] nonce = new byte[32];
        refuses(into -> HelloBody.of(true, false, 511, 0, 0, nonce, ""));
        refuses(into -> HelloBody.of(true, false, (16 << 20) + 1, 0, 0, nonce, ""));
        refuses(into -> HelloBody.of(true, false, 512, -1, 0, nonce, ""));
        refuses(into -> HelloBody.of(false, false, 512, 1, 0, nonce, ""));
        refuses(into -> HelloBody.of(true, false, 512, 0, -1, nonce, ""));
        refuses(into -> HelloBody.of(true, false, 512, 0, 0, new byte[33], ""));
        refuses(into -> HelloBody.of(true, false, 512, 0, 0, nonce, "\u20AC".repeat(86)));
    }

    private static void refuses(Consumer<ByteBuf> writing) {
        ByteBuf into = Unpooled.buffer();
        assertThrows(IllegalArgumentException.class, () -> writing.accept(into));
        assertEquals(0, into.writerIndex(), "nothing was begun");
    }

    private static void both(FrameBytes literal, Consumer<ByteBuf> writing, String... told) throws IOException {
        assertEquals(List.of(told), told(literal));
        assertArrayEquals(literal.frames().get(0), written(writing));
    }

    private static byte[] written(Consumer<ByteBuf> writing) {
        ByteBuf into = Unpooled.buffer(FrameLayout.MAX_FRAME, FrameLayout.MAX_FRAME);
        writing.accept(into);
        return ByteBufUtil.getBytes(into);
    }

    private static List<String> told(FrameBytes stream) throws IOException {
        return Told.of(stream.toBytes());
    }

    private static List<String> told(byte[] frame) throws IOException {
        return Told.of(FrameBytes.join(List.of(Preamble.MULTIPLEXED.bytes(), frame)));
    }
}
