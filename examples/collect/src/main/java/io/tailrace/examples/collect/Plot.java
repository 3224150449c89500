// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import io.tailrace.examples.collect.child.Child.Role;
import io.tailrace.examples.collect.child.Job.Mode;
import io.tailrace.examples.collect.child.SampleFile.Sample;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import java.util.stream.DoubleStream;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * The picture of memory over time, of one run or of both modes: above an executor, the fullest at each moment, below the driver.
 * The scale of bytes is logarithmic.
 */
final class Plot {

    private static final int WIDTH = 1200;
    private static final int HEIGHT = 540;

    /** Each step of a line is the most of so long a time: what is live comes and goes within milliseconds. */
    private static final int STEPS = 100;

    private static final long SHORTEST_STEP_MICROS = 20_000;

    /** A logarithmic scale has no nought: bytes below are drawn here. */
    private static final double FLOOR = 10_000;

    private static final Color INK = new Color(0x26, 0x32, 0x38);
    private static final Color FAINT = new Color(0xE3, 0xE7, 0xEA);
    private static final Color FAINTER = new Color(0xF0, 0xF2, 0xF4);
    private static final Color STOCK = new Color(0xD8, 0x43, 0x15);
    private static final Color POOL = new Color(0x15, 0x65, 0xC0);
    private static final Color DIRECT = new Color(0x26, 0xA6, 0x9A);
    private static final Color HEAP_LIVE = new Color(0x8E, 0x24, 0xAA);
    private static final Color DISK = new Color(0xFF, 0xA7, 0x26);
    private static final Color HEAP = new Color(0x61, 0x61, 0x61);
    private static final Color BUDGET = new Color(0x78, 0xA9, 0xE0);

