// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.grpc.CallOptions;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * Each result a unary call of gRPC, over one plaintext connection, with the same bytes: an array that the same codec wrote.
 * Neither side copies it more often than gRPC does by itself; where its native transport is to be had, that is what is used.
 */
final class GrpcCalls implements SmallResults.Transport {

    private static final byte[] NOTHING = {};

    private static final MethodDescriptor<byte[], byte[]> METHOD = MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("bench.Results/Take")
            .setRequestMarshaller(new Bytes())
            .setResponseMarshaller(new Bytes())
            .build();

    private final SmallResults results;
    private final CodecBytes<List<Workloads.Row>> bytes = new CodecBytes<>(SmallResults.codec());
    private final Server server;
    private final ManagedChannel channel;
    private final StreamObserver<byte[]> answer = new Answer();

    /** @param direct has the event loops make the calls, and take the answers, themselves: no other thread is woken */
    GrpcCalls(SmallResults results, boolean direct) throws IOException {
        this.results = results;
        NettyServerBuilder listening =
                NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        if (direct) {
            listening.directExecutor();
        }
        server = listening
                .addService(ServerServiceDefinition.builder("bench.Results")
                        .addMethod(METHOD, ServerCalls.asyncUnaryCall(this::take))
                        .build())
                .build()
                .start();
        NettyChannelBuilder calling =
                NettyChannelBuilder.forAddress(server.getListenSockets().get(0)).usePlaintext();
        if (direct) {
            calling.directExecutor();
        }
        channel = calling.build();
    }

    @Override
    public void submit(List<Workloads.Row> result) throws IOException {
        ClientCalls.asyncUnaryCall(channel.newCall(METHOD, CallOptions.DEFAULT), bytes.encode(result), answer);
    }

    private void take(byte[] request, StreamObserver<byte[]> to) {
        try {
            results.received(bytes.decode(request));
            to.onNext(NOTHING);
            to.onCompleted();
        } catch (IOException e) {
            to.onError(Status.DATA_LOSS.withCause(e).asException());
        }
    }

    @Override
    public void close() {
        channel.shutdown();
        server.shutdown();
        Ending.await("gRPC's client", channel::awaitTermination);
        Ending.await("gRPC's server", server::awaitTermination);
    }

    /** The same for all calls. */
    private final class Answer implements StreamObserver<byte[]> {
        @Override
        public void onNext(byte[] empty) {
            // The end says all.
        }

        @Override
        public void onError(Throwable thrown) {
            results.answered(thrown);
        }

        @Override
        public void onCompleted() {
            results.answered(null);
        }
    }

    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new KnownBytes(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                byte[] value = new byte[stream.available()];
                if (stream.readNBytes(value, 0, value.length) < value.length || stream.read() >= 0) {
                    throw new IOException("of another length than " + value.length);
                }
                return value;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Without both of these, gRPC would copy it once more. */
    private static final class KnownBytes extends ByteArrayInputStream implements KnownLength, Drainable {
        KnownBytes(byte[] bytes) {
            super(bytes);
        }

        @Override
        public int drainTo(OutputStream target) throws IOException {
            int length = count - pos;
            target.write(buf, pos, length);
            pos = count;
            return length;
        }
    }
}
