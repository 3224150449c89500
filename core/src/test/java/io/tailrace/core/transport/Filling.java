// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;

/** So many bytes of a payload that its task determines, so that no byte can come from another one unnoticed. */
record Filling(ResultId id, long bytes) {

    static final ValueCodec<Filling> CODEC = new Codec();

    /** Writes the bytes from one position to another. */
    static void write(ResultId id, long from, long to, WireOutput out) throws IOException {
        Sample sample = sample(id);
        long at = from;
        for (; at < to && (at & 7) != 0; at++) {
            out.writeByte(byteAt(sample, at));
        }
        for (; at + 8 <= to; at += 8) {
            out.writeLong(sample.at(at >>> 3));
        }
        for (; at < to; at++) {
            out.writeByte(byteAt(sample, at));
        }
    }

    /** Reads to the end of the payload, or up to a position; returns where it stopped. */
    static long read(ResultId id, long to, WireInput in) throws IOException {
        Sample sample = sample(id);
        long at = in.position();
        while (at < to && !in.exhausted()) {
            if ((at & 7) == 0 && in.limit() - in.offset() >= 8 && at + 8 <= to) {
                require(in.readLong() == sample.at(at >>> 3), id, at);
                at += 8;
            } else {
                require(in.readByte() == byteAt(sample, at), id, at);
                at++;
            }
        }
        return at;
    }

    private static void require(boolean right, ResultId id, long at) {
        if (!right) {
            throw new AssertionError("a wrong byte of " + id + " was delivered at " + at);
        }
    }

    private static byte byteAt(Sample sample, long at) {
        return (byte) (sample.at(at >>> 3) >>> (8 * (at & 7)));
    }

    /** The attempts of a task are of the same bytes. */
    private static Sample sample(ResultId id) {
        return new Sample(id.stage() * 1_000_003L + id.task() * 7_919L, 0);
    }

    private static final class Codec implements ValueCodec<Filling> {
        @Override
        public String id() {
            return "filling/1";
        }

        @Override
        public void encode(Filling value, WireOutput out) throws IOException {
            write(value.id, 0, value.bytes, out);
        }

        @Override
        public Filling decode(WireInput in) throws IOException {
            ResultId id = in.resultId();
            if (id == null) {
                throw new MalformedDataException("a payload without a result", in.position());
            }
            return new Filling(id, read(id, Long.MAX_VALUE, in));
        }
    }
}
