// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.lang.reflect.Field;
import java.util.Arrays;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/** Audits every test whose class has no {@link LeakAudit} of its own; JUnit finds it as a service. */
public final class LeakAuditEverywhere implements BeforeEachCallback, AfterEachCallback {

    private static final Namespace OURS = Namespace.create(LeakAuditEverywhere.class);

    @Override
    public void beforeEach(ExtensionContext context) {
        boolean hasItsOwn = context.getRequiredTestInstances().getAllInstances().stream()
                .flatMap(instance -> Arrays.stream(instance.getClass().getDeclaredFields()))
                .map(Field::getType)
                .anyMatch(LeakAudit.class::equals);
        if (!hasItsOwn) {
            LeakAudit audit = new LeakAudit();
            audit.beforeEach(context);
            context.getStore(OURS).put(LeakAudit.class, audit);
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        LeakAudit audit = context.getStore(OURS).remove(LeakAudit.class, LeakAudit.class);
        if (audit != null) {
            audit.afterEach(context);
        }
    }
}
