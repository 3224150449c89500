// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.Serializable;
import org.apache.spark.SparkConf;
import org.apache.spark.serializer.Serializer;
import org.apache.spark.serializer.SerializerInstance;
import org.jspecify.annotations.Nullable;

/**
 * Spark's serializer of choice, {@code spark.tailrace.serializer}, in all that it does; but the streams of large task results go
 * another way: {@code spark.serializer=io.tailrace.spark.TailraceSerializer}, beside {@link TailracePlugin}.
 *
 * <p>Spark makes it before it knows of plugins and sends it along with shuffles, so it holds nothing but the other serializer.
 */
public final class TailraceSerializer extends Serializer implements Serializable {

    private static final long serialVersionUID = 1;

    @SuppressWarnings("serial") // Spark wants every serializer to be serializable, and says so in words only
    private final Serializer delegate;

    /** As Spark makes it. */
    public TailraceSerializer(SparkConf conf) {
        this.delegate = Settings.delegate(conf);
    }

    Serializer delegate() {
        return delegate;
    }

    @Override
    public Serializer setDefaultClassLoader(@Nullable ClassLoader loader) {
        super.setDefaultClassLoader(loader);
        delegate.setDefaultClassLoader(loader);
        return this;
    }

    @Override
    public SerializerInstance newInstance() {
        return new TailraceInstance(delegate);
    }

    @Override
    public boolean supportsRelocationOfSerializedObjects() {
        return delegate.supportsRelocationOfSerializedObjects();
    }
}
