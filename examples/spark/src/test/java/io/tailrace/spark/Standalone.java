// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** A master, and workers on two addresses of this host. */
final class Standalone implements AutoCloseable {

    private final List<ChildJvm> daemons = new ArrayList<>();
    private final int port;

    private Standalone(int port) {
        this.port = port;
    }

    /** Workers have that many cores and that much memory each. */
    static Standalone start(int cores, int mebibytes) throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Standalone cluster = new Standalone(port);
        Runtime.getRuntime().addShutdownHook(new Thread(cluster::close));
        cluster.launch("master.Master", "--host 127.0.0.1 --webui-port 0 --port " + port);
        for (int i = 0; !cluster.listens(); i++) {
            if (i == 1000) {
                throw new IOException("there is no master: see " + ChildJvm.log());
            }
            LockSupport.parkNanos(100_000_000);
        }
        for (int host = 1; host <= 2; host++) {
            cluster.launch(
                    "worker.Worker",
                    "--cores " + cores + " --memory " + mebibytes + "m --webui-port 0 --host 127.0.0." + host
                            + " --work-dir " + System.getProperty("java.io.tmpdir") + "/work " + cluster.url());
        }
        return cluster;
    }

    private boolean listens() {
        try (Socket open = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return open.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private void launch(String main, String options) throws IOException {
        daemons.add(ChildJvm.start(List.of("-Xmx256m"), "", "org.apache.spark.deploy." + main, options.split(" ")));
    }

    String url() {
        return "spark://127.0.0.1:" + port;
    }

    @Override
    public void close() {
        daemons.forEach(ChildJvm::close);
    }
}
