// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One port of {@value #OUTSIDE}, behind which is the same of {@value #INSIDE}.
 *
 * <p><b>Threads.</b> One accepts, and each connection has two.
 */
final class Relay implements AutoCloseable {

    static final String OUTSIDE = "127.0.0.2";
    static final String INSIDE = "127.0.0.1";

    private final ServerSocket listening;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    private Relay(ServerSocket listening) {
        this.listening = listening;
    }

    static Relay start() throws IOException {
        Relay started = new Relay(new ServerSocket(0, 50, InetAddress.getByAddress(new byte[] {127, 0, 0, 2})));
        begin(started::accept);
        return started;
    }

    String port() {
        return String.valueOf(listening.getLocalPort());
    }

    /** Ends all connections. */
    void cut() {
        open.forEach(Relay::end);
    }

    private static void begin(Runnable what) {
        Thread thread = new Thread(what, "relay");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                connect(listening.accept());
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void connect(Socket outside) {
        open.add(outside);
        try {
            Socket inside = new Socket(InetAddress.getLoopbackAddress(), listening.getLocalPort());
            open.add(inside);
            begin(() -> pump(outside, inside));
            begin(() -> pump(inside, outside));
        } catch (IOException e) {
            end(outside); // nobody listens there
        }
    }

    private void pump(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException e) {
            // one side is gone, and so is the other
        }
        end(from);
        end(to);
        open.remove(from);
        open.remove(to);
    }

    private static void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        cut();
    }
}
