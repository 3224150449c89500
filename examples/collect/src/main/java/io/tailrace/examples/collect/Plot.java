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
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The picture of serialised bytes live over time, of one run or of both modes; the scale of bytes is logarithmic. */
final class Plot {

    private static final int WIDTH = 1200;
    private static final int HEIGHT = 675;
    private static final long BUCKET_MICROS = 20_000;

    /** A logarithmic scale has no nought: bytes below are drawn here. */
    private static final double FLOOR = 10_000;

    private static final Color INK = new Color(0x26, 0x32, 0x38);
    private static final Color FAINT = new Color(0xE3, 0xE7, 0xEA);
    private static final Color STOCK_EXECUTOR = new Color(0xD8, 0x43, 0x15);
    private static final Color STOCK_DRIVER = new Color(0xFF, 0xA7, 0x26);
    private static final Color TAILRACE_EXECUTOR = new Color(0x15, 0x65, 0xC0);
    private static final Color TAILRACE_DRIVER = new Color(0x26, 0xA6, 0x9A);
    private static final Color LIMIT = new Color(0x61, 0x61, 0x61);

    private static final BasicStroke LINE = new BasicStroke(2.2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
    private static final BasicStroke DASHED =
            new BasicStroke(1.4f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 1, new float[] {7, 5}, 0);
    private static final BasicStroke NO_LINE =
            new BasicStroke(0, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 1, new float[] {0, 1}, 0);

    private final XYChart chart;
    private double lastSecond;
    private double most;

    private Plot(String title) {
        chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("seconds since the first byte was held")
                .yAxisTitle("serialised bytes live in one process")
                .build();
        style(chart.getStyler());
    }

    static void draw(List<Summary> summaries, Path file) throws IOException {
        System.setProperty("java.awt.headless", "true");
        Summary first = summaries.get(0);
        Plot plot = new Plot(title(first));
        for (Summary summary : summaries) {
            plot.add(summary, Role.EXECUTOR);
            plot.add(summary, Role.DRIVER);
        }
        plot.addLimit("heap of each JVM: " + first.heap(), (double) first.heap().bytes());
        try (OutputStream out = Files.newOutputStream(file)) {
            ImageIO.write(BitmapEncoder.getBufferedImage(plot.chart), "png", out);
        }
    }

    private static String title(Summary summary) {
        String what = summary.job().text() == null
                ? String.format(
                        Locale.ROOT, "TPC-H lineitem at scale %s", summary.job().scale())
                : String.valueOf(Path.of(summary.job().text()).getFileName());
        return String.format(
                Locale.ROOT,
                "Collecting %s: %d tasks, %d executors",
                what,
                summary.job().tasks(),
                summary.job().executors());
    }

    /** The largest of the role's processes at each moment. */
    private void add(Summary summary, Role role) {
        TreeMap<Long, Long> buckets = new TreeMap<>();
        long start = start(summary);
        if (start == Long.MAX_VALUE) {
            return; // nothing was ever held
        }
        for (Samples samples : summary.samples()) {
            for (Sample sample : samples.role() == role ? samples.samples() : List.<Sample>of()) {
                buckets.merge(Math.floorDiv(sample.micros() - start, BUCKET_MICROS), sample.liveBytes(), Math::max);
            }
        }
        buckets.headMap(-1L).clear();
        while (!buckets.isEmpty() && buckets.lastEntry().getValue() == 0 && buckets.size() > 2) {
            buckets.pollLastEntry();
        }
        if (buckets.isEmpty()) {
            return;
        }
        double[] seconds = buckets.keySet().stream()
                .mapToDouble(bucket -> Math.max(0, bucket * BUCKET_MICROS / 1e6))
                .toArray();
        double[] bytes = buckets.values().stream()
                .mapToDouble(live -> Math.max(FLOOR, live))
                .toArray();
        String name = summary.mode() + ", " + role.name().toLowerCase(Locale.ROOT);
        chart.addSeries(name, seconds, bytes)
                .setMarker(SeriesMarkers.NONE)
                .setLineStyle(LINE)
                .setLineColor(color(summary.job().mode(), role));
        lastSecond = Math.max(lastSecond, seconds[seconds.length - 1]);
        for (double each : bytes) {
            most = Math.max(most, each);
        }
        addDeath(summary, role, seconds[seconds.length - 1], bytes[bytes.length - 1]);
    }

    private void addDeath(Summary summary, Role role, double second, double bytes) {
        if (summary.samples().stream().noneMatch(samples -> samples.role() == role && samples.outOfMemory())) {
            return;
        }
        XYSeries death = chart.addSeries(
                "OutOfMemoryError in the " + role.name().toLowerCase(Locale.ROOT),
                new double[] {second},
                new double[] {bytes});
        death.setMarker(SeriesMarkers.CROSS).setMarkerColor(STOCK_EXECUTOR);
        death.setLineStyle(NO_LINE);
    }

    private void addLimit(String name, double bytes) {
        chart.addSeries(name, new double[] {0, lastSecond}, new double[] {bytes, bytes})
                .setMarker(SeriesMarkers.NONE)
                .setLineStyle(DASHED)
                .setLineColor(LIMIT);
        most = Math.max(most, bytes);
        chart.getStyler().setYAxisMin(FLOOR);
        chart.getStyler().setYAxisMax(Math.pow(10, Math.ceil(Math.log10(most))));
        chart.getStyler().setXAxisMin(0.0);
        chart.getStyler().setXAxisMax(lastSecond);
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
        styler.setPlotGridLinesColor(FAINT);
        styler.setPlotGridLinesStroke(new BasicStroke(1));
        styler.setChartFontColor(INK);
        styler.setAxisTickLabelsColor(INK);
        styler.setChartPadding(18);
        styler.setMarkerSize(16);
        styler.setAntiAlias(true);
    }

    private static String decimalBytes(double bytes) {
        if (bytes < 1e6) {
            return Math.round(bytes / 1e3) + " kB";
        }
        return bytes < 1e9 ? Math.round(bytes / 1e6) + " MB" : Math.round(bytes / 1e9) + " GB";
    }
}
