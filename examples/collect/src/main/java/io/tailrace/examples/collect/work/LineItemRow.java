// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import io.tailrace.codec.Codecs;
import io.tailrace.codec.Derivation;
import io.tailrace.core.wire.ValueCodec;
import io.trino.tpch.LineItem;
import java.util.Iterator;

/** A row of the table {@code lineitem}; dates are days since 1970, prices cents, discount and tax per cent. */
public record LineItemRow(
        long orderKey,
        long partKey,
        long supplierKey,
        int lineNumber,
        long quantity,
        long extendedPriceInCents,
        byte discountPercent,
        byte taxPercent,
        char returnFlag,
        char status,
        int shipDate,
        int commitDate,
        int receiptDate,
        String shipInstructions,
        String shipMode,
        String comment) {

    /** Rows of which nobody knows the number before the last one: its code is derived from this record. */
    public static final ValueCodec<Iterator<LineItemRow>> CODEC =
            Codecs.each(Derivation.builder().build().of(LineItemRow.class));

    static LineItemRow of(LineItem row) {
        return new LineItemRow(
                row.getOrderKey(),
                row.getPartKey(),
                row.getSupplierKey(),
                row.getLineNumber(),
                row.getQuantity(),
                row.getExtendedPriceInCents(),
                (byte) row.getDiscountPercent(),
                (byte) row.getTaxPercent(),
                row.getReturnFlag().charAt(0),
                row.getStatus().charAt(0),
                row.getShipDate(),
                row.getCommitDate(),
                row.getReceiptDate(),
                row.getShipInstructions(),
                row.getShipMode(),
                row.getComment());
    }
}
