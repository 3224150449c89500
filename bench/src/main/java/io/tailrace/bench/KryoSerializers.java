// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.Serializer;
import com.esotericsoftware.kryo.kryo5.io.Input;
import com.esotericsoftware.kryo.kryo5.io.Output;

/** Serializers of our records for Kryo, as its users write them; numbers are of fixed width, which is faster. */
final class KryoSerializers {

    private KryoSerializers() {}

    static void register(Kryo kryo, Class<?> type) {
        if (type == Workloads.Row.class) {
            kryo.register(type, new OfRows());
        } else if (type == TableLine.class) {
            kryo.register(type, new OfTableLines());
        } else {
            kryo.register(type);
        }
    }

    private static final class OfRows extends Serializer<Workloads.Row> {

        @Override
        public void write(Kryo kryo, Output out, Workloads.Row row) {
            out.writeLong(row.id());
            out.writeDouble(row.price());
            out.writeInt(row.quantity());
            out.writeLong(row.time());
            out.writeString(row.symbol());
            out.writeString(row.comment());
        }

        @Override
        public Workloads.Row read(Kryo kryo, Input in, Class<? extends Workloads.Row> type) {
            return new Workloads.Row(
                    in.readLong(), in.readDouble(), in.readInt(), in.readLong(), in.readString(), in.readString());
        }
    }

    private static final class OfTableLines extends Serializer<TableLine> {

        @Override
        public void write(Kryo kryo, Output out, TableLine line) {
            out.writeLong(line.orderKey());
            out.writeLong(line.partKey());
            out.writeLong(line.supplierKey());
            out.writeInt(line.line());
            out.writeLong(line.quantity());
            out.writeLong(line.price());
            out.writeByte(line.discount());
            out.writeByte(line.tax());
            out.writeChar(line.returned());
            out.writeChar(line.status());
            out.writeInt(line.shipped());
            out.writeInt(line.committed());
            out.writeInt(line.received());
            out.writeString(line.instructions());
            out.writeString(line.mode());
            out.writeString(line.comment());
        }

        @Override
        public TableLine read(Kryo kryo, Input in, Class<? extends TableLine> type) {
            return new TableLine(
                    in.readLong(),
                    in.readLong(),
                    in.readLong(),
                    in.readInt(),
                    in.readLong(),
                    in.readLong(),
                    in.readByte(),
                    in.readByte(),
                    in.readChar(),
                    in.readChar(),
                    in.readInt(),
                    in.readInt(),
                    in.readInt(),
                    in.readString(),
                    in.readString(),
                    in.readString());
        }
    }
}
