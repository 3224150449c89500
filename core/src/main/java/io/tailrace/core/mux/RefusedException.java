// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.frame.ByeReason;
import java.io.IOException;

/** A refusal that the peer is told with another reason than a broken protocol. */
final class RefusedException extends IOException {

    private static final long serialVersionUID = 1;

    private final ByeReason reason;
    private final String text;

    RefusedException(ByeReason reason, String text) {
        super(text.isEmpty() ? reason.toString() : text);
        this.reason = reason;
        this.text = text;
    }

    static RefusedException notAuthenticated() {
        return new RefusedException(ByeReason.NOT_AUTHENTICATED, "not authenticated");
    }

    ByeReason reason() {
        return reason;
    }

    String text() {
        return text;
    }
}
