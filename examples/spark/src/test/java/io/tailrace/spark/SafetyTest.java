// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What was asked of Spark about security is held to. */
@Full
final class SafetyTest {

    private static final String PASSWORD = "changeit";

    @TempDir
    Path directory;

    private static SparkConf authenticated() {
        return Cluster.conf(Cluster.TWO_EXECUTORS)
                .set("spark.authenticate", "true")
                .set("spark.authenticate.secret", "a secret of this test");
    }

    @Test
    void authenticationIsHadByASecretThatNobodyIsShown() {
        try (Cluster cluster = Cluster.start(authenticated())) {
            Values.assertBlocks(Values.blocks(cluster.spark(), 4, 32).collect(), 4, 32);
            assertEquals(4, cluster.received());
            String key = "spark.plugins.internal.conf." + TailracePlugin.class.getName() + "." + DriverSide.SECRET;
            String secret = cluster.spark().getConf().get(key);
            assertEquals(64, secret.length());
            String command = cluster.spark()
                    .parallelize(List.of(0), 1)
                    .map(any -> ManagementFactory.getRuntimeMXBean()
                            .getInputArguments()
                            .toString())
                    .first();
            assertFalse(command.contains(TailracePlugin.class.getName()), command);
            String redacted = org.apache.spark.util.Utils.redact(
                            cluster.spark().getConf(),
                            scala.jdk.javaapi.CollectionConverters.asScala(List.of(new scala.Tuple2<>(key, secret)))
                                    .toSeq())
                    .toString();
            assertFalse(redacted.contains(secret), redacted);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"spark.network.crypto.enabled", "spark.authenticate.enableSaslEncryption"})
    void whatSparkEncryptsIsLeftToSpark(String key) {
        try (JavaSparkContext spark = new JavaSparkContext(authenticated().set(key, "true"))) {
            assertNull(Ends.receiver());
            Values.assertBlocks(Values.blocks(spark, 2, 32).collect(), 2, 32);
        }
    }

    @Test
    void tlsIsHadByTheKeyStoresOfSpark() throws Exception {
        Path keys = directory.resolve("keys.p12");
        Path certificate = directory.resolve("certificate.pem");
        Path trust = directory.resolve("trust.p12");
        keytool("-genkeypair -alias a -keyalg EC -dname CN=tailrace -ext san=ip:127.0.0.1 -keystore " + keys);
        keytool("-exportcert -rfc -alias a -file " + certificate + " -keystore " + keys);
        keytool("-importcert -noprompt -alias a -file " + certificate + " -keystore " + trust);
        SparkConf conf = authenticated()
                .set("spark.ssl.rpc.enabled", "true")
                .set("spark.ssl.rpc.keyStore", keys.toString())
                .set("spark.ssl.rpc.keyStorePassword", PASSWORD)
                .set("spark.ssl.rpc.keyPassword", PASSWORD)
                .set("spark.ssl.rpc.trustStore", trust.toString())
                .set("spark.ssl.rpc.trustStorePassword", PASSWORD)
                .set("spark.ssl.rpc.protocol", "TLSv1.3");
        try (Cluster cluster = Cluster.start(conf)) {
            Values.assertBlocks(Values.blocks(cluster.spark(), 4, 32).collect(), 4, 32);
            assertEquals(4, cluster.received());
            assertEquals(
                    "true",
                    cluster.spark()
                            .getConf()
                            .get("spark.plugins.internal.conf." + TailracePlugin.class.getName() + "."
                                    + DriverSide.TLS));
        }
    }

    private static void keytool(String options) throws IOException, InterruptedException {
        String tool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        List<String> command = Stream.concat(
                        Stream.of(tool), Stream.of((options + " -storetype PKCS12 -storepass " + PASSWORD).split(" ")))
                .toList();
        assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
    }
}
