// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import io.trino.tpch.LineItem;
import java.io.IOException;
import org.junit.jupiter.api.Test;

final class LineItemCodecTest {

    @Test
    void allSixteenColumnsComeBack() throws IOException {
        LineItemCodec codec = new LineItemCodec();
        LineItems rows = new LineItems(0.001, 1);
        SmallBuffers payload = new SmallBuffers();
        for (LineItem row : rows.rows(0)) {
            codec.encode(row, payload.out());
        }

        WireInput in = payload.in();
        int count = 0;
        for (LineItem row : rows.rows(0)) {
            assertEquals(row.toLine(), codec.decode(in).toLine());
            count++;
        }

        assertEquals(6005, count);
        assertTrue(in.exhausted());
    }

    @Test
    void flagThatIsNoLetterIsRefused() throws IOException {
        SmallBuffers payload = new SmallBuffers();
        WireOutput out = payload.out();
        out.writeBytes(new byte[120], 0, 120);

        IOException refusal = assertThrows(IOException.class, () -> new LineItemCodec().decode(payload.in()));

        assertTrue(refusal.getMessage().contains("no letter"), refusal.getMessage());
    }
}
