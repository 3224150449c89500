// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.trino.tpch.LineItem;
import java.io.IOException;
import java.util.Iterator;
import org.junit.jupiter.api.Test;

final class LineItemRowTest {

    @Test
    void allSixteenColumnsComeBack() throws IOException {
        LineItems rows = new LineItems(0.001, 1);
        SmallBuffers payload = new SmallBuffers();
        long[] told = {0};
        rows.produce(0, payload.out(), more -> told[0] += more);

        Iterator<LineItemRow> read = LineItemRow.CODEC.decode(payload.in());
        int count = 0;
        for (LineItem row : rows.rows(0)) {
            assertEquals(LineItemRow.of(row), read.next());
            count++;
        }

        assertFalse(read.hasNext());
        assertEquals(6005, count);
        assertEquals(6005, told[0]);
    }

    @Test
    void everyColumnIsTheGenerators() {
        LineItem row = new LineItems(0.001, 1).rows(0).iterator().next();
        LineItemRow ours = LineItemRow.of(row);
        String line = String.join(
                "|",
                Long.toString(ours.orderKey()),
                Long.toString(ours.partKey()),
                Long.toString(ours.supplierKey()),
                Integer.toString(ours.lineNumber()),
                Long.toString(ours.quantity()));
        assertTrue(row.toLine().startsWith(line + "|"), row.toLine() + " is not " + ours);
        assertTrue(row.toLine().contains("|" + ours.returnFlag() + "|" + ours.status() + "|"), row.toLine());
        assertTrue(
                row.toLine()
                        .contains("|" + ours.shipInstructions() + "|" + ours.shipMode() + "|" + ours.comment() + "|"),
                row.toLine());
    }

    @Test
    void flagThatIsNoLetterIsRefused() {
        LineItemRow row =
                LineItemRow.of(new LineItems(0.001, 1).rows(0).iterator().next());
        LineItemRow odd = new LineItemRow(1, 1, 1, 1, 1, 1, (byte) 0, (byte) 0, '!', 'O', 0, 0, 0, "", "", "");
        assertThrows(IllegalArgumentException.class, () -> new Query1().add(odd));
        new Query1().add(row);
    }
}
