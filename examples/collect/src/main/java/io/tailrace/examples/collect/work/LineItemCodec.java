// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import io.trino.tpch.LineItem;
import java.io.IOException;

/**
 * The row layout of TPC-H's {@code lineitem}: its sixteen columns in the table's order.
 *
 * <p>Keys, quantity and price in cents are longs; discount and tax are whole percents; the two flags are one byte
 * each; dates are days since 1970-01-01; the three texts are UTF-8.
 */
public final class LineItemCodec implements ValueCodec<LineItem> {

    public static final String ID = "lineitem/1";

    @Override
    public String id() {
        return ID;
    }

    @Override
    public void encode(LineItem row, WireOutput out) throws IOException {
        out.writeLong(row.getOrderKey());
        out.writeLong(row.getPartKey());
        out.writeLong(row.getSupplierKey());
        out.writeInt(row.getLineNumber());
        out.writeLong(row.getQuantity());
        out.writeLong(row.getExtendedPriceInCents());
        out.writeByte((int) row.getDiscountPercent());
        out.writeByte((int) row.getTaxPercent());
        out.writeByte(row.getReturnFlag().charAt(0));
        out.writeByte(row.getStatus().charAt(0));
        out.writeInt(row.getShipDate());
        out.writeInt(row.getCommitDate());
        out.writeInt(row.getReceiptDate());
        out.writeUtf8(row.getShipInstructions());
        out.writeUtf8(row.getShipMode());
        out.writeUtf8(row.getComment());
    }

    @Override
    public LineItem decode(WireInput in) throws IOException {
        return new LineItem(
                0, // the row's number within its task is no column
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readInt(),
                in.readLong(),
                in.readLong(),
                in.readByte(),
                in.readByte(),
                flag(in),
                flag(in),
                in.readInt(),
                in.readInt(),
                in.readInt(),
                in.readUtf8(),
                in.readUtf8(),
                in.readUtf8());
    }

    private static String flag(WireInput in) throws IOException {
        int flag = in.readByte();
        if (flag < 'A' || flag > 'Z') {
            throw new IOException("the flag of a row is " + flag + ", which is no letter");
        }
        return FLAGS[flag - 'A'];
    }

    private static final String[] FLAGS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".split("");
}
