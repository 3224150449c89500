// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.testing.Plan.Ending;
import java.io.IOException;

/** What befalls one direction of a connection once so many of its bytes were taken from their sender. */
sealed interface Fault {

    long at();

    void strike(ProxyPump pump) throws IOException;

    /** The next byte comes with a bit turned. */
    record Flip(long at, int bit) implements Fault {
        @Override
        public void strike(ProxyPump pump) {
            pump.flip(bit);
        }
    }

    record Cut(long at, Ending ending) implements Fault {
        @Override
        public void strike(ProxyPump pump) throws IOException {
            pump.connection().cut(ending);
        }
    }

    record Blackhole(long at) implements Fault {
        @Override
        public void strike(ProxyPump pump) {
            pump.connection().blackhole();
        }
    }

    record Stall(long at, long nanos) implements Fault {
        @Override
        public void strike(ProxyPump pump) throws IOException {
            pump.connection().stall(nanos);
        }
    }

    /** The next bytes are kept for a {@link Tell}, and passed on at once or not. */
    record Keep(long at, int length, boolean passes) implements Fault {
        @Override
        public void strike(ProxyPump pump) {
            pump.keep(length, passes);
        }
    }

    /** What was kept is passed on here. */
    record Tell(long at) implements Fault {
        @Override
        public void strike(ProxyPump pump) throws IOException {
            pump.tell();
        }
    }
}
