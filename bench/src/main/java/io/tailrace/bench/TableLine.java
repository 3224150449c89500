// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.trino.tpch.LineItem;
import java.io.Serializable;

/**
 * A row of TPC-H's {@code lineitem}, its sixteen columns in the table's order: price in cents, discount and tax in percent,
 * dates in days since 1970-01-01. Public, so that no contender has to get round an access check.
 */
public record TableLine(
        long orderKey,
        long partKey,
        long supplierKey,
        int line,
        long quantity,
        long price,
        byte discount,
        byte tax,
        char returned,
        char status,
        int shipped,
        int committed,
        int received,
        String instructions,
        String mode,
        String comment)
        implements Serializable {

    static TableLine of(LineItem item) {
        return new TableLine(
                item.getOrderKey(),
                item.getPartKey(),
                item.getSupplierKey(),
                item.getLineNumber(),
                item.getQuantity(),
                item.getExtendedPriceInCents(),
                (byte) item.getDiscountPercent(),
                (byte) item.getTaxPercent(),
                item.getReturnFlag().charAt(0),
                item.getStatus().charAt(0),
                item.getShipDate(),
                item.getCommitDate(),
                item.getReceiptDate(),
                item.getShipInstructions(),
                item.getShipMode(),
                item.getComment());
    }
}
