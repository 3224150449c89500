// SPDX-License-Identifier: Apache-2.0
/** Gives a payload's bytes their meaning. */
module io.tailrace.codec {
    requires transitive io.tailrace.core;
    requires org.lz4.java;
    requires org.objectweb.asm;
    requires static com.esotericsoftware.kryo.kryo5;
    requires static org.apache.arrow.format;
    requires static org.apache.arrow.memory.core;
    requires static org.apache.arrow.vector;
    requires static org.apache.fory.core;
    requires static org.jspecify;

    exports io.tailrace.codec;
    exports io.tailrace.codec.arrow;
    exports io.tailrace.codec.fory;
    exports io.tailrace.codec.java;
    exports io.tailrace.codec.kryo;
    exports io.tailrace.codec.lz4;
}
