// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import org.apache.spark.serializer.DeserializationStream;
import org.apache.spark.serializer.SerializationStream;
import org.apache.spark.serializer.Serializer;
import org.apache.spark.serializer.SerializerInstance;
import org.apache.spark.util.io.ChunkedByteBufferInputStream;
import org.apache.spark.util.io.ChunkedByteBufferOutputStream;
import org.jspecify.annotations.Nullable;
import scala.reflect.ClassTag;

/**
 * The other serializer's instance, whose streams are looked at twice: an executor's may be a task's result, a driver's a token.
 *
 * <p><b>Threads.</b> One thread, as Spark has it.
 */
final class TailraceInstance extends SerializerInstance {

    private final Serializer serializer;
    private @Nullable SerializerInstance delegate;

    TailraceInstance(Serializer serializer) {
        this.serializer = serializer;
    }

    /** Made when it is wanted: a claim of a token needs none. */
    private SerializerInstance delegate() {
        SerializerInstance made = delegate;
        if (made == null) {
            made = serializer.newInstance();
            delegate = made;
        }
        return made;
    }

    @Override
    public <T> ByteBuffer serialize(T value, ClassTag<T> tag) {
        return delegate().serialize(value, tag);
    }

    @Override
    public <T> T deserialize(ByteBuffer bytes, ClassTag<T> tag) {
        return delegate().deserialize(bytes, tag);
    }

    @Override
    public <T> T deserialize(ByteBuffer bytes, ClassLoader loader, ClassTag<T> tag) {
        return delegate().deserialize(bytes, loader, tag);
    }

    @Override
    public SerializationStream serializeStream(OutputStream to) {
        Sending sending = Ends.sending();
        if (sending != null && to instanceof ChunkedByteBufferOutputStream result) {
            RunningTask task = ResultHook.taskOf();
            if (task != null) {
                return new ResultStream(serializer, task, sending, result);
            }
        }
        return delegate().serializeStream(to);
    }

    @Override
    public DeserializationStream deserializeStream(InputStream from) {
        Receiver receiver = Ends.receiver();
        return receiver == null || !(from instanceof ChunkedByteBufferInputStream)
                ? delegate().deserializeStream(from)
                : ClaimStream.orOrdinary(from, receiver, delegate()::deserializeStream);
    }
}
