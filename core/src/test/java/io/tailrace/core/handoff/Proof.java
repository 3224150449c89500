// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

/** How much the tests of this package prove: {@code -Dtailrace.proof=full} for the published figures. */
final class Proof {
    static final boolean FULL = "full".equals(System.getProperty("tailrace.proof"));

    private Proof() {}
}
