// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TextLinesTest {

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n",
                "\n\n\n",
                "one line without an end",
                "one\ntwo\n",
                "one\ntwo\nthree",
                "carriage\r\nreturns\r\n",
                "\u00ff\u00fe no text at all \u0000\n\u0080"
            })
    void everyByteIsReadOnceHoweverManyTasksShareTheFile(String text) throws IOException {
        assertSharesMakeTheWhole(text.getBytes(ISO_8859_1));
    }

    @Test
    void randomTextIsReadOnceHoweverManyTasksShareIt() throws IOException {
        for (long seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            byte[] text = new byte[random.nextInt(2_000)];
            for (int i = 0; i < text.length; i++) {
                text[i] = (byte) (random.nextInt(20) == 0 ? '\n' : 'a' + random.nextInt(26));
            }
            assertSharesMakeTheWhole(text);
        }
    }

    @Test
    void lineLongerThanAnyPieceIsOneLine() throws IOException {
        byte[] text = "x".repeat(3 * TextLines.PIECE + 5).getBytes(ISO_8859_1);
        text[TextLines.PIECE * 2 - 1] = '\n';

        assertEquals("lines|2", assertSharesMakeTheWhole(text).get(0));
    }

    @Test
    void lineThatFillsItsPieceExactlyIsOneLine() throws IOException {
        byte[] text = "x".repeat(TextLines.PIECE).getBytes(ISO_8859_1);

        assertEquals("lines|1", assertSharesMakeTheWhole(text).get(0));
    }

    @Test
    void pieceLongerThanAgreedIsRefused() throws IOException {
        SmallBuffers payload = new SmallBuffers();
        payload.out().writeVarInt((TextLines.PIECE + 1) << 1);

        assertThrows(IOException.class, () -> new TextTally().fold(payload.in(), rows -> {}));
    }

    private List<String> assertSharesMakeTheWhole(byte[] text) throws IOException {
        Path file = Files.write(directory.resolve("text"), text);
        CRC32C crc = new CRC32C();
        crc.update(text);
        long lines = new String(text, ISO_8859_1).chars().filter(c -> c == '\n').count()
                + (text.length > 0 && text[text.length - 1] != '\n' ? 1 : 0);
        List<String> expected =
                List.of("lines|" + lines, "bytes|" + text.length, String.format("crc32c|%08x", crc.getValue()));
        assertEquals(expected, new TextLines(file, 1).expected());
        for (int tasks : new int[] {1, 2, 3, 7, 40}) {
            assertEquals(expected, answer(new TextLines(file, tasks), tasks).lines(), tasks + " tasks");
        }
        return expected;
    }

    private static Answer answer(TextLines work, int tasks) throws IOException {
        Answer whole = work.emptyAnswer();
        for (int task = 0; task < tasks; task++) {
            SmallBuffers payload = new SmallBuffers();
            long[] told = {0};
            work.produce(task, payload.out(), rows -> told[0] += rows);
            Answer part = work.emptyAnswer();
            part.fold(payload.in(), rows -> told[0] -= rows);
            assertEquals(0, told[0], "progress told on both sides");
            whole.append(part);
        }
        return whole;
    }
}
