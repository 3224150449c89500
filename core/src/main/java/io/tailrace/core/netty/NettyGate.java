// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.netty;

import io.netty.channel.ChannelHandlerContext;

/**
 * Keeps a channel from being read while a handler has no room: autoRead goes off, and a read that the owner asks for
 * itself is withheld until there is room again. So a channel is left in the mode that it was in.
 *
 * <p><b>Threads.</b> The handler's executor alone, or whoever ends the handler once that has ended.
 */
public final class NettyGate {

    private boolean shut;
    private boolean autoRead;
    private boolean withheld;

    public boolean isShut() {
        return shut;
    }

    /** What a handler does with a read that comes by. */
    public void read(ChannelHandlerContext context) {
        if (shut) {
            withheld = true;
        } else {
            context.read();
        }
    }

    public void shut(ChannelHandlerContext context) {
        shut = true;
        if (context.channel().config().isAutoRead()) {
            autoRead = true;
            context.channel().config().setAutoRead(false);
        }
    }

    public void open(ChannelHandlerContext context) {
        shut = false;
        if (context.executor().isShuttingDown() || context.channel().eventLoop().isShuttingDown()) {
            return; // a read would only be refused
        }
        if (autoRead) {
            autoRead = false;
            context.channel().config().setAutoRead(true);
        }
        if (withheld) {
            withheld = false;
            context.read();
        }
    }
}
