// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * A local directory for what results have left when they cannot go on, with a disk budget that is never exceeded.
 *
 * <p><b>Plaintext at rest.</b> Spilled bytes are the result's frames as they are, neither encrypted nor wiped: whoever reads
 * the disk reads them. Where the file system has POSIX permissions, directory and files are the owner's alone, and a file
 * loses its name as soon as it is open: no listing shows it, and the system frees it with the process, however that dies.
 * Elsewhere the directory's own rules hold, and a file keeps its name until it is closed.
 *
 * <p>What a killed process leaves is removed by the next one that opens the directory; what belongs to a live one never is.
 * That is told by a lock file for each, so the directory's file system must have locks that work between its users.
 *
 * <p><b>Ownership.</b> The directory is the user's and stays. Files and the lock file are this object's: closed, it removes
 * those that were not. A JVM that exits closes it.
 *
 * <p><b>Threads.</b> Any thread opens, closes and reads the numbers. The budget is one compare-and-set.
 */
public final class SpillDirectory implements AutoCloseable {

    private static final Logger LOG = System.getLogger(SpillDirectory.class.getName());

    private final Path path;
    private final long budgetBytes;
    private final boolean named;
    private final FileAttribute<?>[] ownerOnly;
    private final SpillClaim claim;
    private final Set<SpillFile> files = ConcurrentHashMap.newKeySet();
    private final AtomicLong numbers = new AtomicLong();
    private final AtomicLong onDisk = new AtomicLong();
    private final AtomicLong peak = new AtomicLong();
    private final LongAdder written = new LongAdder();
    private final Thread atExit = new Thread(null, this::closeAtExit, "tailrace-spill-exit", 0, false);
    private volatile boolean closed;

    private SpillDirectory(Path path, long budgetBytes, boolean named) throws IOException {
        this.path = path;
        this.budgetBytes = budgetBytes;
        boolean posix = isPosix(path);
        this.named = named || !posix;
        this.ownerOnly = ownerOnly(posix, "rw-------");
        this.claim = SpillClaim.of(path, ownerOnly);
    }

    /**
     * Opens the directory, which is made for the owner alone where it is missing, and removes what dead processes left in it.
     *
     * @param directory of the default file system
     * @param budgetBytes most bytes on disk at once, all files of this object together; blocks and names are not counted
     * @throws IOException when it cannot be made or written, or when users other than this process's could write in it. A
     *     sticky one that all may write, such as /tmp, is refused too: name one of its own inside it
     */
    public static SpillDirectory open(Path directory, long budgetBytes) throws IOException {
        return open(directory, budgetBytes, false);
    }

    /** With {@code named}, as on a system that cannot remove the name of an open file. */
    static SpillDirectory open(Path directory, long budgetBytes, boolean named) throws IOException {
        if (budgetBytes < 0) {
            throw new IllegalArgumentException("a disk budget of " + budgetBytes + " bytes");
        }
        Files.createDirectories(directory.toFile().toPath(), ownerOnly(isPosix(directory), "rwx------"));
        Path path = directory.toRealPath();
        requireUnshared(path);
        SpillDirectory opened = new SpillDirectory(path, budgetBytes, named);
        try {
            opened.requireOwned();
            opened.claim.sweep();
            Runtime.getRuntime().addShutdownHook(opened.atExit);
        } catch (IllegalStateException e) {
            opened.closeAtExit();
            throw new IOException("the JVM exits: nothing is spilled any more", e);
        } catch (Throwable e) {
            opened.closeAtExit();
            throw e;
        }
        return opened;
    }

    /** A new, empty file for one result. */
    public SpillFile open(ResultId id) throws IOException {
        requireOpen();
        SpillFile file = SpillFile.create(this, id, claim.file(numbers.getAndIncrement()), named, ownerOnly);
        files.add(file);
        try {
            requireOpen(); // or the close that came meanwhile would have missed it
        } catch (IOException e) {
            file.close();
            throw e;
        }
        return file;
    }

    public long budgetBytes() {
        return budgetBytes;
    }

    /** What live files have written or are about to write. */
    public long bytesOnDisk() {
        return onDisk.get();
    }

    public long peakBytesOnDisk() {
        return peak.get();
    }

    /** What all files together, gone ones too, have been written. */
    public long writtenBytes() {
        return written.sum();
    }

    /** How many are open. */
    public int files() {
        return files.size();
    }

    @Override
    public void close() throws IOException {
        if (!closed) {
            try {
                Runtime.getRuntime().removeShutdownHook(atExit);
            } catch (IllegalStateException e) {
                // The JVM exits: the hook finds this object closed, or closes the rest with us.
            }
        }
        closeFiles();
    }

    Path lockFile() {
        return claim.lockFile();
    }

    void reserve(int bytes, ResultId id) throws BudgetExhaustedException {
        long now = onDisk.get();
        while (bytes <= budgetBytes - now) {
            if (onDisk.compareAndSet(now, now + bytes)) {
                peak.accumulateAndGet(now + bytes, Math::max);
                return;
            }
            now = onDisk.get();
        }
        throw new BudgetExhaustedException(
                "no " + bytes + " bytes are left of the disk budget for spilled results", budgetBytes, now, id);
    }

    void wrote(int bytes) {
        written.add(bytes);
    }

    /** Called once by a file that is gone from the disk. */
    void gone(SpillFile file, long reserved) {
        files.remove(file);
        onDisk.addAndGet(-reserved);
    }

    private void closeFiles() throws IOException {
        closed = true;
        IOException failed = null;
        for (SpillFile file : files) {
            try {
                file.close();
            } catch (IOException e) {
                failed = joined(failed, e);
            }
        }
        try {
            claim.close();
        } catch (IOException e) {
            failed = joined(failed, e);
        }
        if (failed != null) {
            throw failed;
        }
    }

    private static IOException joined(@Nullable IOException first, IOException next) {
        if (first == null) {
            return next;
        }
        first.addSuppressed(next);
        return first;
    }

    private void closeAtExit() {
        try {
            closeFiles();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "spilled results stay in " + path, e);
        }
    }

    private void requireOpen() throws IOException {
        if (closed) {
            throw new IOException("the spill directory " + path + " is closed");
        }
    }

    private static void requireUnshared(Path path) throws IOException {
        if (isPosix(path)) {
            Set<PosixFilePermission> all = Files.getPosixFilePermissions(path);
            if (all.contains(PosixFilePermission.GROUP_WRITE) || all.contains(PosixFilePermission.OTHERS_WRITE)) {
                throw new IOException(path + " is " + PosixFilePermissions.toString(all)
                        + ": results are spilled only where no other user can write (chmod go-w, or one inside it)");
            }
        }
    }

    /** The lock file tells who we are. */
    private void requireOwned() throws IOException {
        if (isPosix(path) && !Files.getOwner(path).equals(Files.getOwner(claim.lockFile()))) {
            throw new IOException(path + " is owned by " + Files.getOwner(path)
                    + ": results are spilled only where no other user can write");
        }
    }

    private static boolean isPosix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private static FileAttribute<?>[] ownerOnly(boolean posix, String permissions) {
        return posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }
}
