// SPDX-License-Identifier: Apache-2.0
/**
 * Typed values: codecs for plain types and collections ({@link io.tailrace.codec.Codecs}), derived for classes ({@link
 * io.tailrace.codec.Derivation}), and rows ({@link io.tailrace.codec.Columns}). The bytes are those of VALUE_FORMAT.md.
 */
@NullMarked
package io.tailrace.codec;

import org.jspecify.annotations.NullMarked;
