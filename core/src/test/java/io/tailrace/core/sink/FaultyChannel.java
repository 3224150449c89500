// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/** A real file's channel whose device fails where it is told to. */
final class FaultyChannel extends FileChannel {

    /** What each call throws; null lets it through. Writes fail when some are through. */
    record Faults(IOException force, IOException close, IOException write) {}

    private static final int WRITES_BEFORE = 5;

    private final FileChannel real;
    private final Faults faults;
    private int writes;

    FaultyChannel(FileChannel real, Faults faults) {
        this.real = real;
        this.faults = faults;
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        failLate();
        return real.write(src);
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        failLate();
        return real.write(srcs, offset, length);
    }

    private void failLate() throws IOException {
        if (faults.write() != null && writes++ >= WRITES_BEFORE) {
            throw faults.write();
        }
    }

    @Override
    public void force(boolean metaData) throws IOException {
        if (faults.force() != null) {
            throw faults.force();
        }
        real.force(metaData);
    }

    @Override
    protected void implCloseChannel() throws IOException {
        real.close();
        if (faults.close() != null) {
            throw faults.close();
        }
    }

    @Override
    public int read(ByteBuffer dst) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long position() throws IOException {
        return real.position();
    }

    @Override
    public FileChannel position(long newPosition) throws IOException {
        real.position(newPosition);
        return this;
    }

    @Override
    public long size() throws IOException {
        return real.size();
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
        real.truncate(size);
        return this;
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(ReadableByteChannel src, long position, long count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int read(ByteBuffer dst, long position) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer src, long position) {
        throw new UnsupportedOperationException();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) {
        throw new UnsupportedOperationException();
    }
}
