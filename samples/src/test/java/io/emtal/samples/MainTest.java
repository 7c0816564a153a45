package io.emtal.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.samples.table.TableFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class MainTest {
    private static final String LABELS = """
            {"name": "labels", "kind": "multilabel", "files": {"train": "train.csv", "test": "test.csv"},
             "features": [{"name": "x", "type": "numeric"}],
             "targets": [{"name": "a", "type": "nominal", "values": ["0", "1"]},
                         {"name": "b", "type": "nominal", "values": ["0", "1"]}]}
            """;

    @TempDir
    Path temp;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return line.execute(arguments);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "quickstart --help", "train --help", "predict --help", "compare --help",
        "gain --help", "inspect --help", "finetune --help", "bench --help", "bench train --help", "bench predict --help",
        "bench tasks --help", "generate --help", "--version"})
    void helpIsNoError(String arguments) {
        assertEquals(0, run(arguments.split(" ")));
        assertFalse(out.toString().isBlank());
        assertEquals("", err.toString());
    }

    @Test
    void comparesTrainersOfDifferentKindsOfTables() throws IOException {
        writeSets();
        Path file = temp.resolve("out.csv");
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.GERMANY);
            assertEquals(0, run("compare", "--data", temp.toString(), "--trainer", "linear-sgd", "--trainer", "knn",
                    "--seeds", "2", "--out", file.toString()), err.toString());
        } finally {
            Locale.setDefault(before);
        }
        List<String> lines = Files.readAllLines(file);
        assertEquals("set,trainer,seed,metric,value,train_seconds,predict_micros_per_row,trainable_parameters",
                lines.get(0));
        // Eight metrics and two; two trainers; two seeds.
        assertEquals(1 + (8 + 2) * 2 * 2, lines.size(), lines.toString());
        assertTrue(lines.stream().skip(1).allMatch(line -> line.matches(
                "(labels|small),(linear-sgd|knn),[12],[A-Za-z0-9_:]+,\\d\\.[0-9E-]+,\\d+\\.\\d+,\\d+\\.\\d+,\\d*")),
                lines.toString());
        // Their number is given for labels: nothing depends on the seed, fitted once, reported twice.
        assertEquals(3, err.toString().lines().filter(line -> line.contains("labels")).count(), err.toString());
        assertTrue(err.toString().contains("[9/15]") && err.toString().contains("left"), err.toString());
        assertTrue(out.toString().contains("hamming, less is better"), out.toString());
        assertTrue(out.toString().contains("mean rank"), out.toString());
    }

    @Test
    void goesOnWithResultsThatThereAre() throws IOException {
        writeSets();
        Path whole = temp.resolve("whole.csv");
        assertEquals(0, run(("compare --data " + temp + " --trainer linear-sgd --trainer knn --seeds 2 --out " + whole)
                .split(" ")), err.toString());
        String table = out.toString();
        Path parts = temp.resolve("parts.csv");
        assertEquals(0, run(("compare --data " + temp + " --trainer knn --resume --out " + parts).split(" ")),
                err.toString());
        assertEquals(0, run(("compare --data " + temp + " --trainer linear-sgd --set small --resume --out " + parts)
                .split(" ")), err.toString());
        forgetWhatWasPrinted();
        assertEquals(0, run(("compare --data " + temp + " --trainer linear-sgd --trainer knn --seeds 2 --resume --out "
                + parts).split(" ")), err.toString());
        assertEquals(table.replace(whole.toString(), parts.toString()), out.toString());
        assertFalse(err.toString().matches("(?s).*(labels, knn|small, [a-z-]+, seed 1).*"), err.toString());
        assertTrue(err.toString().contains("[8/8]"), err.toString());
        assertEquals(Files.readAllLines(whole).size(), Files.readAllLines(parts).size());
    }

    /** Nor those of a set that is not chosen. */
    @ParameterizedTest
    @ValueSource(strings = {"one/train.csv", "one/test.csv", "one/schema.json", "two/deep/data.csv"})
    void filesOfTheDataAreNotReplaced(String name) throws IOException {
        writeSets();
        Path file = temp.resolve(name);
        String before = Files.readString(file);
        assertEquals(1, run("compare", "--data", temp.toString(), "--set", "labels", "--trainer", "knn", "--out",
                file.toString()));
        assertEquals("error: --out: found " + file + ", which is a file of --data, too; allowed is another file",
                err.toString().strip());
        assertEquals(before, Files.readString(file));
    }

    @Test
    void setsCanBeChosen() throws IOException {
        writeSets();
        Path file = temp.resolve("out.csv");
        assertEquals(0, run("compare", "--data", temp.toString(), "--set", "small", "--trainer", "knn", "--out",
                file.toString()), err.toString());
        assertTrue(Files.readAllLines(file).stream().skip(1).allMatch(line -> line.startsWith("small,knn,1,")));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "--set nothing       : --set nothing: there is none of this name; allowed are labels, small",
        "--trainer nobody    : --trainer nobody: there is none of this name; allowed are emtal, lora, dense",
        "--seeds 0           : --seeds is 0; allowed are 1 and more",
        "--seeds x           : Invalid value for option '--seeds'",
        "--unknown           : Unknown option: '--unknown'",
    })
    void wrongCommandLinesAreOneLineAndStatusTwo(String text) {
        writeSets();
        String[] parts = text.split(" +: ");
        String[] arguments = ("compare --data " + temp + " --out " + temp.resolve("o.csv") + " " + parts[0]).split(" ");
        assertEquals(2, run(arguments));
        assertTrue(err.toString().startsWith("error: " + parts[1]), err.toString());
        assertTrue(err.toString().contains("Try: emtal-samples compare --help"), err.toString());
        assertFalse(err.toString().contains("\tat "), err.toString());
    }

    @Test
    void noCommandIsAWrongCommandLine() {
        assertEquals(2, run());
        assertTrue(err.toString().contains("there are: quickstart, train, predict, compare"), err.toString());
    }

    @Test
    void badDataIsOneLineAndStatusOne() {
        new TableFolder(temp.resolve("bad")).with("schema.json", LABELS).with("train.csv", "x,a,b\n1,0,2\n")
                .with("test.csv", "x,a,b\n1,0,1\n");
        assertEquals(1, run("compare", "--data", temp.toString(), "--out", temp.resolve("o.csv").toString()));
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().contains("train.csv, line 2, column 'b': found '2'"), err.toString());
    }

    @Test
    void aSetWithAnEmptyFoldIsNamed() {
        writeSets();
        new TableFolder(temp.resolve("two").resolve("deep")).with("data.csv",
                "fold,x,y,c,t\n0,1,2,blue,3\n1,2,3,red,4\n");
        assertEquals(1, run("compare", "--data", temp.toString(), "--out", temp.resolve("o.csv").toString()));
        assertEquals("error: small: Split fold 2 has 2 training rows and 0 test rows; each needs at least one",
                err.toString().strip());
    }

    @Test
    void theStackTraceIsForDebugging() {
        assertEquals(1, run("compare", "--debug", "--data", temp.resolve("absent").toString()));
        assertTrue(err.toString().contains("absent is no folder") && err.toString().contains("\tat "), err.toString());
    }

    @Test
    void aTrainerThatFailsIsReportedAndTheOthersGoOn() throws IOException {
        // Two training rows are too few for three inner folds, but enough for neighbours.
        new TableFolder(temp.resolve("tiny")).with("schema.json", LABELS).with("train.csv", "x,a,b\n1,0,1\n2,1,0\n")
                .with("test.csv", "x,a,b\n1,0,1\n3,1,0\n");
        Path file = temp.resolve("o.csv");
        assertEquals(1, run("compare", "--data", temp.toString(), "--trainer", "linear-sgd", "--trainer", "knn",
                "--out", file.toString()));
        assertTrue(out.toString().contains("failed: labels, linear-sgd, seed 1: 2 training rows; at least 3"),
                out.toString());
        assertTrue(Files.readString(file).contains("labels,knn,1,hamming"));
    }

    private void forgetWhatWasPrinted() {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
    }

    private void writeSets() {
        StringBuilder rows = new StringBuilder("x,a,b\n");
        StringBuilder folds = new StringBuilder("fold,x,y,c,t\n");
        for (int i = 0; i < 12; i++) {
            rows.append(i).append(',').append(i > 5 ? 1 : 0).append(',').append(i % 2).append('\n');
            folds.append(i % 3).append(',').append(i).append(',').append(i * i % 7).append(",blue,").append(2 * i)
                    .append('\n');
        }
        new TableFolder(temp.resolve("one")).with("schema.json", LABELS).with("train.csv", rows.toString())
                .with("test.csv", rows.toString());
        new TableFolder(temp.resolve("two").resolve("deep")).with("schema.json", TableFolder.FOLDS)
                .with("data.csv", folds.toString());
    }
}
