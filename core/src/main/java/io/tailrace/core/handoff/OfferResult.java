// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

/** The answer to {@link Handoff#offer}. */
public enum OfferResult {
    /** The hand-off owns the element: it will be taken once, or given back once. */
    ACCEPTED,
    /** There is no room now; the element is still the caller's. */
    FULL,
    /** There will never be room again; the element is still the caller's. */
    CANCELLED
}
