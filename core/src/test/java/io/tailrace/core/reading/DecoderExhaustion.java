// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tailrace.core.ResultDecoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.FrameBytes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A process whose budget is larger than its heap, with a listener that keeps what it is given until the heap is spent. */
final class DecoderExhaustion {

    private static final int CHUNK = 4 << 20;
    private static final int FRAMES = 64;

    private final List<ByteBuf> kept = new ArrayList<>();

    private DecoderExhaustion() {}

    public static void main(String[] args) throws Exception {
        new DecoderExhaustion().run();
    }

    private void run() throws IOException {
        ChunkPool pool = ChunkPool.builder()
                .chunkBytes(CHUNK)
                .budgetBytes((long) FRAMES * CHUNK)
                .build();
        FrameBytes stream = FrameBytes.connection().open();
        for (int i = 0; i < FRAMES; i++) {
            stream.data(new byte[300]);
        }
        ByteBuf bytes = Unpooled.wrappedBuffer(stream.end().toBytes());
        Recording listener = new Recording() {
            @Override
            public void onPayload(ByteBuf payload) throws IOException {
                super.onPayload(payload);
                kept.add(payload.retain());
            }
        };
        int failures = 0;
        try (ResultDecoder decoder = ResultReader.builder(pool).window(FRAMES).decoder(listener, () -> {})) {
            boolean used = false;
            while (!used) {
                try {
                    used = decoder.accept(bytes);
                } catch (OutOfMemoryError e) {
                    failures++;
                }
                releaseKept();
            }
            decoder.endOfInput();
        }
        System.out.println("failures=" + failures);
        System.out.println("left=" + bytes.readableBytes());
        System.out.println("payload=" + listener.reports().get(0).payload().length);
        System.out.println("complete=" + listener.summaries().size());
        pool.close();
    }

    private void releaseKept() {
        kept.forEach(ByteBuf::release);
        kept.clear();
    }
}
