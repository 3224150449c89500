// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.LeakAudit;
import java.io.IOException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.function.Consumer;

/** A server and a client, each with a pool of its own, as two processes would have. */
final class Ends implements AutoCloseable {

    static final int CHUNK = 4 << 10;

    private final ChunkPool receiving;
    private final ChunkPool sending;
    private final ResultServer server;
    private final ResultEncoder encoder;
    private final ResultClient client;

    private Ends(Setup setup) throws IOException {
        receiving = setup.audit.pool(setup.receiving.patience(setup.patience));
        sending = setup.audit.pool(setup.sending.patience(setup.patience));
        ResultServer.Builder receiver = ResultServer.builder(receiving)
                .address(setup.way.address())
                .decodingOn(setup.audit.executor())
                .handler(setup.handler);
        setup.server.accept(receiver);
        server = receiver.start();
        ResultEncoder.Builder encoding = ResultEncoder.builder(sending).window(4);
        setup.encoder.accept(encoding);
        encoder = encoding.build();
        ResultClient.Builder sender = ResultClient.builder(encoder);
        setup.client.accept(sender);
        client = sender.connect(setup.via.over(server.address()));
    }

    static Setup of(LeakAudit audit, Way way, ResultServer.Handler handler) {
        return new Setup(audit, way, handler);
    }

    ResultServer server() {
        return server;
    }

    ResultClient client() {
        return client;
    }

    ResultEncoder encoder() {
        return encoder;
    }

    /** The server's pool. */
    ChunkPool receiving() {
        return receiving;
    }

    /** The client's pool. */
    ChunkPool sending() {
        return sending;
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }

    /** What lies between: a proxy's address instead of the server's. */
    @FunctionalInterface
    interface Via {
        SocketAddress over(SocketAddress server) throws IOException;
    }

    /** Their settings. */
    static final class Setup {
        private final LeakAudit audit;
        private final Way way;
        private final ResultServer.Handler handler;
        private ChunkPool.Builder receiving =
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(256L * CHUNK);
        private ChunkPool.Builder sending =
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(1_024L * CHUNK);
        private Duration patience = Duration.ofSeconds(20);
        private Consumer<ResultServer.Builder> server = builder -> {};
        private Consumer<ResultClient.Builder> client = builder -> {};
        private Consumer<ResultEncoder.Builder> encoder = builder -> {};
        private Via via = address -> address;

        private Setup(LeakAudit audit, Way way, ResultServer.Handler handler) {
            this.audit = audit;
            this.way = way;
            this.handler = handler;
        }

        Setup receiving(int chunkBytes, int chunks) {
            receiving = ChunkPool.builder().chunkBytes(chunkBytes).budgetBytes((long) chunkBytes * chunks);
            return this;
        }

        Setup sending(int chunkBytes, int chunks) {
            sending = ChunkPool.builder().chunkBytes(chunkBytes).budgetBytes((long) chunkBytes * chunks);
            return this;
        }

        /** How long both pools let somebody wait. */
        Setup patience(Duration longest) {
            patience = longest;
            return this;
        }

        Setup server(Consumer<ResultServer.Builder> settings) {
            server = settings;
            return this;
        }

        Setup client(Consumer<ResultClient.Builder> settings) {
            client = settings;
            return this;
        }

        Setup encoder(Consumer<ResultEncoder.Builder> settings) {
            encoder = settings;
            return this;
        }

        Setup via(Via between) {
            via = between;
            return this;
        }

        Ends open() throws IOException {
            return new Ends(this);
        }
    }
}