    private static final BasicStroke LINE = new BasicStroke(2.2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
    private static final BasicStroke DASHED =
            new BasicStroke(1.4f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 1, new float[] {7, 5}, 0);
    private static final BasicStroke NO_LINE =
            new BasicStroke(0, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 1, new float[] {0, 1}, 0);

    private final XYChart chart;
    private final Role role;
    private final long stepMicros;
    private final double lastSecond;
    private double most;
    private boolean dead;

    private Plot(String title, Role role, long durationMicros) {
        this.role = role;
        stepMicros = Math.max(SHORTEST_STEP_MICROS, durationMicros / STEPS);
        lastSecond = durationMicros / 1e6;
        chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("seconds since the first byte was held")
                .yAxisTitle("bytes in one process, at most")
                .build();
        style(chart.getStyler());
    }

    static void draw(List<Summary> summaries, Path file) throws IOException {
        System.setProperty("java.awt.headless", "true");
        BufferedImage picture = new BufferedImage(WIDTH, 2 * HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = picture.createGraphics();
        graphics.drawImage(panel(summaries, Role.EXECUTOR), 0, 0, null);
        graphics.drawImage(panel(summaries, Role.DRIVER), 0, HEIGHT, null);
        graphics.dispose();
        try (OutputStream out = Files.newOutputStream(file)) {
            ImageIO.write(picture, "png", out);
        }
    }

    private static BufferedImage panel(List<Summary> summaries, Role role) {
        Summary first = summaries.get(0);
        long duration = summaries.stream().mapToLong(Plot::durationMicros).max().orElse(0);
        Plot plot = new Plot(title(first, role), role, duration);
        plot.addLimit("heap: " + first.heap(), (double) first.heap().bytes(), HEAP);
        for (Summary summary : summaries) {
            plot.add(summary);
        }
        long budget = first.job().budgetBytes(role);
        plot.addLimit("pool's budget: " + new ByteSize(budget), (double) budget, BUDGET);
        plot.chart.getStyler().setYAxisMax(plot.most * 2);
        return BitmapEncoder.getBufferedImage(plot.chart);
    }

    private static String title(Summary summary, Role role) {
        String what = summary.job().text() == null
                ? "TPC-H lineitem, scale factor " + summary.scale()
                : String.valueOf(Path.of(summary.job().text()).getFileName());
        String slow = summary.job().slowSeconds() == 0
                ? ""
                : String.format(
                        Locale.ROOT,
                        ", the driver stands still for %.0f s",
                        summary.job().slowSeconds());
        return String.format(
                Locale.ROOT,
                "%s: %s, %d tasks, %d executors%s",
                role == Role.EXECUTOR ? "An executor" : "The driver",
                what,
                summary.job().tasks(),
                summary.job().executors(),
                slow);
    }

    private void add(Summary summary) {
        if (summary.job().mode() == Mode.STOCK) {
            add(summary, "stock: bytes held", STOCK, Sample::liveBytes);
        } else {
            add(summary, "disk", DISK, Sample::diskBytes);
            add(summary, "heap live", HEAP_LIVE, Sample::heapBytes);
            add(summary, "direct memory", DIRECT, Sample::directBytes);
            add(summary, "pool live", POOL, Sample::liveBytes);
        }
    }

    /** The largest of the role's processes at each step. */
    private void add(Summary summary, String name, Color color, ToLongFunction<Sample> number) {
        TreeMap<Long, Long> steps = new TreeMap<>();
        long start = start(summary);
        long end = end(summary);
        for (Samples samples : summary.samples()) {
            for (Sample sample : samples.role() == role ? samples.samples() : List.<Sample>of()) {
                if (sample.micros() >= start && sample.micros() <= end) {
                    steps.merge((sample.micros() - start) / stepMicros, number.applyAsLong(sample), Math::max);
                }
            }
        }
        while (!steps.isEmpty() && steps.firstEntry().getValue() == 0) {
            steps.pollFirstEntry();
        }
        if (steps.isEmpty()) {
            return; // nothing was ever held
        }
        double[] seconds = steps.keySet().stream()
                .mapToDouble(step -> step * stepMicros / 1e6)
                .toArray();
        double[] bytes = steps.values().stream()
                .mapToDouble(live -> Math.max(FLOOR, live))
                .toArray();
        chart.addSeries(name, seconds, bytes)
                .setXYSeriesRenderStyle(XYSeriesRenderStyle.Step)
                .setMarker(SeriesMarkers.NONE)
                .setLineStyle(LINE)
                .setLineColor(color);
        most = DoubleStream.concat(DoubleStream.of(most), DoubleStream.of(bytes))
                .max()
                .orElse(most);
        if (summary.samples().stream().anyMatch(samples -> samples.role() == role && samples.outOfMemory())) {
            addDeath(seconds[seconds.length - 1], bytes[bytes.length - 1]);
        }
    }

    private void addDeath(double second, double bytes) {
        if (!dead) {
            dead = true;
            chart.addSeries("OutOfMemoryError", new double[] {second}, new double[] {bytes})
                    .setMarker(SeriesMarkers.CROSS)
                    .setMarkerColor(STOCK)
                    .setLineStyle(NO_LINE);
        }
    }

    private void addLimit(String name, double bytes, Color color) {
        chart.addSeries(name, new double[] {0, lastSecond}, new double[] {bytes, bytes})
                .setMarker(SeriesMarkers.NONE)
                .setLineStyle(DASHED)
                .setLineColor(color);
        most = Math.max(most, bytes);
    }

    private static long durationMicros(Summary summary) {
        return Math.max(0, end(summary) - start(summary));
    }

    /** When a process of this run last held anything. */
    private static long end(Summary summary) {
        return summary.samples().stream()
                .flatMap(samples -> samples.samples().stream())
                .filter(sample -> sample.liveBytes() > 0)
                .mapToLong(Sample::micros)
                .max()
                .orElse(Long.MIN_VALUE);
    }

    /** When a process of this run first held anything. */
    private static long start(Summary summary) {
        return summary.samples().stream()
                .flatMap(samples -> samples.samples().stream())
                .filter(sample -> sample.liveBytes() > 0)
                .mapToLong(Sample::micros)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    private static void style(XYStyler styler) {
        styler.setYAxisLogarithmic(true);
        styler.setYAxisLogarithmicDecadeOnly(true);
        styler.setYAxisMin(FLOOR);
        styler.setXAxisMin(0.0);
        styler.setXAxisTickMarkSpacingHint(100);
        styler.setAxisTickPadding(8);
        styler.setYAxisTickLabelsFormattingFunction(Plot::decimalBytes);
        styler.setXAxisDecimalPattern("0.0");
        styler.setBaseFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
        styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 18));
        styler.setChartTitlePadding(14);
        styler.setChartTitleBoxVisible(false);
        styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
        styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        styler.setLegendPosition(LegendPosition.OutsideS);
        styler.setLegendLayout(LegendLayout.Horizontal);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBackgroundColor(Color.WHITE);
        styler.setPlotBorderColor(FAINT);
        styler.setPlotGridLinesColor(FAINTER);
        styler.setPlotGridLinesStroke(new BasicStroke(1));
        styler.setChartFontColor(INK);
        styler.setAxisTickLabelsColor(INK);
        styler.setChartPadding(18);
        styler.setMarkerSize(16);
        styler.setAntiAlias(true);
    }

    private static String decimalBytes(double bytes) {
        if (bytes <= FLOOR) {
            return "0 to 10 kB";
        }
        if (bytes < 1e6) {
            return Math.round(bytes / 1e3) + " kB";
        }
        return bytes < 1e9 ? Math.round(bytes / 1e6) + " MB" : Math.round(bytes / 1e9) + " GB";
    }
}
