// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The name under which one process's spill files lie in a directory, and the locked file that says that it lives.
 *
 * <pre>
 *   tailrace-PID-START-RANDOM.lock       locked as long as its process lives
 *   tailrace-PID-START-RANDOM-N.spill    goes with the lock file of that name
 * </pre>
 *
 * <p>A lock file that can be locked belongs to a dead process. Those of this process, which its pid and start tell, are never
 * opened: POSIX drops all of a process's locks of a file when it closes any descriptor of that file. A lock file may be swept
 * between its creation and its locking: whoever holds the lock and finds the name gone claims another one.
 *
 * <p><b>Ownership.</b> The lock file is this object's until {@link #close}.
 *
 * <p><b>Threads.</b> Immutable; who opened it closes it.
 */
final class SpillClaim {

    private static final Logger LOG = System.getLogger(SpillClaim.class.getName());
    private static final String LOCK = ".lock";
    private static final Pattern LOCK_NAME =
            Pattern.compile("((tailrace-[0-9a-f]{1,16}-[0-9a-f]{1,16}-)[0-9a-f]{16})\\.lock");
    private static final int ATTEMPTS = 100;

    private final Path directory;
    private final String name;
    private final FileChannel locked;

    private SpillClaim(Path directory, String name, FileChannel locked) {
        this.directory = directory;
        this.name = name;
        this.locked = locked;
    }

    static SpillClaim of(Path directory, FileAttribute<?>... ownerOnly) throws IOException {
        SecureRandom random = new SecureRandom();
        for (int i = 0; i < ATTEMPTS; i++) {
            String name = process() + String.format("%016x", random.nextLong());
            Path lock = directory.resolve(name + LOCK);
            FileChannel channel =
                    FileChannel.open(lock, Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW), ownerOnly);
            try {
                if (channel.tryLock() != null && Files.exists(lock, LinkOption.NOFOLLOW_LINKS)) {
                    return new SpillClaim(directory, name, channel);
                }
                channel.close();
            } catch (Throwable e) {
                channel.close();
                Files.deleteIfExists(lock);
                throw e;
            }
        }
        throw new IOException("no lock file stays in " + directory + ": " + ATTEMPTS + " were taken away at once");
    }

    Path lockFile() {
        return directory.resolve(name + LOCK);
    }

    Path file(long number) {
        return directory.resolve(name + '-' + number + ".spill");
    }

    /** Removes what processes left that are dead; what cannot be judged or removed stays. */
    void sweep() throws IOException {
        for (String each : names(directory)) {
            Matcher lock = LOCK_NAME.matcher(each);
            if (lock.matches() && !lock.group(2).equals(process())) {
                sweep(lock.group(1));
            }
        }
    }

    void close() throws IOException {
        try (locked) {
            Files.deleteIfExists(lockFile()); // while locked: nobody takes it for a dead one's meanwhile
        }
    }

    private void sweep(String dead) {
        Path lock = directory.resolve(dead + LOCK);
        if (!Files.isRegularFile(lock, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
                FileLock held = channel.tryLock()) {
            if (held != null) {
                for (String each : names(directory)) {
                    if (each.startsWith(dead + '-')) {
                        Files.deleteIfExists(directory.resolve(each));
                    }
                }
                Files.deleteIfExists(lock); // last: what could not be removed is tried again by the next one
            }
        } catch (NoSuchFileException e) {
            LOG.log(Level.DEBUG, "somebody else removes what {0} left", dead);
        } catch (IOException | OverlappingFileLockException e) {
            LOG.log(Level.WARNING, "what " + dead + " left in " + directory + " stays there", e);
        }
    }

    /** Of this process alone, in whatever class loader it is asked. */
    private static String process() {
        ProcessHandle current = ProcessHandle.current();
        long start = current.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
        return "tailrace-" + Long.toHexString(current.pid()) + '-' + Long.toHexString(start) + '-';
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> String.valueOf(file.getFileName())).toList();
        }
    }
}
