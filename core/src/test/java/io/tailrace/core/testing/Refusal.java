// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

/** A row of the format's table of refusals: its reason and its scope. */
final class Refusal extends Exception {

    private static final long serialVersionUID = 1;

    final boolean ofConnection;

    Refusal(String reason, boolean ofConnection) {
        super(reason, null, false, false);
        this.ofConnection = ofConnection;
    }

    String reason() {
        return String.valueOf(getMessage());
    }

    /** Scope result. */
    static void unless(boolean holds, String reason) throws Refusal {
        if (!holds) {
            throw new Refusal(reason, false);
        }
    }

    /** Scope connection. */
    static void connectionUnless(boolean holds, String reason) throws Refusal {
        if (!holds) {
            throw new Refusal(reason, true);
        }
    }
}
