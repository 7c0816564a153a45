package io.emtal.samples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The JShell script prints what stands beside it, but for times and what a processor's rounding decides. */
@Tag("long")
class JShellTest {
    private static final Path SCRIPT = Path.of("jshell", "quickstart.jsh");
    private static final Path EXPECTED = Path.of("jshell", "quickstart.expected.txt");
    private static final int MINUTES = 8;

    @TempDir
    Path temp;

    @Test
    void theScriptPrintsWhatStandsBesideIt() throws IOException, InterruptedException {
        Path out = temp.resolve("out.txt");
        Process jshell = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "jshell").toString(),
                "--class-path", System.getProperty("java.class.path"), SCRIPT.toString())
                .redirectOutput(out.toFile()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        jshell.getOutputStream().close();
        boolean ended = jshell.waitFor(MINUTES, TimeUnit.MINUTES);
        jshell.destroyForcibly();
        String printed = Files.readString(out);
        assertTrue(ended, printed);
        assertEquals(shape(Files.readString(EXPECTED)), shape(printed), printed);
    }

    /** Numbers and classes as one sign each. */
    private static String shape(String text) {
        return text.replace("\r\n", "\n").replaceAll("\\d+(\\.\\d+)?(e[+-]\\d+)?", "#").replaceAll("=[a-z_]+", "=*");
    }
}
