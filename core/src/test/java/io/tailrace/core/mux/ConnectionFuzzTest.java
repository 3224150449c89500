// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;

/**
 * What a fuzzer says, under checksums that are right, to either end of a connection: no exception but what ends it, no more
 * memory than was granted, no leak. To fuzz, as {@code FrameStreamFuzzTest} tells.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES) // fuzzing outlasts the usual minute
final class ConnectionFuzzTest {

    private static final int BUDGET = 32;

    @FuzzTest(maxDuration = "3m")
    void clientAsTheFuzzerPlaysIt(FuzzedDataProvider data) {
        try (ChunkPool pool = pool()) {
            try (OneEnd server = OneEnd.server(pool)) {
                if (data.consumeByte() != 0) {
                    server.admit();
                }
                FrameBytes frames = FrameBytes.multiplexed().nextStreamId(1);
                for (int said = 0; data.remainingBytes() > 0 && said < 200 && server.ended == null; said++) {
                    act(server, data);
                    say(server, add(frames, data), data);
                }
                mustBeOurs(server);
            }
            whole(pool);
        }
    }

    @FuzzTest(maxDuration = "3m")
    void serverAsTheFuzzerPlaysIt(FuzzedDataProvider data) throws IOException {
        try (ChunkPool pool = pool()) {
            try (OneEnd client = OneEnd.client(pool)) {
                if (data.consumeByte() != 0) {
                    client.admit();
                }
                FrameBytes frames = FrameBytes.multiplexed().nextStreamId(1);
                for (int said = 0; data.remainingBytes() > 0 && said < 200 && client.ended == null; said++) {
                    if (data.consumeByte() > 60) {
                        client.send(data.consumeInt(0, 300));
                    }
                    act(client, data);
                    say(client, add(frames, data), data);
                }
                mustBeOurs(client);
            }
            whole(pool);
        }
    }

    private static ChunkPool pool() {
        return ChunkPool.builder()
                .chunkBytes(OneEnd.CHUNK)
                .budgetBytes(BUDGET * OneEnd.CHUNK)
                .build();
    }

    private static void whole(ChunkPool pool) {
        assertTrue(pool.peakLiveBytes() <= pool.budgetBytes(), () -> "peak of " + pool.peakLiveBytes());
        assertEquals(0, pool.liveBytes(), pool::report);
        assertEquals(pool.budgetBytes(), pool.freeBytes(), pool::report);
    }

    /** Whatever ended it was found, not stumbled over. */
    private static void mustBeOurs(OneEnd end) {
        if (end.cause != null && end.cause.getCause() instanceof RuntimeException fault) {
            throw fault;
        }
    }

    /** Time passes, others do their part. */
    private static void act(OneEnd end, FuzzedDataProvider data) {
        switch (data.consumeInt(0, 7)) {
            case 0 -> {
                end.now += data.consumeInt(0, 3_000);
                end.connection.tick();
            }
            case 1 -> end.decodeSome();
            case 2 -> end.settleFirst(new ResultFate(Verdict.REFUSED, data.consumeString(9), true));
            case 3 -> end.connection.written();
            case 4 -> end.refuses = !end.refuses;
            default -> end.runTasks();
        }
    }

    private static FrameBytes add(FrameBytes frames, FuzzedDataProvider data) {
        switch (data.consumeInt(0, 13)) {
            case 0, 1 -> {
                frames.nextStreamId(data.consumeInt(0, 5));
                frames.identity(data.consumeString(5), data.consumeByte(), data.consumeByte(), data.consumeByte());
                frames.chunkSize(data.pickValue(new int[] {512, 512, 511, 1 << 24}));
                frames.open();
            }
            case 2, 3 -> frames.data(data.consumeBytes(40));
            case 4 -> frames.data(new byte[data.consumeInt(400, 490)]);
            case 5 -> frames.end();
            case 6 -> frames.failure(data.consumeInt(0, 9), data.consumeBoolean(), "C", data.consumeString(9), "");
            case 7 -> frames.control(0x16, longs(data.consumeInt(0, 5), data.consumeInt(), data.consumeInt(0, 2)));
            case 8 -> frames.control(0x11, longs(data.consumeInt(0, 5), 512L * data.consumeInt(-1, 9)));
            case 9 -> frames.control(0x11, longs(data.consumeInt(0, 5), data.consumeLong()));
            case 10 -> frames.control(0x17, fate(data.consumeInt(0, 7), data.consumeInt(0, 5)));
            case 11 -> frames.control(data.consumeInt(0x10, 0x19), data.consumeBytes(70));
            case 12 -> frames.frame(data.consumeInt(0, 255), data.consumeBytes(40));
            default -> frames.control(0x13, data.consumeBytes(9));
        }
        if (data.consumeByte() > 110) {
            breakLast(frames, data);
        }
        return frames;
    }

    private static void breakLast(FrameBytes frames, FuzzedDataProvider data) {
        switch (data.consumeInt(0, 7)) {
            case 0 -> frames.kind(data.consumeInt(0, 255));
            case 1 -> frames.flags(data.consumeInt(0, 255));
            case 2 -> frames.reserved(data.consumeInt(0, 255));
            case 3 -> frames.sequence(data.consumeInt());
            case 4 -> frames.streamId(data.consumeInt(0, 6));
            case 5 -> frames.wireLength(data.consumeInt());
            case 6 -> frames.rawLength(data.consumeInt());
            default -> frames.bodyChecksum(data.consumeInt());
        }
    }

    /** The frame built last, in two pieces perhaps. */
    private static void say(OneEnd end, FrameBytes frames, FuzzedDataProvider data) {
        byte[] last = frames.frames().get(frames.frames().size() - 1);
        int cut = data.consumeInt(0, last.length);
        end.connection.received(ByteBuffer.wrap(last, 0, cut));
        end.connection.received(ByteBuffer.wrap(last, cut, last.length - cut));
        if (data.consumeBoolean()) {
            end.connection.receivedAll();
        }
    }

    private static byte[] longs(long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long value : values) {
            bytes.putLong(value);
        }
        return bytes.array();
    }

    private static byte[] fate(int verdict, int stream) {
        return new byte[] {(byte) verdict, 0, 0, 0, (byte) stream, 0, 0, 0, 0, 0, 0, 0};
    }
}
