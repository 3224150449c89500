// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.trino.tpch.LineItem;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class Query1Test {

    @Test
    void scaleFactorOneGivesThePublishedAnswer() {
        Query1 query = new Query1();
        new LineItems(1, 1).rows(0).forEach(row -> query.add(LineItemRow.of(row)));

        assertEquals(Query1.PUBLISHED, query.lines());
        assertEquals(6_001_215, query.rows());
    }

    @Test
    void scaleOneHundredthGivesWhatBigDecimalsGive() {
        Query1 query = new Query1();
        Map<String, Decimals> decimals = new TreeMap<>();
        for (LineItem row : new LineItems(0.01, 1).rows(0)) {
            query.add(LineItemRow.of(row));
            if (!LocalDate.ofEpochDay(row.getShipDate())
                    .isAfter(LocalDate.of(1998, 12, 1).minusDays(90))) {
                decimals.computeIfAbsent(row.getReturnFlag() + "|" + row.getStatus(), key -> new Decimals())
                        .add(row);
            }
        }

        List<String> expected = new ArrayList<>();
        decimals.forEach((key, sums) -> expected.add(key + "|" + sums.line()));
        assertEquals(expected, query.lines());
        assertEquals(4, expected.size());
    }

    @Test
    void tasksTogetherGiveWhatOneTaskGives() throws IOException {
        Query1 whole = new Query1();
        new LineItems(0.01, 1).rows(0).forEach(row -> whole.add(LineItemRow.of(row)));

        LineItems work = new LineItems(0.01, 7);
        Answer parts = work.emptyAnswer();
        long[] told = {0, 0};
        for (int task = 0; task < 7; task++) {
            SmallBuffers payload = new SmallBuffers();
            work.produce(task, payload.out(), rows -> told[0] += rows);
            Answer part = work.emptyAnswer();
            part.fold(payload.in(), rows -> told[1] += rows);
            parts.append(part);
        }

        assertEquals(whole.lines(), parts.lines());
        assertEquals(whole.rows(), told[0]);
        assertEquals(whole.rows(), told[1]);
    }

    @Test
    void sumsBeyondSixtyFourBitsAreExact() {
        Query1.Sum sum = new Query1.Sum();
        Query1.Sum other = new Query1.Sum();
        long almost = (1L << 62) - 1;
        for (int i = 0; i < 1_000; i++) {
            sum.add(almost);
            other.add(-almost);
            other.add(almost);
            other.add(almost);
        }
        sum.add(other);

        assertEquals(BigInteger.valueOf(almost).multiply(BigInteger.valueOf(2_000)), sum.total());
    }

    /** The query word for word, in decimals. */
    private static final class Decimals {

        private static final BigDecimal HUNDRED = BigDecimal.valueOf(100);

        private BigDecimal quantity = BigDecimal.ZERO;
        private BigDecimal price = BigDecimal.ZERO;
        private BigDecimal discounted = BigDecimal.ZERO;
        private BigDecimal charge = BigDecimal.ZERO;
        private BigDecimal discount = BigDecimal.ZERO;
        private long count;

        void add(LineItem row) {
            BigDecimal extendedPrice =
                    BigDecimal.valueOf(row.getExtendedPriceInCents()).divide(HUNDRED);
            BigDecimal rowDiscount =
                    BigDecimal.valueOf(row.getDiscountPercent()).divide(HUNDRED);
            BigDecimal tax = BigDecimal.valueOf(row.getTaxPercent()).divide(HUNDRED);
            BigDecimal discountedPrice = extendedPrice.multiply(BigDecimal.ONE.subtract(rowDiscount));
            quantity = quantity.add(BigDecimal.valueOf(row.getQuantity()));
            price = price.add(extendedPrice);
            discounted = discounted.add(discountedPrice);
            charge = charge.add(discountedPrice.multiply(BigDecimal.ONE.add(tax)));
            discount = discount.add(rowDiscount);
            count++;
        }

        String line() {
            BigDecimal rows = BigDecimal.valueOf(count);
            Stream<String> sums = Stream.of(quantity, price, discounted, charge)
                    .map(sum -> sum.setScale(2, RoundingMode.HALF_UP).toPlainString());
            Stream<String> averages = Stream.of(quantity, price, discount)
                    .map(sum -> sum.divide(rows, 2, RoundingMode.HALF_UP).toPlainString());
            return String.join("|", Stream.concat(sums, averages).toList()) + "|" + count;
        }
    }
}
