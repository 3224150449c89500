// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.serializer.KryoSerializer;
import org.junit.jupiter.api.Test;

/** Kryo does the work. */
@Full
final class KryoTest {

    private static SparkConf conf() {
        return Cluster.conf(Cluster.TWO_EXECUTORS)
                .set(Settings.SERIALIZER, KryoSerializer.class.getName())
                .set("spark.kryo.registrationRequired", "true");
    }

    @Test
    void registeredClassesComeAndOthersFailTheJob() throws Exception {
        try (Cluster cluster = Cluster.start(conf().set("spark.kryo.classesToRegister", "[[B"))) {
            Values.assertBlocks(Values.blocks(cluster.spark(), 4, 48).collect(), 4, 48);
            assertEquals(4, cluster.received());
            SparkException thrown = assertThrows(
                    SparkException.class,
                    () -> cluster.spark()
                            .parallelize(List.of(0), 1)
                            .flatMap(i -> List.<Object>of(new byte[4 << 20], new LongAdder())
                                    .iterator())
                            .collect());
            assertTrue(thrown.getMessage().contains("Class is not registered"), thrown.getMessage());
        }
    }

    @Test
    void oneProcessMayBeBothEnds() {
        SparkConf conf = conf().setMaster("local[2]").set("spark.kryo.classesToRegister", "[[B");
        try (Cluster cluster = Cluster.start(conf)) {
            Values.assertBlocks(Values.blocks(cluster.spark(), 4, 48).collect(), 4, 48);
            assertEquals(4, cluster.received());
        }
        assertNull(Ends.receiver());
        assertNull(Ends.sending());
    }

    @Test
    void registeringClassesBySparkConfMakesThePluginInertWithAWarningAndNothingElse() {
        SparkConf conf = conf().set("spark.kryo.registrationRequired", "false");
        conf.registerKryoClasses(new Class<?>[] {byte[][].class});
        try (Logged logged = Logged.with("inert");
                JavaSparkContext spark = new JavaSparkContext(conf)) {
            assertNull(Ends.receiver());
            String warning = logged.lines().get(0);
            assertTrue(
                    warning.startsWith("WARN DriverSide: Tailrace stays inert: spark.serializer is "
                            + KryoSerializer.class.getName()),
                    warning);
            assertTrue(warning.contains("SparkConf.registerKryoClasses has overwritten it"), warning);
            Values.assertBlocks(Values.blocks(spark, 2, 32).collect(), 2, 32);
        }
    }
}
