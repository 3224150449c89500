// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import java.io.Serializable;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * What is encoded: the same in every run, as it comes from one seed. Sizes are given in MiB, and {@link #MEBIBYTES} of
 * each are larger than the processor's caches.
 */
public final class Workloads {

    static final int MEBIBYTES = 64;
    static final int ROWS = 500_000;
    static final int SMALL_BLOB = 64 << 10;
    static final int LARGE_BLOB = 1 << 20;

    private static final long SEED = 20_26;

    /** A row of a usual table, held as an object. Public, as {@link TableLine} is. */
    public record Row(long id, double price, int quantity, long time, String symbol, String comment)
            implements Serializable {}

    private Workloads() {}

    static long[] longs(int mebibytes) {
        return new SplittableRandom(SEED).longs((mebibytes << 20) / Long.BYTES).toArray();
    }

    static double[] doubles(int mebibytes) {
        return new SplittableRandom(SEED)
                .doubles((mebibytes << 20) / Double.BYTES)
                .toArray();
    }

    /** Blobs that LZ4 brings to about 0.65: random runs of 8 to 119 bytes, two in five seen within the last 8 KiB. */
    static byte[][] blobs(int mebibytes, int blobBytes) {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[][] blobs = new byte[(int) (((long) mebibytes << 20) / blobBytes)][];
        for (int i = 0; i < blobs.length; i++) {
            blobs[i] = halfCompressible(random, blobBytes);
        }
        return blobs;
    }

    private static byte[] halfCompressible(SplittableRandom random, int length) {
        byte[] blob = new byte[length];
        random.nextBytes(blob);
        int at = 128;
        while (at < length) {
            int run = Math.min(8 + random.nextInt(112), length - at);
            if (random.nextInt(5) < 2) {
                int from = random.nextInt(Math.max(0, at - (8 << 10)), Math.max(1, at - run));
                System.arraycopy(blob, from, blob, at, run);
            }
            at += run;
        }
        return blob;
    }

    /** All of it random. One comment in a hundred has characters outside Latin-1. */
    static Row[] rows(int count) {
        return rows(count, "\u4e2d\u6587");
    }

    /** The same, all of it ASCII. */
    static Row[] asciiRows(int count) {
        return rows(count, "ZZ");
    }

    private static Row[] rows(int count, String seldom) {
        SplittableRandom random = new SplittableRandom(SEED);
        Row[] rows = new Row[count];
        for (int i = 0; i < count; i++) {
            String comment = text(random, 16 + random.nextInt(8)) + (random.nextInt(100) == 0 ? seldom : "");
            String symbol = text(random, 4 + random.nextInt(5));
            rows[i] = new Row(
                    random.nextLong(), random.nextDouble(), random.nextInt(), random.nextLong(), symbol, comment);
        }
        return rows;
    }

    /** Lines of text, 60 to 160 characters of ASCII. */
    static String[] lines(int count) {
        SplittableRandom random = new SplittableRandom(SEED);
        String[] lines = new String[count];
        for (int i = 0; i < count; i++) {
            lines[i] = text(random, random.nextInt(60, 161));
        }
        return lines;
    }

    /** As rows of a table are, and LZ4 sees them: numbers that count up, few symbols, comments made of words. */
    static Row[] usualRows(int count) {
        SplittableRandom random = new SplittableRandom(SEED);
        String[] words = words(random);
        Row[] rows = new Row[count];
        long time = 1_700_000_000_000L;
        for (int i = 0; i < count; i++) {
            time += random.nextInt(1_000);
            double price = random.nextInt(10_000_000) / 100.0;
            String symbol = words[random.nextInt(500)];
            rows[i] = new Row(i, price, random.nextInt(10_000), time, symbol, sentence(random, words, 16));
        }
        return rows;
    }

    /** Lines of words, 60 to about 160 characters of ASCII. */
    static String[] usualLines(int count) {
        SplittableRandom random = new SplittableRandom(SEED);
        String[] words = words(random);
        String[] lines = new String[count];
        for (int i = 0; i < count; i++) {
            lines[i] = sentence(random, words, random.nextInt(60, 155));
        }
        return lines;
    }

    private static String[] words(SplittableRandom random) {
        String[] words = new String[5_000];
        Arrays.setAll(words, i -> text(random, 3 + random.nextInt(7)));
        return words;
    }

    /** So many characters or a few more. */
    private static String sentence(SplittableRandom random, String[] words, int length) {
        StringBuilder sentence = new StringBuilder();
        while (sentence.length() < length) {
            sentence.append(words[random.nextInt(words.length)]).append(' ');
        }
        return sentence.toString();
    }

    private static String text(SplittableRandom random, int length) {
        char[] chars = new char[length];
        for (int i = 0; i < length; i++) {
            chars[i] = (char) ('A' + random.nextInt(26));
        }
        return new String(chars);
    }
}
