// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tailrace.core.testing.DocumentText;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.HexText;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The document's two examples of a multiplexed connection, written and read. */
final class MultiplexedExamplesTest {

    private static final long STREAM = FrameBytes.FIRST_STREAM_ID;

    @Test
    void clientsDirectionIsWhatIsWritten() throws IOException {
        byte[] nonce = nonce(0x20);
        HelloBody hello = HelloBody.of(false, false, 512, 0, 10_000, nonce, "exec-7");
        ByteBuf into = Unpooled.buffer(1_024);
        into.writeBytes(Preamble.MULTIPLEXED.bytes());
        ControlWriter.hello(into, hello);
        FrameSealer sealer = new FrameSealer(STREAM);
        sealer.appendOpen(into, new OpenBody(512, 0, new ResultId("etl", 3, 7, 0), "rows/1", 15));
        ControlWriter.backlog(into, STREAM, 0, true);
        int header = FrameSealer.reserve(into);
        into.writeBytes("Hello, tailrace".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        sealer.seal(into, header, FrameKind.DATA);
        sealer.appendEnd(into);
        ControlWriter.ping(into, 42);
        ControlWriter.bye(into, ByeReason.DONE, "");
        requireExample(
                "multiplexed-client",
                into,
                List.of(hello.toString(), "backlog 123456789abcdef 0 own", "ping 42", "bye DONE ''"));
    }

    @Test
    void serversDirectionIsWhatIsWritten() throws IOException {
        HelloBody hello = HelloBody.of(true, false, 65_536, 65_536, 10_000, nonce(0x40), "driver");
        ByteBuf into = Unpooled.buffer(1_024);
        into.writeBytes(Preamble.MULTIPLEXED.bytes());
        ControlWriter.hello(into, hello);
        ControlWriter.credit(into, new long[] {0, STREAM}, new long[] {131_072, 65_536}, 2);
        ControlWriter.pong(into, 42);
        ControlWriter.fate(into, new ResultFate(Verdict.SUPERSEDED, "attempt 1", false), new long[] {STREAM}, 1);
        ControlWriter.bye(into, ByeReason.SHUTTING_DOWN, "");
        requireExample(
                "multiplexed-server",
                into,
                List.of(
                        hello.toString(),
                        "credit 0 131072",
                        "credit 123456789abcdef 65536",
                        "pong 42",
                        "fate 123456789abcdef SUPERSEDED 'attempt 1'",
                        "bye SHUTTING_DOWN ''"));
    }

    private static void requireExample(String name, ByteBuf written, List<String> told) throws IOException {
        byte[] example =
                Objects.requireNonNull(HexText.examples(DocumentText.whole()).get(name), name);
        assertArrayEquals(example, ByteBufUtil.getBytes(written), () -> HexText.format(ByteBufUtil.getBytes(written)));
        assertEquals(told, Told.of(example));
        Preamble.verify(Arrays.copyOf(example, 16), 16, Preamble.MULTIPLEXED);
    }

    private static byte[] nonce(int first) {
        byte[] nonce = new byte[32];
        for (int i = 0; i < nonce.length; i++) {
            nonce[i] = (byte) (first + i);
        }
        return nonce;
    }
}
