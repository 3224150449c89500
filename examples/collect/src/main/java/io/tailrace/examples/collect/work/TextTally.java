// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;

/** The number of lines and bytes of a text, and its CRC32C. A last line without a line end counts. */
public final class TextTally implements Answer {

    private static final int STEP = 1024;

    private final CRC32C crc = new CRC32C();
    private long crcBytes;
    private long lines;
    private long bytes;
    private boolean insideLine;
    private int appendedCrc;

    @Override
    public void fold(WireInput in, LongConsumer progress) throws IOException {
        byte[] piece = new byte[TextLines.PIECE];
        int untold = 0;
        while (!in.exhausted()) {
            int head = in.readVarInt();
            int length = head >>> 1;
            if (length > piece.length) {
                throw new IOException("a piece of a line has " + length + " bytes, more than " + piece.length);
            }
            in.readBytes(piece, 0, length);
            addBytes(piece, length);
            if ((head & 1) == 0) {
                lines++;
                untold++;
            }
            if (untold == STEP) {
                progress.accept(untold);
                untold = 0;
            }
        }
        progress.accept(untold);
    }

    /** Adds bytes of text in which line ends are still to be found. */
    void addText(byte[] text, int length) {
        addBytes(text, length);
        for (int i = 0; i < length; i++) {
            if (text[i] == '\n') {
                lines++;
            }
        }
        if (length > 0) {
            insideLine = text[length - 1] != '\n';
        }
    }

    private void addBytes(byte[] text, int length) {
        crc.update(text, 0, length);
        crcBytes += length;
        bytes += length;
    }

    @Override
    public void append(Answer following) {
        TextTally other = (TextTally) following;
        appendedCrc = Crc32cs.concatenate(crc(), other.crc(), other.bytes);
        crc.reset();
        crcBytes = 0;
        lines += other.rows();
        bytes += other.bytes;
    }

    private int crc() {
        return Crc32cs.concatenate(appendedCrc, (int) crc.getValue(), crcBytes);
    }

    @Override
    public long rows() {
        return lines + (insideLine ? 1 : 0);
    }

    @Override
    public List<String> lines() {
        return List.of("lines|" + rows(), "bytes|" + bytes, "crc32c|" + String.format("%08x", crc()));
    }
}
