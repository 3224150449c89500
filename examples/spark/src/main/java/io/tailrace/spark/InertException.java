// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import org.apache.spark.SparkEnv;

/** Why large results are left to Spark. */
final class InertException extends Exception {

    private static final long serialVersionUID = 1;

    InertException(String reason) {
        super(reason);
    }

    /** The application's serializer, which is to be ours: code that registers Kryo's classes overwrites it. */
    static TailraceSerializer requireOurs(SparkEnv env) throws InertException {
        if (env.serializer() instanceof TailraceSerializer ours) {
            return ours;
        }
        throw new InertException(
                "spark.serializer is " + env.serializer().getClass().getName()
                        + ", not " + TailraceSerializer.class.getName()
                        + ": it was not set, or SparkConf.registerKryoClasses has overwritten it; set it behind that, with "
                        + Settings.SERIALIZER + "=org.apache.spark.serializer.KryoSerializer");
    }
}
