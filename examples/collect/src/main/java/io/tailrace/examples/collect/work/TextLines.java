// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The lines of a text file as work: each task reads its share of the file, the driver counts lines and bytes and
 * computes the CRC32C of the whole.
 *
 * <p>A task's share is the lines that begin within its even part of the file's bytes. On the wire a line is one or more
 * pieces, each a varint and so many bytes as the varint's half says; bit 0 of the varint is set while the line goes
 * on. Pieces keep memory bounded where a file is a single line. The line's end belongs to the line, and bytes are never
 * taken for characters.
 */
public final class TextLines implements Work {

    public static final String CODEC_ID = "lines/1";

    /** The longest piece of a line. */
    static final int PIECE = 1 << 15;

    private static final int STEP = 1024;

    private final Path file;
    private final int tasks;

    public TextLines(Path file, int tasks) {
        this.file = file;
        this.tasks = tasks;
    }

    @Override
    public String codecId() {
        return CODEC_ID;
    }

    @Override
    public void produce(int task, WireOutput out, LongConsumer progress) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            long from = share(channel.size(), task);
            long to = share(channel.size(), task + 1);
            Share reading = new Share(channel, Math.max(0, from - 1));
            if (from > 0) {
                reading.skipLine(); // of the byte before ours: nothing but that byte if it ends a line
            }
            int untold = 0;
            while (reading.position() < to && reading.writeLine(out)) {
                if (++untold == STEP) {
                    progress.accept(untold);
                    untold = 0;
                }
            }
            progress.accept(untold);
        }
    }

    private long share(long size, int task) {
        return size / tasks * task + size % tasks * task / tasks;
    }

    @Override
    public Answer emptyAnswer() {
        return new TextTally();
    }

    /** What the file's bytes say, read here once more without tasks or wire. */
    @Override
    public List<String> expected() throws IOException {
        TextTally tally = new TextTally();
        byte[] bytes = new byte[PIECE];
        try (var in = Files.newInputStream(file)) {
            for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
                tally.addText(bytes, n);
            }
        }
        return tally.lines();
    }

    /** A file read line by line through a fixed buffer. */
    private static final class Share {

        private final FileChannel channel;
        private final byte[] bytes = new byte[PIECE];
        private long offset;
        private int at;
        private int end;

        Share(FileChannel channel, long offset) {
            this.channel = channel;
            this.offset = offset;
        }

        long position() {
            return offset - end + at;
        }

        void skipLine() throws IOException {
            while (fill()) {
                int length = pieceLength();
                at += length;
                if (bytes[at - 1] == '\n') {
                    return;
                }
            }
        }

        /** Writes the next line and answers whether there was one. */
        boolean writeLine(WireOutput out) throws IOException {
            boolean any = false;
            while (fill()) {
                int length = pieceLength();
                boolean ends = bytes[at + length - 1] == '\n';
                out.writeVarInt(length << 1 | (ends ? 0 : 1));
                out.writeBytes(bytes, at, length);
                at += length;
                if (ends) {
                    return true;
                }
                any = true;
            }
            if (any) {
                out.writeVarInt(0); // the file's last line has no line end
            }
            return any;
        }

        private int pieceLength() {
            for (int i = at; i < end; i++) {
                if (bytes[i] == '\n') {
                    return i + 1 - at;
                }
            }
            return end - at;
        }

        private boolean fill() throws IOException {
            if (at < end) {
                return true;
            }
            at = 0;
            end = Math.max(0, channel.read(ByteBuffer.wrap(bytes), offset));
            offset += end;
            return end > 0;
        }
    }
}
