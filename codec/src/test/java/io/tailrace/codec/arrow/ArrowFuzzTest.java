// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tailrace.codec.Payloads;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ResultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Field;
import org.junit.jupiter.api.Timeout;

/**
 * Streams of columns that the fuzzer chooses, whole or broken where it says: they are read as they were, or else nothing comes
 * of them but a value or our own exception, with little memory taken and all of it given back.
 *
 * <pre>
 * JAZZER_FUZZ=1 mvn -pl core,codec test -Dsurefire.failIfNoSpecifiedTests=false -Dtest='ArrowFuzzTest'
 * </pre>
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES) // fuzzing outlasts the usual minute
final class ArrowFuzzTest {

    private static final int[] LIES = {-1, 0, 1, 7, 8, 64, 1 << 20, 1 << 28, Integer.MAX_VALUE, Integer.MIN_VALUE};
    private static final List<Field> TYPES = new ArrayList<>();

    static {
        TYPES.addAll(Batches.nested());
        TYPES.addAll(Batches.plain());
    }

    private static byte[] stream(FuzzedDataProvider data) throws IOException {
        List<Field> fields = new ArrayList<>();
        for (int i = data.consumeInt(0, 3); i > 0; i--) {
            fields.add(data.pickValue(TYPES));
        }
        int rows = data.consumeInt(0, 20);
        int[] batches = {data.consumeInt(0, 3)};
        Random random = new Random(data.consumeInt());
        try (BufferAllocator allocator = new RootAllocator();
                VectorSchemaRoot root = VectorSchemaRoot.create(Batches.schema(fields), allocator)) {
            return Batches.arrows(root, new DictionaryProvider.MapDictionaryProvider(), () -> {
                Batches.fill(root, rows, random);
                return batches[0]-- > 0;
            });
        }
    }

    private static void breakIt(ByteBuffer stream, FuzzedDataProvider data) {
        if (stream.capacity() < 8) {
            return;
        }
        int at = data.consumeInt(0, stream.capacity() / 4 - 2) * 4;
        switch (data.consumeInt(0, 4)) {
            case 0 -> stream.put(at, data.consumeByte());
            case 1 -> stream.putInt(at, data.pickValue(LIES));
            case 2 -> stream.putLong(at, data.consumeLong());
            case 3 -> stream.putInt(at, stream.getInt(at) + data.consumeInt(-8, 8));
            default -> stream.putInt(at, stream.getInt(data.consumeInt(0, stream.capacity() / 4 - 2) * 4));
        }
    }

    @FuzzTest(maxDuration = "3m")
    void streamsAsTheFuzzerBreaksThem(FuzzedDataProvider data) throws IOException {
        int buffer = data.consumeInt(1, 500);
        int breaks = data.consumeInt(0, 4);
        boolean raw = data.consumeInt(0, 9) == 9;
        byte[] whole = raw ? data.consumeRemainingAsBytes() : stream(data);
        ByteBuffer broken = ByteBuffer.wrap(whole.clone()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < breaks; i++) {
            breakIt(broken, data);
        }
        try (BufferAllocator allocator = new RootAllocator()) {
            try (ArrowReader batches = ArrowCodecs.batches(allocator)
                    .decode(Payloads.input(broken.array(), buffer, DecoderLimits.DEFAULT))) {
                if (breaks == 0 && !raw) {
                    assertArrayEquals(Batches.throughArrow(whole), Batches.arrows(batches));
                    return;
                }
                while (batches.loadNextBatch()) {
                    try (ArrowRecordBatch again = new VectorUnloader(batches.getVectorSchemaRoot()).getRecordBatch()) {
                        assertEquals(0, again.computeBodyLength() % 8);
                    }
                }
            } catch (ResultException e) {
                assertTrue(breaks > 0 || raw, e.toString());
            } finally {
                long peak = allocator.getPeakMemoryAllocation();
                assertTrue(peak <= (2 << 20) + 4L * whole.length, peak + " bytes of " + whole.length);
            }
        }
    }
}
