// SPDX-License-Identifier: Apache-2.0
/**
 * For codec authors: where a value's bytes are written and read.
 *
 * <p>A codec implements {@link io.tailrace.core.wire.ValueCodec}: it writes one value to a
 * {@link io.tailrace.core.wire.WireOutput} and reads one from a {@link io.tailrace.core.wire.WireInput}. It knows nothing of
 * frames, chunks, sinks or threads. This package knows of no memory but a Netty {@code ByteBuf}, so a codec is tested with two
 * bare heap buffers.
 *
 * <p><b>The region.</b> Both types show a part of one array: {@code array()}, {@code offset()}, {@code limit()}. A codec may use
 * the ready methods, or read and write the array itself between offset and limit and say how far it came by
 * {@code commit(newOffset)}. {@code next()} changes the region for the next one, and so does any other call that reads or
 * writes: array, offset and limit are good only until then. {@code WireOutput.ensure(n)} makes sure of n bytes in one region.
 *
 * <p><b>Ownership.</b> A codec owns nothing here and releases nothing. {@code WireOutput} and {@code WireInput} hold one buffer
 * at a time, which they pass on to their nested port ({@code Next}, {@code Source}) by forgetting it first; who gets it owns it,
 * even if the call then throws. What {@code read…} methods return is a copy and lives as long as it likes; what
 * {@code borrowBytes} returns is the chunk's memory and expires with the next call. What goes into {@code writeOutOfBand} is
 * sent by reference and must not change until the result is finished.
 *
 * <p><b>Failures.</b> A payload is not trusted: whatever its bytes are, reading ends in a value or in a
 * {@link io.tailrace.core.wire.ResultException}, and allocates little ahead of the bytes that came. A codec should throw one too,
 * when bytes make no value of its kind. One codec runs in one thread at a time for one result, never in an I/O thread.
 */
@NullMarked
package io.tailrace.core.wire;

import org.jspecify.annotations.NullMarked;
