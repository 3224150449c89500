// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

/** A value came whole, and the driver's serializer cannot read it. No retry would help. */
final class UndecodableValueException extends RuntimeException {

    private static final long serialVersionUID = 1;

    UndecodableValueException(Throwable cause) {
        super(cause.toString(), cause);
    }
}
