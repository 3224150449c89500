// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import java.util.Map;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskFailedReason;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connects an executor with the driver, and keeps each task known to its thread until its result is serialised.
 *
 * <p><b>Threads.</b> The executor's start and end; the tasks' own.
 */
final class ExecutorSide implements ExecutorPlugin {

    private static final Logger LOG = LoggerFactory.getLogger(ExecutorSide.class);

    private @Nullable Sending sending;

    @Override
    public void init(PluginContext context, Map<String, String> told) {
        try {
            start(context, told);
        } catch (InertException e) {
            LOG.warn("Tailrace stays inert in this executor: {}", e.getMessage());
        } catch (IOException | RuntimeException | LinkageError e) {
            LOG.warn("Tailrace stays inert in this executor: it could not be started", e);
        }
    }

    private void start(PluginContext context, Map<String, String> told) throws IOException, InertException {
        String host = told.get(DriverSide.HOST);
        String port = told.get(DriverSide.PORT);
        String secret = told.get(DriverSide.SECRET);
        if (host == null || port == null || secret == null) {
            throw new InertException("the driver does not receive");
        }
        SparkEnv env = SparkEnv.get();
        InertException.requireOurs(env);
        Canary.requireHook();
        Encryption encryption = Encryption.of(env.securityManager());
        if ((encryption.tls() != null) != Boolean.parseBoolean(told.get(DriverSide.TLS))) {
            throw new InertException("driver and executor do not agree on TLS");
        }
        ExecutorMeters meters = ExecutorMeters.in(context.metricRegistry());
        Sending started = new Sending(
                Settings.of(context.conf()),
                new InetSocketAddress(host, Integer.parseInt(port)),
                HexFormat.of().parseHex(secret),
                encryption.tls(),
                "executor " + context.executorID(),
                meters);
        ExecutorMeters.register(context.metricRegistry(), started.pool(), started.client());
        sending = started;
        Ends.sending(started);
        LOG.info("Tailrace sends large task results to {}:{}{}", host, port, encryption.suffix());
    }

    @Override
    public void onTaskStart() {
        TaskContext context = TaskContext.get();
        if (sending != null && context != null) {
            ResultHook.begin(new RunningTask(context));
        }
    }

    @Override
    public void onTaskSucceeded() {
        RunningTask task = ResultHook.end();
        if (task != null) {
            Canary.look(task);
        }
    }

    @Override
    public void onTaskFailed(TaskFailedReason reason) {
        ResultHook.end();
    }

    @Override
    public void shutdown() {
        Sending open = sending;
        sending = null;
        if (open != null) {
            Ends.sending(null);
            open.close();
        }
    }
}
