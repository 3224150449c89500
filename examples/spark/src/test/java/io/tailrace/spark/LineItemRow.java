// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import io.trino.tpch.Distributions;
import io.trino.tpch.LineItem;
import io.trino.tpch.LineItemGenerator;
import io.trino.tpch.TextPool;
import java.io.Serializable;
import java.util.Iterator;
import java.util.stream.StreamSupport;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** A row of TPC-H's {@code lineitem} at scale 0.1, as an object of Java and as one of SQL. */
record LineItemRow(
        long orderKey,
        long partKey,
        long supplierKey,
        int lineNumber,
        long quantity,
        long extendedPriceInCents,
        long discountPercent,
        long taxPercent,
        String returnFlag,
        String status,
        int shipDate,
        int commitDate,
        int receiptDate,
        String shipInstructions,
        String shipMode,
        String comment)
        implements Serializable {

    /** The table's. */
    static final long NUMBER = 600_572;

    static final String SCHEMA = "orderkey BIGINT, partkey BIGINT, suppkey BIGINT, linenumber INT, quantity BIGINT,"
            + " extendedprice BIGINT, discount BIGINT, tax BIGINT, returnflag STRING, linestatus STRING, shipdate INT,"
            + " commitdate INT, receiptdate INT, shipinstruct STRING, shipmode STRING, comment STRING";

    private static final double SCALE = 0.1;

    /** The generator's own pool of text takes 300 MB; from a small one only the comments differ. */
    private static final class Text {
        static final TextPool POOL = new TextPool(1 << 20, Distributions.getDefaultDistributions());
    }

    /** One of so many parts of the table, made while it is iterated over. */
    static Iterator<LineItemRow> part(int part, int parts) {
        LineItemGenerator rows =
                new LineItemGenerator(SCALE, part + 1, parts, Distributions.getDefaultDistributions(), Text.POOL);
        return StreamSupport.stream(rows.spliterator(), false)
                .map(LineItemRow::of)
                .iterator();
    }

    private static LineItemRow of(LineItem row) {
        return new LineItemRow(
                row.getOrderKey(),
                row.getPartKey(),
                row.getSupplierKey(),
                row.getLineNumber(),
                row.getQuantity(),
                row.getExtendedPriceInCents(),
                row.getDiscountPercent(),
                row.getTaxPercent(),
                row.getReturnFlag(),
                row.getStatus(),
                row.getShipDate(),
                row.getCommitDate(),
                row.getReceiptDate(),
                row.getShipInstructions(),
                row.getShipMode(),
                row.getComment());
    }

    Row toRow() {
        return RowFactory.create(
                orderKey,
                partKey,
                supplierKey,
                lineNumber,
                quantity,
                extendedPriceInCents,
                discountPercent,
                taxPercent,
                returnFlag,
                status,
                shipDate,
                commitDate,
                receiptDate,
                shipInstructions,
                shipMode,
                comment);
    }
}
