// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.lang.reflect.Constructor;
import java.time.Duration;
import org.apache.spark.SparkConf;
import org.apache.spark.serializer.JavaSerializer;
import org.apache.spark.serializer.Serializer;

/**
 * What a user may set, by keys that begin with {@code spark.tailrace}.
 *
 * @param minBytes a smaller result goes Spark's own way, byte for byte
 * @param sliceArrays whether an array of objects is written slice by slice, as {@link ArraySlices}
 * @param chunkBytes of each chunk, on both sides
 * @param window most chunks live for one result, on each side
 * @param executorMemory budget for what an executor sends
 * @param driverMemory budget for what the driver receives
 * @param decoders most results that the driver decodes at once
 * @param driverPort where the driver listens; 0 is any port
 * @param connectLimit how long a result waits for the connection
 * @param killedAttempts how often the same task may be killed for a lost channel
 */
record Settings(
        int minBytes,
        boolean sliceArrays,
        int chunkBytes,
        int window,
        long executorMemory,
        long driverMemory,
        int decoders,
        int driverPort,
        Duration connectLimit,
        LostPolicy lost,
        int killedAttempts) {

    static final String ENABLED = "spark.tailrace.enabled";
    static final String SERIALIZER = "spark.tailrace.serializer";
    static final String SLICE_ARRAYS = "spark.tailrace.sliceArrays";
    static final String ON_LOST_CHANNEL = "spark.tailrace.onLostChannel";
    static final String DRIVER_PORT = "spark.tailrace.driver.port";

    static Settings of(SparkConf conf) {
        return new Settings(
                atLeast(1, conf, "spark.tailrace.minBytes", "1m"),
                conf.getBoolean(SLICE_ARRAYS, false),
                atLeast(512, conf, "spark.tailrace.chunkBytes", "64k"),
                conf.getInt("spark.tailrace.window", 8),
                conf.getSizeAsBytes("spark.tailrace.executor.memory", "16m"),
                conf.getSizeAsBytes("spark.tailrace.driver.memory", "16m"),
                conf.getInt("spark.tailrace.driver.decoders", 4),
                conf.getInt(DRIVER_PORT, 0),
                Duration.ofMillis(conf.getTimeAsMs("spark.tailrace.connectTimeout", "10s")),
                LostPolicy.of(conf),
                conf.getInt("spark.tailrace.maxKilledAttempts", 3));
    }

    private static int atLeast(int least, SparkConf conf, String key, String otherwise) {
        long bytes = conf.getSizeAsBytes(key, otherwise);
        if (bytes < least || bytes > 1 << 30) {
            throw new IllegalArgumentException(key + "=" + bytes + ": " + least + " bytes to 1g");
        }
        return (int) bytes;
    }

    /** The serializer that does the work, made as Spark makes its own. */
    static Serializer delegate(SparkConf conf) {
        String name = conf.get(SERIALIZER, JavaSerializer.class.getName());
        if (name.equals(TailraceSerializer.class.getName())) {
            throw new IllegalArgumentException(
                    SERIALIZER + "=" + name + ": the serializer that does the work is meant");
        }
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        ClassLoader loader = context == null ? Settings.class.getClassLoader() : context;
        try {
            Class<? extends Serializer> type = Class.forName(name, true, loader).asSubclass(Serializer.class);
            for (Constructor<?> constructor : type.getConstructors()) {
                Class<?>[] wanted = constructor.getParameterTypes();
                if (wanted.length == 1 && wanted[0] == SparkConf.class) {
                    return (Serializer) constructor.newInstance(conf);
                }
            }
            return type.getConstructor().newInstance();
        } catch (ReflectiveOperationException | ClassCastException e) {
            throw new IllegalArgumentException(SERIALIZER + "=" + name + " cannot be made", e);
        }
    }
}
