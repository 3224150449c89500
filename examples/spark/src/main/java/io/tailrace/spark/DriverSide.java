// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.scheduler.TaskSchedulerImpl;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Begins to receive in the driver, and tells the executors where and with what secret. Where it does not, executors get no address
 * and change nothing.
 *
 * <p><b>Threads.</b> The one that makes and stops the Spark context.
 */
final class DriverSide implements DriverPlugin {

    static final String HOST = "host";

    /** Not "port": what ends so, Spark puts on command lines. */
    static final String PORT = "portNumber";

    static final String TLS = "tls";

    /** Spark hides the values of keys with this word. */
    static final String SECRET = "secret";

    private static final Logger LOG = LoggerFactory.getLogger(DriverSide.class);
    private static final int SECRET_BYTES = 32;
    private static final int HIGHEST_PORT = 65_535;

    private @Nullable Receiver receiver;

    @Override
    public Map<String, String> init(SparkContext spark, PluginContext context) {
        try {
            return start(spark, context);
        } catch (InertException e) {
            LOG.warn("Tailrace stays inert: {}", e.getMessage());
        } catch (IOException | RuntimeException | LinkageError e) {
            LOG.warn("Tailrace stays inert: it could not be started", e);
        }
        return Map.of();
    }

    private Map<String, String> start(SparkContext spark, PluginContext context) throws IOException, InertException {
        SparkConf conf = spark.conf();
        if (!conf.getBoolean(Settings.ENABLED, true)) {
            throw new InertException(Settings.ENABLED + "=false");
        }
        SparkEnv env = SparkEnv.get();
        TailraceSerializer serializer = InertException.requireOurs(env);
        Encryption encryption = Encryption.of(env.securityManager());
        byte[] secret = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(secret);
        StageTotals totals = new StageTotals(
                conf.getSizeAsBytes("spark.driver.maxResultSize", "1g"),
                (stage, message) -> abort(spark, stage, message));
        String host = conf.get("spark.driver.host");
        Receiver started = listen(
                conf,
                address -> new Receiver(
                        Settings.of(conf),
                        serializer.delegate(),
                        address,
                        secret,
                        encryption.tls(),
                        DriverMeters.in(context.metricRegistry()),
                        totals));
        try {
            Canary.requireClaims(started, serializer);
        } catch (InertException | RuntimeException | LinkageError e) {
            started.close();
            throw e;
        }
        DriverMeters.register(context.metricRegistry(), started.pool(), started.server(), started.arrivals());
        spark.addSparkListener(new TaskEvents(started.arrivals(), totals));
        receiver = started;
        Ends.receiver(started);
        LOG.info("Tailrace receives large task results on {}:{}{}", host, started.port(), encryption.suffix());
        return Map.of(
                HOST, host,
                PORT, String.valueOf(started.port()),
                TLS, String.valueOf(encryption.tls() != null),
                SECRET, HexFormat.of().formatHex(secret));
    }

    private interface Listening {
        Receiver at(InetSocketAddress address) throws IOException;
    }

    /** On the driver's own address; a port that is taken is followed by the next, as Spark does it. */
    private static Receiver listen(SparkConf conf, Listening listening) throws IOException {
        String bind = conf.get("spark.driver.bindAddress", conf.get("spark.driver.host"));
        int first = conf.getInt(Settings.DRIVER_PORT, 0);
        int last = first == 0 ? 0 : Math.min(HIGHEST_PORT, first + conf.getInt("spark.port.maxRetries", 16));
        for (int port = first; ; port++) {
            try {
                return listening.at(new InetSocketAddress(bind, port));
            } catch (IOException e) {
                if (port >= last) {
                    throw e;
                }
                LOG.info("Port {} is taken, the next is tried", port);
            }
        }
    }

    /** As Spark would: what is under way of the stage is killed at once. */
    private static void abort(SparkContext spark, StageAttempt stage, String message) {
        if (spark.taskScheduler() instanceof TaskSchedulerImpl scheduler) {
            scheduler.taskSetManagerForAttempt(stage.stage(), stage.attempt()).foreach(tasks -> {
                tasks.abort(message, scala.Option.empty());
                return null;
            });
        }
    }

    @Override
    public void shutdown() {
        Receiver open = receiver;
        receiver = null;
        if (open != null) {
            Ends.receiver(null);
            open.close();
        }
    }
}
