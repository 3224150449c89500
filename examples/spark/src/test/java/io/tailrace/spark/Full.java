// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/** Runs with {@code -Pproof} alone: each of these makes applications of its own, which take long to start. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("cluster")
@Tag("full")
@interface Full {}
