// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tailrace.core.testing.HexText;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultId;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class OpenBodyTest {

    private static final ResultId ID = new ResultId("etl", 3, 7, 0);
    private static final String BYTES = "00 02 00 00 00 00 00 00 03 00 00 00 00 00 00 00 07 00 00 00 00 00 00 00"
            + " 00 00 00 00 06 72 6F 77 73 2F 31 03 65 74 6C";

    @Test
    void lengthThatIsNotDeclaredTakesNoBytes() throws MalformedDataException {
        OpenBody open = new OpenBody(512, 0, ID, "rows/1");
        assertEquals(OpenBody.UNKNOWN, open.declaredBytes());
        assertArrayEquals(HexText.parse(BYTES), written(open));
        assertEquals(open, OpenBody.parse(Unpooled.wrappedBuffer(HexText.parse(BYTES))));
    }

    @Test
    void declaredLengthStandsBehindTheJob() throws MalformedDataException {
        OpenBody open = new OpenBody(512, 0, ID, "rows/1", 0x0102030405060708L);
        byte[] bytes = HexText.parse(BYTES + " 08 07 06 05 04 03 02 01");
        assertArrayEquals(bytes, written(open));
        assertEquals(open, OpenBody.parse(Unpooled.wrappedBuffer(bytes)));
        assertEquals(open, OpenBody.parse(Unpooled.wrappedBuffer(Arrays.copyOf(bytes, bytes.length + 9))));
        OpenBody empty = new OpenBody(512, 0, ID, "rows/1", 0);
        assertEquals(empty, OpenBody.parse(Unpooled.wrappedBuffer(written(empty))));
    }

    @Test
    void lengthThatIsCutOrThatNoLongHoldsIsUnknown() throws MalformedDataException {
        byte[] bytes = HexText.parse(BYTES + " FF FF FF FF FF FF FF FF");
        for (int more = 0; more <= 8; more++) {
            ByteBuf body = Unpooled.wrappedBuffer(bytes, 0, bytes.length - 8 + more);
            assertEquals(OpenBody.UNKNOWN, OpenBody.parse(body).declaredBytes(), more + " bytes more");
        }
    }

    @Test
    void longestTextsAndALengthFitTheFrame() throws MalformedDataException {
        ResultId id = new ResultId("j".repeat(255), -1, -1, -1);
        OpenBody open = new OpenBody(512, 0, id, "c".repeat(64), Long.MAX_VALUE);
        assertTrue(written(open).length <= FrameLayout.MAX_OPEN_LENGTH);
        assertEquals(open, OpenBody.parse(Unpooled.wrappedBuffer(written(open))));
        assertThrows(IllegalArgumentException.class, () -> new OpenBody(512, 0, ID, "rows/1", -2));
    }

    private static byte[] written(OpenBody open) {
        ByteBuf into = Unpooled.buffer();
        open.write(into);
        return ByteBufUtil.getBytes(into);
    }
}
