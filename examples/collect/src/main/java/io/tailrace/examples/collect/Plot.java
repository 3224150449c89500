// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import io.tailrace.examples.collect.child.Child.Role;
import io.tailrace.examples.collect.child.Job.Mode;
import io.tailrace.examples.collect.child.SampleFile.Sample;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
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

/** The picture of serialised bytes live over time, of one run or of both modes; the scale of bytes is logarithmic. */
final class Plot {

    private static final int WIDTH = 1200;
    private static final int HEIGHT = 675;

    /** Each step of a line is the most of so long a time: what is live comes and goes within milliseconds. */
    private static final int STEPS = 100;

    private static final long SHORTEST_STEP_MICROS = 20_000;

    /** A logarithmic scale has no nought: bytes below are drawn here. */
    private static final double FLOOR = 10_000;

    private static final Color INK = new Color(0x26, 0x32, 0x38);
    private static final Color FAINT = new Color(0xE3, 0xE7, 0xEA);
    private static final Color FAINTER = new Color(0xF0, 0xF2, 0xF4);
    private static final Color STOCK_EXECUTOR = new Color(0xD8, 0x43, 0x15);
    private static final Color STOCK_DRIVER = new Color(0xFF, 0xA7, 0x26);
    private static final Color TAILRACE_EXECUTOR = new Color(0x15, 0x65, 0xC0);
    private static final Color TAILRACE_DRIVER = new Color(0x26, 0xA6, 0x9A);
    private static final Color HEAP = new Color(0x61, 0x61, 0x61);
    private static final Color WINDOW = new Color(0x90, 0xA4, 0xAE);

    private static final BasicStroke LINE = new BasicStroke(2.2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
    private static final BasicStroke DASHED =
            new BasicStroke(1.4f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 1, new float[] {7, 5}, 0);
    private static final BasicStroke NO_LINE =
            new BasicStroke(0, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 1, new float[] {0, 1}, 0);

    private final XYChart chart;
    private final long stepMicros;
    private final double lastSecond;
    private double most;

    private Plot(String title, long durationMicros) {
        stepMicros = Math.max(SHORTEST_STEP_MICROS, durationMicros / STEPS);
        lastSecond = durationMicros / 1e6;
        chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("seconds since the first byte was held")
                .yAxisTitle("serialised bytes live in one process, at most")
                .build();
        style(chart.getStyler());
    }

    static void draw(List<Summary> summaries, Path file) throws IOException {
        System.setProperty("java.awt.headless", "true");
        Summary first = summaries.get(0);
        long duration = summaries.stream().mapToLong(Plot::durationMicros).max().orElse(0);
        Plot plot = new Plot(title(first), duration);
        plot.addLimit("heap of a JVM: " + first.heap(), (double) first.heap().bytes(), HEAP);
        for (Summary summary : summaries) {
            plot.add(summary, Role.EXECUTOR);
            plot.add(summary, Role.DRIVER);
        }
        plot.addLimit("window of a result: " + new ByteSize(first.windowBytes()), (double) first.windowBytes(), WINDOW);
        plot.chart.getStyler().setYAxisMax(plot.most * 2);
        try (OutputStream out = Files.newOutputStream(file)) {
            ImageIO.write(BitmapEncoder.getBufferedImage(plot.chart), "png", out);
        }
    }

    private static String title(Summary summary) {
        String what = summary.job().text() == null
                ? "TPC-H lineitem, scale factor " + summary.scale()
                : String.valueOf(Path.of(summary.job().text()).getFileName());
        return String.format(
                Locale.ROOT,
                "Live bytes while a driver collects %s: %d tasks, %d executors",
                what,
                summary.job().tasks(),
                summary.job().executors());
    }

    /** The largest of the role's processes at each step. */
    private void add(Summary summary, Role role) {
        TreeMap<Long, Long> steps = new TreeMap<>();
        long start = start(summary);
        for (Samples samples : summary.samples()) {
            for (Sample sample : samples.role() == role ? samples.samples() : List.<Sample>of()) {
                steps.merge(Math.floorDiv(sample.micros() - start, stepMicros), sample.liveBytes(), Math::max);
            }
        }
        steps.headMap(0L).clear();
        while (!steps.isEmpty() && steps.firstEntry().getValue() == 0) {
            steps.pollFirstEntry();
        }
        while (!steps.isEmpty() && steps.lastEntry().getValue() == 0) {
            steps.pollLastEntry();
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
        chart.addSeries(summary.mode() + ", " + role.name().toLowerCase(Locale.ROOT), seconds, bytes)
                .setXYSeriesRenderStyle(XYSeriesRenderStyle.Step)
                .setMarker(SeriesMarkers.NONE)
                .setLineStyle(LINE)
                .setLineColor(color(summary.job().mode(), role));
        most = DoubleStream.concat(DoubleStream.of(most), DoubleStream.of(bytes))
                .max()
                .orElse(most);
        if (summary.samples().stream().anyMatch(samples -> samples.role() == role && samples.outOfMemory())) {
            addDeath(seconds[seconds.length - 1], bytes[bytes.length - 1]);
        }
    }

    private void addDeath(double second, double bytes) {
        chart.addSeries("OutOfMemoryError", new double[] {second}, new double[] {bytes})
                .setMarker(SeriesMarkers.CROSS)
                .setMarkerColor(STOCK_EXECUTOR)
                .setLineStyle(NO_LINE);
    }

    private void addLimit(String name, double bytes, Color color) {
        chart.addSeries(name, new double[] {0, lastSecond}, new double[] {bytes, bytes})
                .setMarker(SeriesMarkers.NONE)
                .setLineStyle(DASHED)
                .setLineColor(color);
        most = Math.max(most, bytes);
    }

    private static long durationMicros(Summary summary) {
        long end = summary.samples().stream()
                .flatMap(samples -> samples.samples().stream())
                .filter(sample -> sample.liveBytes() > 0)
                .mapToLong(Sample::micros)
                .max()
                .orElse(Long.MIN_VALUE);
        return Math.max(0, end - start(summary));
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

    private static Color color(Mode mode, Role role) {
        if (mode == Mode.STOCK) {
            return role == Role.EXECUTOR ? STOCK_EXECUTOR : STOCK_DRIVER;
        }
        return role == Role.EXECUTOR ? TAILRACE_EXECUTOR : TAILRACE_DRIVER;
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
