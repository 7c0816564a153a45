package io.emtal.samples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The JShell scripts print what stands beside them, but for times and what a processor's rounding decides. */
@Tag("long")
class JShellTest {
    private static final int MINUTES = 8;

    @TempDir
    Path temp;

    @ParameterizedTest
    @ValueSource(strings = {"quickstart", "finetune"})
    void theScriptPrintsWhatStandsBesideIt(String name) throws IOException, InterruptedException {
        Path out = temp.resolve("out.txt");
        Process jshell = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "jshell").toString(),
                "--class-path", System.getProperty("java.class.path"),
                Path.of("jshell", name + ".jsh").toString())
                .redirectOutput(out.toFile()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        jshell.getOutputStream().close();
        boolean ended = jshell.waitFor(MINUTES, TimeUnit.MINUTES);
        jshell.destroyForcibly();
        String printed = Files.readString(out);
        assertTrue(ended, printed);
        assertEquals(shape(Files.readString(Path.of("jshell", name + ".expected.txt"))), shape(printed), printed);
    }

    /** Numbers and classes as one sign each. */
    private static String shape(String text) {
        return text.replace("\r\n", "\n").replaceAll("\\d+(\\.\\d+)?(e[+-]\\d+)?", "#").replaceAll("=[a-z_]+", "=*");
    }
}
