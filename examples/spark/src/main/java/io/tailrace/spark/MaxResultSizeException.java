// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

/** A stage's results are larger than {@code spark.driver.maxResultSize}, in Spark's words. No retry would help. */
final class MaxResultSizeException extends RuntimeException {

    private static final long serialVersionUID = 1;

    MaxResultSizeException(String message) {
        super(message);
    }
}
