// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.netty.channel.local.LocalAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** What a connection of a test is made of. */
enum Way {
    /** A socket of the loopback address. */
    SOCKET {
        @Override
        SocketAddress address() {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        }
    },
    /** Netty's way within the process. */
    LOCAL {
        @Override
        SocketAddress address() {
            return new LocalAddress(Way.class);
        }
    };

    abstract SocketAddress address();
}
