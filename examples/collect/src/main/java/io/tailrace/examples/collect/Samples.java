// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import io.tailrace.examples.collect.child.Child.Role;
import io.tailrace.examples.collect.child.SampleFile;
import java.io.IOException;
import java.util.List;

/**
 * Serialised bytes live in one child over time.
 *
 * @param outOfMemory whether the child ended for want of memory behind the last sample
 */
record Samples(Role role, boolean outOfMemory, List<SampleFile.Sample> samples) {

    static Samples of(ChildProcess child) throws IOException {
        return new Samples(child.role(), child.ranOutOfMemory(), SampleFile.read(child.directory()));
    }
}
