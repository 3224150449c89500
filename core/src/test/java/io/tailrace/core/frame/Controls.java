// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.HexText;
import java.util.Arrays;

/** Each control frame's body as literal bytes, valid. */
final class Controls {

    static final String STREAM = "EF CD AB 89 67 45 23 01";
    static final String NONCE =
            "00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F" + " 10 11 12 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F";
    static final String HELLO =
            "02 01 00 00 00 00 01 00 00 00 10 00 00 00 00 00 10 27 00 00 00 00 00 00 " + NONCE + " 03 61 C3 A9";
    static final String CREDIT =
            "00 00 00 00 00 00 00 00 00 00 02 00 00 00 00 00 " + STREAM + " 00 00 01 00 00 00 00 00";
    static final String PING = "2A 00 00 00 00 00 00 80";
    static final String PROOF = NONCE;
    static final String BACKLOG = STREAM + " 78 56 34 12 00 00 00 00 01 00 00 00 00 00 00 00";
    static final String FATE = "02 01 04 00 66 75 6C 6C " + STREAM + " 09 00 00 00 00 00 00 00";
    static final String BYE = "05 02 6F 6B";

    private Controls() {}

    /** A stream of the one frame. */
    static FrameBytes of(int kind, String body) {
        return FrameBytes.multiplexed().control(kind, HexText.parse(body));
    }

    static FrameBytes hello() {
        return of(0x10, HELLO);
    }

    static FrameBytes credit() {
        return of(0x11, CREDIT);
    }

    static FrameBytes backlog() {
        return of(0x16, BACKLOG);
    }

    static FrameBytes fate() {
        return of(0x17, FATE);
    }

    static FrameBytes bye() {
        return of(0x18, BYE);
    }

    /** A fate of so many results, with a reason of so many bytes. */
    static byte[] fate(int reason, int results) {
        byte[] body = new byte[4 + reason + 8 * results];
        Arrays.fill(body, (byte) 'x');
        body[0] = 1;
        body[1] = 0;
        body[2] = (byte) reason;
        body[3] = (byte) (reason >>> 8);
        return body;
    }

    static byte[] longer(String body, int more) {
        byte[] bytes = HexText.parse(body);
        byte[] longer = Arrays.copyOf(bytes, bytes.length + more);
        Arrays.fill(longer, bytes.length, longer.length, (byte) 0xEE);
        return longer;
    }
}
