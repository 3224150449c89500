// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A sink into one file for one result, complete or failed: written under a temporary name beside it, renamed when the end
 * frame is out. So under its own name the file is whole or not there; a process that dies leaves only a {@code .part}.
 *
 * <p><b>Ownership.</b> The file is this sink's until {@link #complete}; closed before that, it deletes what it wrote.
 *
 * <p><b>Threads.</b> The result's sending thread writes and completes; the owner closes after the result's end.
 */
public final class FileSink implements FrameSink {

    private static final Logger LOG = System.getLogger(FileSink.class.getName());

    private final Path target;
    private final Path part;
    private final boolean force;
    private final FileChannel channel;
    private final ChannelSink sink;
    private boolean completed;

    /** Over a channel of the part, so that a device's errors can be told of without the device. */
    FileSink(Path target, Path part, boolean force, FileChannel channel) {
        this.target = target;
        this.part = part;
        this.force = force;
        this.channel = channel;
        this.sink = ChannelSink.file(channel);
    }

    /** Replaces a file of that name when the result is complete. */
    public static FileSink create(Path target) throws IOException {
        return create(target, false);
    }

    /** The same; with {@code force} its bytes are on the device before it gets its name, and then the name is too. */
    public static FileSink create(Path target, boolean force) throws IOException {
        Path part = target.resolveSibling(target.getFileName() + "." + Long.toHexString(System.nanoTime()) + ".part");
        FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        return new FileSink(target, part, force, channel);
    }

    @Override
    public void write(FrameBatch batch) throws IOException {
        if (completed) {
            throw new IOException(target + " is complete: it holds one result");
        }
        sink.write(batch);
    }

    @Override
    public void complete() throws IOException {
        if (force) {
            channel.force(true);
        }
        channel.close();
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        completed = true;
        if (force) {
            forceDirectory();
        }
    }

    @Override
    public long outsideBytes() {
        return sink.outsideBytes();
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            if (!completed) {
                Files.deleteIfExists(part);
            }
        }
    }

    /** The new name is in the directory: without this it may be gone after a power cut, though the bytes are not. */
    private void forceDirectory() throws IOException {
        Path directory = target.toAbsolutePath().getParent();
        if (directory == null) {
            return;
        }
        try (FileChannel opened = FileChannel.open(directory, StandardOpenOption.READ)) {
            opened.force(true);
        } catch (AccessDeniedException e) {
            LOG.log(Level.DEBUG, "this system opens no directories to force them", e);
        }
    }
}
