// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * TPC-H's query 1, the pricing summary report, over the rows shipped by 1998-09-02.
 *
 * <p>All sums are exact: cents, cents × percents and cents × percents × percents are whole numbers. They are rounded
 * once, to the two digits in which the answer is published.
 */
public final class Query1 implements Answer {

    public static final String COLUMNS = "l_returnflag|l_linestatus|sum_qty|sum_base_price|sum_disc_price|sum_charge"
            + "|avg_qty|avg_price|avg_disc|count_order";

    /** TPC-H's answer set at scale factor 1. */
    public static final List<String> PUBLISHED = List.of(
            "A|F|37734107.00|56586554400.73|53758257134.87|55909065222.83|25.52|38273.13|0.05|1478493",
            "N|F|991417.00|1487504710.38|1413082168.05|1469649223.19|25.52|38284.47|0.05|38854",
            "N|O|74476040.00|111701729697.74|106118230307.61|110367043872.50|25.50|38249.12|0.05|2920374",
            "R|F|37719753.00|56568041380.90|53741292684.60|55889619119.83|25.51|38250.85|0.05|1478870");

    private static final int LAST_SHIP_DATE = (int) LocalDate.of(1998, 9, 2).toEpochDay();
    private static final int LETTERS = 26;

    private final @Nullable Group[] groups = new @Nullable Group[LETTERS * LETTERS];
    private long rows;

    public void add(LineItemRow row) {
        rows++;
        if (row.shipDate() > LAST_SHIP_DATE) {
            return;
        }
        int key = (letter(row.returnFlag()) - 'A') * LETTERS + letter(row.status()) - 'A';
        group(key).add(row);
    }

    private static char letter(char flag) {
        if (flag < 'A' || flag > 'Z') {
            throw new IllegalArgumentException("the flag of a row is " + (int) flag + ", which is no letter");
        }
        return flag;
    }

    private Group group(int key) {
        Group group = groups[key];
        if (group == null) {
            group = new Group();
            groups[key] = group;
        }
        return group;
    }

    @Override
    public void fold(WireInput in, LongConsumer progress) throws IOException {
        try {
            new Told<>(LineItemRow.CODEC.decode(in), Function.identity(), progress).forEachRemaining(this::add);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    @Override
    public void append(Answer following) {
        Query1 other = (Query1) following;
        rows += other.rows;
        for (int key = 0; key < groups.length; key++) {
            Group group = other.groups[key];
            if (group != null) {
                group(key).append(group);
            }
        }
    }

    @Override
    public long rows() {
        return rows;
    }

    @Override
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (int key = 0; key < groups.length; key++) {
            Group group = groups[key];
            if (group != null) {
                lines.add((char) ('A' + key / LETTERS) + "|" + (char) ('A' + key % LETTERS) + "|" + group);
            }
        }
        return lines;
    }

    /** The sums of one group. */
    private static final class Group {

        private final Sum quantity = new Sum();
        private final Sum cents = new Sum();
        private final Sum discounted = new Sum();
        private final Sum charged = new Sum();
        private final Sum discount = new Sum();
        private long count;

        void add(LineItemRow row) {
            long price = row.extendedPriceInCents();
            long discountedPrice = price * (100 - row.discountPercent());
            quantity.add(row.quantity());
            cents.add(price);
            discounted.add(discountedPrice);
            charged.add(discountedPrice * (100 + row.taxPercent()));
            discount.add(row.discountPercent());
            count++;
        }

        void append(Group other) {
            quantity.add(other.quantity);
            cents.add(other.cents);
            discounted.add(other.discounted);
            charged.add(other.charged);
            discount.add(other.discount);
            count += other.count;
        }

        @Override
        public String toString() {
            return String.join(
                    "|",
                    quantity.rounded(0),
                    cents.rounded(2),
                    discounted.rounded(4),
                    charged.rounded(6),
                    quantity.average(0, count),
                    cents.average(2, count),
                    discount.average(2, count),
                    Long.toString(count));
        }
    }

    /** An exact sum: a long that is emptied into a big number long before it could overflow. */
    static final class Sum {

        private static final long FULL = 1L << 62;

        private long low;
        private BigInteger high = BigInteger.ZERO;

        /** Adds a number below 2^62 in magnitude. */
        void add(long number) {
            low += number;
            if (low >= FULL || low <= -FULL) {
                high = total();
                low = 0;
            }
        }

        void add(Sum other) {
            high = total().add(other.total());
            low = 0;
        }

        BigInteger total() {
            return high.add(BigInteger.valueOf(low));
        }

        String rounded(int decimals) {
            return new BigDecimal(total(), decimals)
                    .setScale(2, RoundingMode.HALF_UP)
                    .toPlainString();
        }

        String average(int decimals, long count) {
            return new BigDecimal(total(), decimals)
                    .divide(BigDecimal.valueOf(count), 2, RoundingMode.HALF_UP)
                    .toPlainString();
        }
    }
}
