// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.netty.util.ReferenceCounted;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The walls of the house: which package knows which, what is hidden, and what no class may be. */
final class ArchitectureTest {

    private static final String ROOT = "io.tailrace.core";
    private static final Set<String> EXPORTED =
            Set.of(ROOT, ROOT + ".chunk", ROOT + ".sink", ROOT + ".transport", ROOT + ".wire");

    private final Path classFolder = classFolder();
    private final JavaClasses classes = new ClassFileImporter().importPath(classFolder);

    @Test
    void packagesKnowOnlyThoseBelowThem() {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("core")
                .definedBy(ROOT)
                .layer("transport")
                .definedBy(ROOT + ".transport")
                .layer("mux")
                .definedBy(ROOT + ".mux")
                .layer("sink")
                .definedBy(ROOT + ".sink")
                .layer("frame")
                .definedBy(ROOT + ".frame")
                .layer("chunk")
                .definedBy(ROOT + ".chunk")
                .layer("handoff")
                .definedBy(ROOT + ".handoff")
                .layer("netty")
                .definedBy(ROOT + ".netty")
                .layer("wire")
                .definedBy(ROOT + ".wire")
                .whereLayer("transport")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("core")
                .mayOnlyBeAccessedByLayers("transport")
                .whereLayer("mux")
                .mayOnlyBeAccessedByLayers("transport")
                .whereLayer("sink")
                .mayOnlyBeAccessedByLayers("transport", "core")
                .whereLayer("frame")
                .mayOnlyBeAccessedByLayers("transport", "core", "mux", "sink")
                .whereLayer("chunk")
                .mayOnlyBeAccessedByLayers("transport", "core", "mux", "sink", "frame")
                .whereLayer("handoff")
                .mayOnlyBeAccessedByLayers("transport", "core", "mux", "sink", "chunk")
                .whereLayer("netty")
                .mayOnlyBeAccessedByLayers("transport", "core", "sink")
                .whereLayer("wire")
                .mayNotAccessAnyLayer()
                .check(classes);
    }

    @Test
    void handoffKnowsNothingOfOurs() {
        noClasses()
                .that()
                .resideInAPackage(ROOT + ".handoff")
                .should()
                .dependOnClassesThat(resideInAPackage(ROOT + "..").and(resideOutside(ROOT + ".handoff")))
                .check(classes);
    }

    @Test
    void everyClassIsInOneOfThePackages() {
        Set<String> packages = classes.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());
        packages.remove(""); // module-info
        assertEquals(
                Set.of(
                        ROOT,
                        ROOT + ".chunk",
                        ROOT + ".frame",
                        ROOT + ".handoff",
                        ROOT + ".mux",
                        ROOT + ".netty",
                        ROOT + ".sink",
                        ROOT + ".transport",
                        ROOT + ".wire"),
                packages);
    }

    @Test
    void nothingUsesInternalsOfTheJdk() {
        noClasses()
                .should()
                .dependOnClassesThat(resideInAnyPackage("sun..", "com.sun..", "jdk.internal.."))
                .check(classes);
    }

    @Test
    void onlyNettysOwnClassesKnowItsTransport() {
        noClasses()
                .that(nameMatching(".*\\.Netty\\w*(\\$.*)?").negate().as("are not Netty's own"))
                .and()
                .resideOutsideOfPackage(ROOT + ".transport")
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "io.netty.channel..", "io.netty.handler..", "io.netty.bootstrap..", "io.netty.resolver.."))
                .check(classes);
    }

    @Test
    void wireKnowsOfNettyOnlyItsBuffers() {
        noClasses()
                .that()
                .resideInAPackage(ROOT + ".wire")
                .should()
                .dependOnClassesThat(resideInAPackage("io.netty..")
                        .and(resideOutside("io.netty.buffer"))
                        .and(not(type(ReferenceCounted.class)))) // as a ByteBuf is
                .check(classes);
    }

    @Test
    void everyClassIsClosedToInheritance() {
        classes()
                .that(alwaysTrue())
                .should(new ArchCondition<>("be final, sealed, a record, an enum or an interface") {
                    @Override
                    public void check(JavaClass each, ConditionEvents events) {
                        boolean closed = each.isInterface()
                                || each.isEnum()
                                || each.isAnonymousClass()
                                || each.getModifiers().contains(JavaModifier.FINAL)
                                || each.getName().endsWith("-info")
                                || each.reflect().isSealed();
                        events.add(new SimpleConditionEvent(each, closed, each.getName() + " is open"));
                    }
                })
                .check(classes);
    }

    @Test
    void onlyOnePackageParksThreads() {
        noClasses()
                .that(nameMatching(".*\\.handoff\\.Waiting(\\$.*)?").negate().as("are not Waiting"))
                .should()
                .callMethodWhere(DescribedPredicate.describe("that parks or waits", call -> {
                    String owner = call.getTargetOwner().getName();
                    String name = call.getName();
                    return switch (owner) {
                        case "java.util.concurrent.locks.LockSupport" -> name.startsWith("park");
                        case "java.lang.Object" -> name.equals("wait");
                        case "java.lang.Thread" -> name.equals("sleep");
                        default -> false;
                    };
                }))
                .check(classes);
    }

    @Test
    void moduleExportsWhatIsForUsersAndNothingElse() throws IOException {
        try (InputStream bytes = Files.newInputStream(classFolder.resolve("module-info.class"))) {
            ModuleDescriptor module = ModuleDescriptor.read(bytes);
            assertEquals(
                    EXPORTED,
                    module.exports().stream()
                            .map(ModuleDescriptor.Exports::source)
                            .collect(Collectors.toSet()));
            assertTrue(module.exports().stream().noneMatch(ModuleDescriptor.Exports::isQualified));
            assertTrue(module.opens().isEmpty());
        }
    }

    @Test
    void exportedSignaturesShowNoHiddenType() {
        classes()
                .that()
                .resideInAnyPackage(EXPORTED.toArray(String[]::new))
                .and()
                .arePublic()
                .should(new ArchCondition<>("show only exported types") {
                    @Override
                    public void check(JavaClass each, ConditionEvents events) {
                        for (JavaMethod method : each.getMethods()) {
                            boolean shown = method.getModifiers().contains(JavaModifier.PUBLIC);
                            boolean hidden = Stream.concat(
                                            Stream.of(method.getRawReturnType()),
                                            method.getRawParameterTypes().stream())
                                    .anyMatch(ArchitectureTest::isHidden);
                            events.add(new SimpleConditionEvent(method, !(shown && hidden), method.getFullName()));
                        }
                        Stream.concat(each.getAllRawInterfaces().stream(), each.getAllRawSuperclasses().stream())
                                .forEach(above -> events.add(new SimpleConditionEvent(
                                        each, !isHidden(above), each.getName() + " is a " + above.getName())));
                    }
                })
                .check(classes);
    }

    private static boolean isHidden(JavaClass type) {
        return type.getPackageName().startsWith(ROOT) && !EXPORTED.contains(type.getPackageName());
    }

    private static DescribedPredicate<JavaClass> resideOutside(String name) {
        return resideInAPackage(name).negate();
    }

    private static Path classFolder() {
        try {
            return Path.of(ResultReader.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
