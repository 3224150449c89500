// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.ResultId;
import java.io.Closeable;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rest of one result on disk: frames are appended whole at one end and leave as bytes, in order, at the other. They are
 * plaintext at rest ({@link SpillDirectory}).
 *
 * <p>Writing and reading are plain file streams, each with a descriptor of its own, because a {@link FileChannel} would be
 * closed by an interrupt of whoever uses it. An interrupt is not looked at here, and the flag stays as it is.
 *
 * <p>A frame that the budget refuses leaves the file as it was. One that the device refuses is the last: frames before it can
 * be read, and what there is of it cannot.
 *
 * <p><b>Ownership.</b> Chunks are borrowed for the call. The bytes are charged to the directory's budget until the file is
 * gone, read or not.
 *
 * <p><b>Threads.</b> One appends and ends; one, which may be another, reads or transfers; they never wait for each other. Any
 * thread closes, which waits for a call in progress, and reads the numbers. What is counted by {@link #written} is readable.
 */
public final class SpillFile implements AutoCloseable {

    /** Most bytes given to the JDK at once: it copies them into memory of its own. */
    private static final int PIECE = 64 << 10;

    private static final int SCRATCH = 8 << 10;

    private final SpillDirectory directory;
    private final ResultId id;
    private final Path path;
    private final FileOutputStream out;
    private final FileInputStream in;
    private final Object writing = new Object();
    private final Object reading = new Object();
    private byte @Nullable [] scratch;
    private @Nullable Throwable broken;
    private long reserved;
    private long streamAt;
    private boolean gone;
    private volatile long written;
    private volatile long read;
    private volatile boolean ended;
    private volatile boolean closed;

    private SpillFile(SpillDirectory directory, ResultId id, Path path, FileOutputStream out, FileInputStream in) {
        this.directory = directory;
        this.id = id;
        this.path = path;
        this.out = out;
        this.in = in;
    }

    static SpillFile create(
            SpillDirectory directory, ResultId id, Path path, boolean named, FileAttribute<?>... ownerOnly)
            throws IOException {
        Files.createFile(path, ownerOnly);
        FileOutputStream out = null;
        FileInputStream in = null;
        try {
            out = new FileOutputStream(path.toFile());
            in = new FileInputStream(path.toFile());
            if (!named) {
                Files.delete(path);
            }
            return new SpillFile(directory, id, path, out, in);
        } catch (Throwable e) {
            close(out, e);
            close(in, e);
            close(() -> Files.deleteIfExists(path), e);
            throw e;
        }
    }

    private static void close(@Nullable Closeable opened, Throwable failed) {
        try {
            if (opened != null) {
                opened.close();
            }
        } catch (IOException e) {
            failed.addSuppressed(e);
        }
    }

    /**
     * Writes the chunk's readable bytes and its out-of-band body, or nothing that can be read.
     *
     * @throws BudgetExhaustedException when the disk budget has no room for all of them
     * @throws IOException when the device has none, or an earlier write failed, or the file is closed
     */
    public void append(Chunk chunk) throws IOException {
        append(Region.all(chunk));
    }

    /** The same for a part of a chunk; with its body, where it reaches to its end. */
    void append(Region region) throws IOException {
        synchronized (writing) {
            requireOpen();
            requireNotEnded();
            if (broken != null) {
                throw new IOException("an earlier write of " + this + " failed", broken);
            }
            int bytes = region.wireBytes();
            directory.reserve(bytes, id);
            reserved += bytes;
            try {
                Chunk chunk = region.chunk();
                write(chunk.array(), chunk.arrayOffset() + region.from(), region.length());
                writeBody(region.body());
            } catch (Throwable e) {
                broken = e;
                throw e;
            }
            long now = written + bytes; // one writer: no update is lost
            written = now;
            directory.wrote(bytes);
        }
    }

    /** Nothing more will be appended. */
    public void endOfResult() throws IOException {
        synchronized (writing) {
            requireOpen();
            requireNotEnded();
            if (broken != null) {
                throw new IOException("an earlier write of " + this + " failed", broken);
            }
            out.close();
            ended = true;
        }
    }

    /** Whether {@link #endOfResult} was called and all was read. */
    public boolean exhausted() {
        return ended && read == written; // in this order: nothing is written after the end
    }

    /** Bytes of whole frames. */
    public long written() {
        return written;
    }

    /** How many of them have been read or {@linkplain #consumed consumed}. */
    public long read() {
        return read;
    }

    /** How many wait. */
    public long transferable() {
        long first = read; // or the difference could be less than nothing
        return written - first;
    }

    /** Reads at least one byte where there is one; 0 when none is there yet, -1 behind the end of the result. */
    public int read(byte[] into, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, into.length);
        synchronized (reading) {
            requireOpen();
            boolean last = ended; // before what is written is asked
            long at = read;
            long there = written - at;
            if (there == 0) {
                return last ? -1 : 0;
            }
            if (at != streamAt) {
                streamAt += in.skip(at - streamAt); // a channel's transfers do not move it
            }
            int n = in.read(into, offset, (int) Math.min(Math.min(length, PIECE), there));
            if (n < 0 || streamAt != at) {
                throw new EOFException(
                        this + " was cut by somebody else: of " + there + " bytes at " + at + " none is there");
            }
            streamAt = at + n;
            read = at + n;
            return n;
        }
    }

    /** The last so many bytes that were read come again. */
    void unread(int bytes) {
        synchronized (reading) {
            long at = read;
            if (bytes < 0 || bytes > at) {
                throw new IllegalArgumentException(bytes + " bytes unread of " + at);
            }
            read = at - bytes;
        }
    }

    /**
     * To transfer {@link #transferable} bytes from position {@link #read}, which {@link #consumed} then counts.
     *
     * <p>It is this file's: closed, by whoever does or by an interrupt in a transfer, it takes reading with it. A Netty
     * {@code DefaultFileRegion} closes its channel when it is released, unless it is kept from that.
     */
    public FileChannel channel() throws IOException {
        synchronized (reading) {
            requireOpen();
            return in.getChannel();
        }
    }

    /** Counts bytes that went out through the {@link #channel}. */
    public void consumed(long bytes) throws IOException {
        synchronized (reading) {
            requireOpen();
            long at = read;
            if (bytes < 0 || bytes > written - at) {
                throw new IllegalArgumentException(bytes + " bytes consumed of " + (written - at));
            }
            read = at + bytes;
        }
    }

    /** Removes the file and gives its budget back. Where that fails it stays charged; the directory's close tries again. */
    @Override
    public void close() throws IOException {
        closed = true;
        synchronized (writing) {
            synchronized (reading) {
                if (gone) {
                    return;
                }
                scratch = null;
                try {
                    out.close();
                } finally {
                    try {
                        in.close();
                    } finally {
                        Files.deleteIfExists(path);
                        gone = true;
                        directory.gone(this, reserved);
                    }
                }
            }
        }
    }

    @Override
    public String toString() {
        return "the spilled rest of " + id;
    }

    private void write(byte[] bytes, int offset, int length) throws IOException {
        for (int done = 0; done < length; done += PIECE) {
            out.write(bytes, offset + done, Math.min(PIECE, length - done));
        }
    }

    private void writeBody(@Nullable ByteBuffer body) throws IOException {
        if (body == null) {
            return;
        }
        body.clear();
        if (body.hasArray()) {
            write(body.array(), body.arrayOffset(), body.remaining());
            return;
        }
        byte[] piece = scratch == null ? new byte[SCRATCH] : scratch;
        scratch = piece;
        while (body.hasRemaining()) {
            int n = Math.min(piece.length, body.remaining());
            body.get(piece, 0, n);
            out.write(piece, 0, n);
        }
    }

    private void requireOpen() throws IOException {
        if (closed) {
            throw new IOException(this + " is closed");
        }
    }

    private void requireNotEnded() {
        if (ended) {
            throw new IllegalStateException(this + " has ended");
        }
    }
}
