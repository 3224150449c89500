// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What the harness itself costs: the floor under every other figure. */
@State(Scope.Thread)
public class HarnessBaseline {

    private long value = 42;

    @Benchmark
    public long field() {
        return value++;
    }
}
