// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives one application to all test classes of this JVM that want no settings of their own, since each takes seconds to start. Behind
 * each test nothing is left in it.
 */
final class SharedCluster implements ParameterResolver, AfterEachCallback {

    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(SharedCluster.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Cluster.class;
    }

    @Override
    public Cluster resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return of(context);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        of(context).assertNothingIsLeft();
    }

    /** Which JUnit closes behind the last class. */
    private static Cluster of(ExtensionContext context) {
        return context.getRoot().getStore(NAMESPACE).computeIfAbsent(Cluster.class, any -> start(), Cluster.class);
    }

    private static Cluster start() {
        return Cluster.start(Cluster.conf(Cluster.TWO_EXECUTORS).set("spark.driver.maxResultSize", "20m"));
    }
}
