// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.tailrace.core.frame.FrameHeader;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** One direction of the driver's link: all connections take turns at it, one write each. */
final class Trunk {

    private final Simulation world;
    private final ArrayDeque<End> turns = new ArrayDeque<>();
    private boolean busy;
    private long carried;

    Trunk(Simulation world) {
        this.world = world;
    }

    long carriedBytes() {
        return carried;
    }

    private void next() {
        End end = busy ? null : turns.poll();
        if (end == null) {
            return;
        }
        busy = true;
        Item item = end.flushed.remove();
        carried += item.length();
        world.after(Capacity.nanos(item.length(), Capacity.LINK_BYTES_PER_SECOND), () -> {
            busy = false;
            end.sent(item);
            end.inTurns = !end.flushed.isEmpty();
            if (end.inTurns) {
                turns.add(end);
            }
            next();
        });
    }

    /** What was written in one go; the region's bytes stay where they are until they have arrived. */
    private static final class Item {
        final byte[] bytes;
        final @Nullable Region region;

        Item(byte[] bytes, @Nullable Region region) {
            this.bytes = bytes;
            this.region = region;
        }

        int length() {
            return region == null ? bytes.length : region.wireBytes();
        }
    }

    /** Told of what an end asks for, and of what has come there. */
    interface Watch {
        void wants(long stream, boolean own);

        void arrived();
    }

    /**
     * What one end of a connection sends on this trunk.
     *
     * <p><b>Ownership.</b> A region is held until it has arrived.
     */
    final class End implements Link {
        private final Watch watch;
        private final ArrayDeque<Item> written = new ArrayDeque<>(2);
        private final ArrayDeque<Item> flushed = new ArrayDeque<>(2);
        private @Nullable End peer;
        private @Nullable Connection connection;
        private boolean inTurns;

        End(Watch watch) {
            this.watch = watch;
        }

        void attach(Connection mine, End other) {
            connection = mine;
            peer = other;
        }

        private Connection connection() {
            Connection mine = connection;
            if (mine == null) {
                throw new IllegalStateException("no connection");
            }
            return mine;
        }

        @Override
        public void write(Departure frames) {
            written.add(new Item(new byte[0], (Region) frames));
        }

        @Override
        public void write(ByteBuf frame) {
            byte[] bytes = ByteBufUtil.getBytes(frame);
            frame.release();
            if (FrameHeader.kind(bytes, 0) == FrameKind.BACKLOG) {
                ByteBuffer body = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
                watch.wants(body.getLong(FrameLayout.HEADER_LENGTH), body.get(FrameLayout.HEADER_LENGTH + 16) != 0);
            }
            written.add(new Item(bytes, null));
        }

        @Override
        public void flush() {
            flushed.addAll(written);
            written.clear();
            if (!inTurns && !flushed.isEmpty()) {
                inTurns = true;
                turns.add(this);
                next();
            }
        }

        @Override
        public void close() {
            flush();
        }

        private void sent(Item item) {
            if (item.region != null) {
                world.after(1, () -> connection().written());
            }
            End to = peer;
            if (to != null) {
                world.after(Capacity.LATENCY, () -> to.arrive(item));
            }
        }

        private void arrive(Item item) {
            Region region = item.region;
            if (region == null) {
                connection().received(ByteBuffer.wrap(item.bytes));
            } else {
                byte[] array = region.chunk().array();
                int from = region.chunk().arrayOffset() + region.from();
                connection().received(ByteBuffer.wrap(array, from, region.length()));
                ByteBuffer body = region.body();
                if (body != null) {
                    connection().received(body.duplicate());
                }
                region.release();
            }
            connection().receivedAll();
            watch.arrived();
        }
    }
}
