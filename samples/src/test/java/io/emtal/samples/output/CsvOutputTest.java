package io.emtal.samples.output;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsvOutputTest {
    @TempDir
    Path temp;

    @Test
    void textIsWrittenAsItIs() throws IOException {
        Path file = temp.resolve("file.csv");
        CsvOutput.write(file, List.of("=cmd|' /C calc'!A0", "plain", "@sum(a1)"), Stream.of(
                List.of("-2+3", -2.5, "-2.5"), List.of("a,\"b\"\nc", Double.NaN, "+1e3"), List.of("\t=1", 7, "+")));
        assertEquals("""
                =cmd|' /C calc'!A0,plain,@sum(a1)
                -2+3,-2.5,-2.5
                "a,""b""
                c",,+1e3
                "\t=1",7,+
                """, Files.readString(file));
    }
}
