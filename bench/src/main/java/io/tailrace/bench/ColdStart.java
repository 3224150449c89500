// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What does the first result cost that a fresh JVM encodes? Child JVMs in turn, each of one contender, each of which makes
 * rows, then its codec, then encodes the rows into memory twice.
 *
 * <pre>java -cp benchmarks.jar io.tailrace.bench.ColdStart [children of each] [rows ...]</pre>
 */
public final class ColdStart {

    private static final String OPEN = "--add-opens=java.base/java.lang=ALL-UNNAMED";

    private enum Contender {
        TAILRACE_OPEN("Tailrace", "Tailrace, java.lang open", OPEN),
        TAILRACE("Tailrace", "Tailrace, java.lang closed", ""),
        KRYO("Kryo", "Kryo 5", ""),
        KRYO_BY_HAND("Kryo by hand", "Kryo 5, serializers by hand", ""),
        FORY("Fory", "Fory", ""),
        JAVA("ObjectOutputStream", "ObjectOutputStream", "");

        private final String format;
        private final String title;
        private final String option;

        Contender(String format, String title, String option) {
            this.format = format;
            this.title = title;
            this.option = option;
        }
    }

    /** What is measured, in the table's order; all but the last by the child itself. */
    private enum Figure {
        CODEC,
        FIRST,
        SECOND,
        PROCESS
    }

    private record Case(Contender contender, int rows) {}

    /** One contender's turn. Its arguments: the format, the number of rows. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) throws IOException {
            List<Workloads.Row> rows = new ArrayList<>(Arrays.asList(Workloads.rows(Integer.parseInt(args[1]))));
            long start = System.nanoTime();
            try (ValueFormat<Workloads.Row> format = ValueFormat.named(args[0], Workloads.Row.class)) {
                long made = System.nanoTime();
                int bytes = format.bytes(rows).length;
                long first = System.nanoTime();
                bytes -= format.bytes(rows).length;
                long second = System.nanoTime();
                if (bytes != 0) {
                    throw new IllegalStateException("the second result has " + -bytes + " bytes more");
                }
                System.out.println(Figure.CODEC + "=" + (made - start));
                System.out.println(Figure.FIRST + "=" + (first - start));
                System.out.println(Figure.SECOND + "=" + (second - first));
            }
        }
    }

    private ColdStart() {}

    public static void main(String[] args) throws Exception {
        int children = args.length > 0 ? Integer.parseInt(args[0]) : 15;
        int[] rows = args.length > 1
                ? Arrays.stream(args).skip(1).mapToInt(Integer::parseInt).toArray()
                : new int[] {1_000, 100_000};
        Map<Case, Map<Figure, List<Long>>> figures = new LinkedHashMap<>();
        for (int i = 0; i < children; i++) {
            for (int count : rows) {
                for (Contender contender : Contender.values()) {
                    Map<Figure, List<Long>> of =
                            figures.computeIfAbsent(new Case(contender, count), c -> new LinkedHashMap<>());
                    child(contender, count)
                            .forEach((figure, nanos) -> of.computeIfAbsent(figure, f -> new ArrayList<>())
                                    .add(nanos));
                }
            }
        }
        System.out.printf("%nCold start, JDK %s, ms, medians of %d JVMs each%n%n", Runtime.version(), children);
        System.out.println("| | rows | codec made | and first result encoded | second result | whole process |");
        System.out.println("|---|---|---|---|---|---|");
        figures.forEach((of, measured) -> {
            System.out.printf("| %s | %,d |", of.contender().title, of.rows());
            for (Figure figure : Figure.values()) {
                System.out.printf(" %.2f |", median(measured.getOrDefault(figure, List.of())) / 1e6);
            }
            System.out.println();
        });
    }

    private static Map<Figure, Long> child(Contender contender, int rows) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (!contender.option.isEmpty()) {
            command.add(contender.option);
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Child.class.getName()));
        command.addAll(List.of(contender.format, "" + rows));
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exit = process.waitFor();
        Map<Figure, Long> figures = new LinkedHashMap<>();
        figures.put(Figure.PROCESS, System.nanoTime() - start);
        for (Figure figure : List.of(Figure.CODEC, Figure.FIRST, Figure.SECOND)) {
            String line = output.lines()
                    .filter(one -> one.startsWith(figure + "="))
                    .findFirst()
                    .orElseThrow(() -> new IOException(contender + ", exit " + exit + ":\n" + output));
            figures.put(figure, Long.parseLong(line.substring(line.indexOf('=') + 1)));
        }
        return figures;
    }

    private static long median(List<Long> nanos) {
        return nanos.stream().sorted().skip(nanos.size() / 2).findFirst().orElseThrow();
    }
}
