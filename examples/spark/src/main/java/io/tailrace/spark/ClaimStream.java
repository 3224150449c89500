// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.util.function.Function;
import org.apache.spark.SparkException;
import org.apache.spark.serializer.DeserializationStream;
import org.jspecify.annotations.Nullable;
import scala.reflect.ClassTag;

/**
 * A token in the place of a value: reading it takes the value, which is here already, so that nothing waits.
 *
 * <p><b>Threads.</b> Spark's result getter's.
 */
final class ClaimStream extends DeserializationStream {

    private final InputStream from;
    private final Receiver receiver;
    private Token.@Nullable Read token;

    private ClaimStream(InputStream from, Receiver receiver, Token.Read token) {
        this.from = from;
        this.receiver = receiver;
        this.token = token;
    }

    /** Looks at the first bytes; what does not begin as a token is the other serializer's, from its first byte. */
    static DeserializationStream orOrdinary(
            InputStream from, Receiver receiver, Function<InputStream, DeserializationStream> ordinary) {
        try {
            byte[] first = from.readNBytes(Token.MARK_LENGTH);
            if (receiver.token().begins(first)) {
                return new ClaimStream(from, receiver, Token.read(from.readAllBytes()));
            }
            PushbackInputStream whole = new PushbackInputStream(from, Token.MARK_LENGTH);
            whole.unread(first);
            return ordinary.apply(whole);
        } catch (IOException e) {
            throw Rethrow.as(e);
        }
    }

    @Override
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals", "NullAway"}) // Spark's own signature
    public <T> T readObject(ClassTag<T> tag) {
        Token.Read read = token;
        token = null;
        if (read == null) {
            throw Rethrow.as(new EOFException("a task has one result"));
        }
        if (read.refusal() != null) {
            throw Rethrow.as(new SparkException(read.refusal()));
        }
        return (T) receiver.claim(read.task());
    }

    @Override
    public void close() {
        try {
            from.close();
        } catch (IOException e) {
            throw Rethrow.as(e);
        }
    }
}
