// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.mux.Tally;
import java.io.IOException;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/**
 * One connection's life, for Java Flight Recorder.
 *
 * <p><b>Threads.</b> The connection's loop.
 */
@Name("io.tailrace.Connection")
@Label("Tailrace Connection")
@Category("Tailrace")
@Description("A multiplexed connection, from its handshake to its end")
@StackTrace(false)
final class ConnectionEvent extends Event {

    @Label("Direction")
    String direction = "";

    @Label("Peer")
    String peer = "";

    @Label("Channel")
    String channel = "";

    @Label("Reason")
    String reason = "";

    @Label("Fault")
    String fault = "";

    @Label("Sent Bytes")
    @DataAmount
    long sentBytes;

    @Label("Received Bytes")
    @DataAmount
    long receivedBytes;

    @Label("Spilled Bytes")
    @DataAmount
    long spilledBytes;

    @Label("Results Begun")
    long resultsBegun;

    @Label("Results Accepted")
    long resultsAccepted;

    @Label("Results Failed Before")
    @Description("Without those that were lost with the connection")
    long resultsFailed;

    static ConnectionEvent begin(String direction, String peer, String channel) {
        ConnectionEvent event = new ConnectionEvent();
        event.direction = direction;
        event.peer = peer;
        event.channel = channel;
        event.begin();
        return event;
    }

    void end(String why, @Nullable IOException cause, Tally tally) {
        end();
        if (shouldCommit()) {
            reason = why;
            fault = cause == null ? "" : cause.toString();
            sentBytes = tally.sentBytes.get();
            receivedBytes = tally.receivedBytes.get();
            spilledBytes = tally.spilled.sum();
            resultsBegun = tally.resultsBegun.get();
            resultsAccepted = tally.resultsAccepted.get();
            resultsFailed = tally.resultsFailed.get();
            commit();
        }
    }
}
