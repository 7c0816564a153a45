package io.emtal.samples.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import io.emtal.samples.CommandLineRun;
import io.emtal.samples.table.TableFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.dtree.CARTClassificationTrainer;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.SimpleDataSourceProvenance;

/** {@code train} and {@code predict}, one after the other. */
class ToolTest {
    private static final String FEATURES = """
            "features": [{"name": "x", "type": "numeric"},
                         {"name": "c", "type": "nominal", "values": ["red", "blue", "never"]}],
            """;
    private static final int ROWS = 60;

    @TempDir
    Path temp;

    private TableFolder folder;

    @BeforeEach
    void makeFolder() {
        folder = new TableFolder(temp);
    }

    private Path file(String name) {
        return temp.resolve(name);
    }

    /** Rows whose x runs from -1 to 1 and whose c is red for every other row. */
    private static String rows(String header, IntFunction<String> targets) {
        return "x,c" + header + "\n" + IntStream.range(0, ROWS).mapToObj(row -> String.format(Locale.ROOT, "%.3f,%s%s\n",
                x(row), row % 2 == 0 ? "red" : "blue", targets.apply(row))).collect(Collectors.joining());
    }

    private static double x(int row) {
        return 2.0 * row / (ROWS - 1) - 1;
    }

    private CommandLineRun train(Object... more) {
        Object[] arguments = new Object[9 + more.length];
        List<Object> given = List.of("train", "--data", file("data.csv"), "--schema", file("schema.json"), "--out",
                file("model.tribuo"), "--workers", 1);
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = i < given.size() ? given.get(i) : more[i - given.size()];
        }
        return CommandLineRun.of(arguments);
    }

    private CommandLineRun predict(String data) {
        return CommandLineRun.of("predict", "--model", file("model.tribuo"), "--data", file(data), "--out",
                file("out.csv"));
    }

    private List<String[]> predictions() throws IOException {
        return Files.readAllLines(file("out.csv")).stream().map(line -> line.split(",", -1)).toList();
    }

    @Test
    void numbers() throws IOException {
        folder.with("schema.json", "{\"name\": \"numbers\", \"kind\": \"regression\", \"files\": {\"data\": \"d.csv\","
                + "\"fold_column\": \"fold\", \"folds\": 2}," + FEATURES
                + "\"targets\": [{\"name\": \"t\", \"type\": \"numeric\"}, {\"name\": \"u\", \"type\": \"numeric\"}]}")
                .with("data.csv", rows(",t,u", row -> String.format(Locale.ROOT, ",%.3f,%d", 100 * x(row), row % 2)))
                .with("new.csv", "fold,x,c\n0,-0.9,red\n1,0.9,blue\n0,0.9,never\n1,,red\n0,0.1,\n");
        CommandLineRun trained = train("--dense-epochs", 60, "--epochs", 5);
        assertEquals(0, trained.status(), trained.err());
        assertTrue(trained.out().contains("Trained numbers for 2 targets on 60 rows with 2 features."), trained.out());
        assertTrue(trained.err().contains("adapt epoch 5, "), trained.err());
        CommandLineRun predicted = predict("new.csv");
        assertEquals(0, predicted.status(), predicted.err());
        List<String[]> out = predictions();
        assertEquals("t,u", String.join(",", out.get(0)));
        assertEquals(6, out.size());
        assertTrue(Double.parseDouble(out.get(1)[0]) < -50, out.get(1)[0]);
        assertTrue(Double.parseDouble(out.get(2)[0]) > 50, out.get(2)[0]);
        assertTrue(Double.parseDouble(out.get(1)[1]) < 0.3 && Double.parseDouble(out.get(2)[1]) > 0.7);
    }

    @Test
    void labels() throws IOException {
        folder.with("schema.json", "{\"name\": \"labels\", \"kind\": \"multilabel\"," + FEATURES + """
                "targets": [{"name": "-a", "type": "nominal", "values": ["0", "1"]},
                            {"name": "b", "type": "nominal", "values": ["0", "1"]}]}
                """).with("data.csv", rows(",-a,b", row -> "," + (x(row) > 0 ? 1 : 0) + "," + row % 2));
        CommandLineRun trained = train("--dense-epochs", 40, "--epochs", 5, "--batch-size", 16, "--experts", 4, "--rank",
                2, "--validation", 0.2, "--patience", 5, "--seed", 7, "--onnx", file("a/b.onnx"),
                "--optimise", "fused", "--history", file("history.csv"));
        assertEquals(0, trained.status(), trained.err());
        assertTrue(trained.out().contains("on the held-out rows"), trained.out());
        OnnxMl.ModelProto network = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(file("a/b.onnx")));
        assertTrue(network.getGraph().getNodeList().stream()
                .noneMatch(node -> node.getOpType().equals("LayerNormalization")));
        List<String> history = Files.readAllLines(file("history.csv"));
        assertTrue(history.get(0).contains(",train_loss:-a,validation_loss:-a"),
                history.get(0));
        assertTrue(history.get(history.size() - 1).startsWith("adapt,"), history.toString());
        assertEquals(0, predict("data.csv").status(), "the targets may be there");
        List<String[]> out = predictions();
        assertEquals("-a,-a:probability,b,b:probability", String.join(",", out.get(0)));
        assertEquals("0", out.get(1)[0]);
        assertEquals("1", out.get(ROWS)[0]);
        assertTrue(Double.parseDouble(out.get(ROWS)[1]) > 0.5);
        assertEquals("1", out.get(ROWS)[2]);
    }

    @Test
    void classesAreWrittenAsTheyAreInTraining() throws IOException {
        folder.with("schema.json", "{\"name\": \"classes\", \"kind\": \"categorical\"," + FEATURES + """
                "targets": [{"name": "k", "type": "nominal", "values": ["=1+1", "-2", "rare"]},
                            {"name": "m", "type": "nominal", "values": ["a,b", "c"]}]}
                """).with("data.csv", rows(",k,m", row -> (x(row) > 0 ? ",=1+1" : ",-2") + (row % 2 == 0 ? ",\"a,b\"" : ",c")));
        CommandLineRun trained = train("--dense-epochs", 40, "--epochs", 5);
        assertEquals(0, trained.status(), trained.err());
        assertEquals(0, predict("data.csv").status());
        List<String> lines = Files.readAllLines(file("out.csv"));
        assertEquals("k,k:probability,m,m:probability", lines.get(0));
        assertTrue(lines.get(1).matches("-2,0\\.\\d+,\"a,b\",0\\.\\d+"), lines.get(1));
        assertTrue(lines.get(ROWS).matches("=1\\+1,0\\.\\d+,c,0\\.\\d+"), lines.get(ROWS));
    }

    @Test
    void targetsOfAllKindsWithGaps() throws IOException {
        folder.with("schema.json", "{\"name\": \"mixed\", \"kind\": \"mixed\"," + FEATURES + """
                "targets": [{"name": "n", "type": "numeric"}, {"name": "b", "type": "nominal", "values": ["0", "1"]},
                            {"name": "k", "type": "nominal", "values": ["lo", "hi"]}]}
                """).with("data.csv", rows(",n,b,k", row -> String.format(Locale.ROOT, ",%s,%s,%s",
                row % 3 == 0 ? "" : String.valueOf(100 * x(row)), row % 5 == 0 ? "" : row % 2 + "",
                row % 4 == 0 ? "" : x(row) > 0 ? "hi" : "lo")));
        CommandLineRun trained = train("--dense-epochs", 60, "--epochs", 5);
        assertEquals(0, trained.status(), trained.err());
        assertTrue(trained.out().contains("Trained mixed for 3 targets on 60 rows with 2 features."), trained.out());
        assertEquals(0, predict("data.csv").status());
        List<String[]> out = predictions();
        assertEquals("n,b,b:probability,k,k:probability", String.join(",", out.get(0)));
        assertEquals(ROWS + 1, out.size());
        for (int row = 0; row < ROWS; row++) {
            String[] cells = out.get(row + 1);
            assertEquals(String.valueOf(row % 2), cells[1], "row " + row);
            assertEquals(cells[1].equals("1"), Double.parseDouble(cells[2]) > 0.5, "row " + row);
            assertTrue(Math.abs(x(row)) < 0.2 || cells[3].equals(x(row) > 0 ? "hi" : "lo"), "row " + row);
            assertTrue(Math.abs(x(row)) < 0.3 || Double.parseDouble(cells[0]) * x(row) > 0, "row " + row);
        }
    }

    @Test
    void typesAreInferredAndShownWhereTargetsAreNamed() throws IOException {
        folder.with("data.csv", rows(",id,n,k", row -> String.format(Locale.ROOT, ",row%d,%.3f,%s", row, 100 * x(row),
                x(row) > 0 ? "hi" : "lo")).replace("-1.000,red", "NA,red").replace(",lo\n1.000", ",NA\n1.000"));
        CommandLineRun trained = CommandLineRun.of("train", "--data", file("data.csv"), "--target", "n", "--target", "k",
                "--ignore", "id", "--missing", "NA", "--out", file("model.tribuo"), "--dense-epochs", 1, "--epochs", 1);
        assertEquals(0, trained.status(), trained.err());
        assertEquals(List.of("TableSchema:", "  feature  numeric  'x'", "  feature  nominal  'c'['blue', 'red']",
                "  task     numeric  'n'", "  task     nominal  'k'['hi', 'lo']", "  missing is ['NA']",
                "Trained data.csv for 2 targets on 60 rows with 2 features."), trained.out().lines().limit(7).toList());
        folder.with("new.csv", "x,c\n0.5,red\nNA,red\n0.5,NA\n");
        assertEquals(0, predict("new.csv").status());
        assertEquals("n,k,k:probability", String.join(",", predictions().get(0)));
        assertEquals(0, predict("data.csv").status(), "the training file, with targets and what was ignored");
        folder.with("more.csv", "x,c,more\n0.5,red,1\n");
        assertTrue(predict("more.csv").err().contains("found the column 'more'"));
        assertEquals(0, CommandLineRun.of("predict", "--model", file("model.tribuo"), "--data", file("more.csv"), "--out",
                file("out.csv"), "--ignore", "more").status());
        folder.with("unseen.csv", "x,c\n0.5,pink\n0.5,red\n");
        assertTrue(predict("unseen.csv").err().contains("found 'pink'"));
        assertEquals(0, CommandLineRun.of("predict", "--model", file("model.tribuo"), "--data", file("unseen.csv"), "--out",
                file("out.csv"), "--lenient").status());
        assertEquals(3, predictions().size());
        CommandLineRun mark = train("--missing", "NA");
        assertTrue(mark.status() == 2 && mark.err().contains("--missing without --target"), mark.err());
        CommandLineRun nothing = train("--optimise", "fused");
        assertTrue(nothing.status() == 2 && nothing.err().contains("--optimise without --onnx"), nothing.err());
        CommandLineRun none = CommandLineRun.of("train", "--data", file("data.csv"), "--out", file("m"));
        assertTrue(none.status() == 1 && none.err().contains("schema.json: found no file; allowed are")
                && none.err().contains("--target NAME"), none.err());
        CommandLineRun both = train("--target", "n");
        assertTrue(both.status() == 2 && both.err().contains("--schema and --target"), both.err());
    }

    @Test
    void generatedTablesDependOnSeedAndRowAlone() throws IOException {
        for (Object[] drawn : new Object[][] {{"a", 30, 1}, {"b", 50, 1}, {"c", 30, 2}}) {
            CommandLineRun run = CommandLineRun.of("generate", "--out", file((String) drawn[0]), "--rows", drawn[1],
                    "--columns", 12, "--seed", drawn[2]);
            assertEquals(0, run.status(), run.err());
        }
        List<String> rows = Files.readAllLines(file("a/data.csv"));
        assertEquals(31, rows.size());
        assertEquals(rows, Files.readAllLines(file("b/data.csv")).subList(0, 31));
        assertNotEquals(rows, Files.readAllLines(file("c/data.csv")));
        CommandLineRun trained = CommandLineRun.of("train", "--data", file("a/data.csv"), "--schema", file("a/schema.json"),
                "--out", file("model.tribuo"), "--dense-epochs", 1, "--epochs", 1);
        assertEquals(0, trained.status(), trained.err());
        assertTrue(trained.out().contains("Trained synthetic for 3 targets on 30 rows with 9 features."), trained.out());
        CommandLineRun few = CommandLineRun.of("generate", "--out", file("d"), "--columns", 8);
        assertTrue(few.status() == 1 && few.err().contains("9 and more columns"), few.err());
        CommandLineRun again = CommandLineRun.of("generate", "--out", file("a"), "--rows", 1, "--columns", 12);
        assertTrue(again.status() == 1 && again.err().contains("schema.json: found a file, allowed is a folder"),
                again.err());
        assertEquals(rows, Files.readAllLines(file("a/data.csv")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "x\\n1             | new.csv, line 1: found no column 'c'",
        "x,d\\n1,red       | new.csv, line 1: found no column 'c'",
        "x,c,t,u\\n1,red,1,2 | new.csv, line 1: found the column 'u' as number 4",
        "x,c\\n1,red,3     | new.csv, line 2: found 3 cells",
        "x,c\\nred,1       | new.csv, line 2, column 'x': found 'red'",
        "x,c\\n1,pink      | new.csv, line 2, column 'c': found 'pink', allowed are the column's values",
        "x,c\\n,           | new.csv, line 2: found no feature",
        "x,c               | new.csv: found no rows",
        "x,c\\n1e99,       | new.csv, line 2, column 'x': found '1e99', allowed are decimal numbers",
    })
    void dataThatDoesNotFitTheModelIsOneLine(String data, String message) {
        folder.with("schema.json", "{\"name\": \"numbers\", \"kind\": \"regression\"," + FEATURES
                + "\"targets\": [{\"name\": \"t\", \"type\": \"numeric\"}]}")
                .with("data.csv", rows(",t", row -> "," + row)).with("new.csv", data.replace("\\n", "\n"));
        assertEquals(0, train("--dense-epochs", 1, "--epochs", 1).status());
        CommandLineRun run = predict("new.csv");
        assertEquals(1, run.status());
        assertTrue(run.err().startsWith("error: ") && run.err().contains(message), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertFalse(Files.exists(file("out.csv")));
    }

    @Test
    void rowsWithoutFeaturesHaveEmptyCellsWhereFaultsAreAllowed() throws IOException {
        folder.with("schema.json", "{\"name\": \"numbers\", \"kind\": \"regression\"," + FEATURES
                + "\"targets\": [{\"name\": \"t\", \"type\": \"numeric\"}]}")
                .with("data.csv", rows(",t", row -> "," + row)).with("new.csv", "x,c\n1,red\n,pink\n2,\n");
        assertEquals(0, train("--dense-epochs", 1, "--epochs", 1).status());
        assertEquals(0, CommandLineRun.of("predict", "--data", file("new.csv"), "--model", file("model.tribuo"), "--out",
                file("out.csv"), "--lenient").status());
        List<String> lines = Files.readAllLines(file("out.csv"));
        assertEquals(4, lines.size(), lines.toString());
        assertEquals(List.of(false, true, false), lines.stream().skip(1).map("\"\""::equals).toList(), lines.toString());
    }

    @Test
    void featuresOfTheSchemaCanBeIgnoredAndTargetsCannot() throws IOException {
        folder.with("schema.json", "{\"name\": \"numbers\", \"kind\": \"regression\"," + FEATURES
                + "\"targets\": [{\"name\": \"t\", \"type\": \"numeric\"}]}")
                .with("data.csv", rows(",t", row -> "," + row));
        CommandLineRun trained = train("--dense-epochs", 1, "--epochs", 1, "--ignore", "c");
        assertEquals(0, trained.status(), trained.err());
        assertTrue(trained.out().startsWith("Trained numbers for 1 targets on 60 rows with 1 features."),
                trained.out());
        folder.with("pink.csv", "x,c\n0.5,pink\n").with("new.csv", "x\n0.5\n");
        assertEquals(0, predict("pink.csv").status());
        String ignored = predictions().get(1)[0];
        assertEquals(0, predict("new.csv").status());
        assertEquals(ignored, predictions().get(1)[0]);
        CommandLineRun target = train("--ignore", "t");
        assertTrue(target.status() == 1
                && target.err().contains("data.csv: found the task 't' among the columns to be ignored"), target.err());
    }

    @Test
    void targetsWithoutAValueAreRefused() {
        folder.with("schema.json", "{\"name\": \"numbers\", \"kind\": \"regression\"," + FEATURES + """
                "targets": [{"name": "t", "type": "numeric"}, {"name": "u", "type": "numeric"}]}
                """).with("data.csv", rows(",t,u", row -> "," + row + ","));
        CommandLineRun run = train("--dense-epochs", 1, "--epochs", 1);
        assertEquals(1, run.status());
        assertTrue(run.err().contains("data.csv, column 'u': found no value in 60 rows"), run.err());
        assertFalse(Files.exists(file("model.tribuo")));
    }

    @Test
    void whatIsNoModelOfTrainIsRefused() throws IOException {
        folder.with("new.csv", "x\n1\n").with("model.tribuo", "no model");
        CommandLineRun bytes = predict("new.csv");
        assertTrue(bytes.status() == 1 && bytes.err().contains("model.tribuo cannot be read as a model"), bytes.err());
        MutableDataset<Label> data = new MutableDataset<>(
                new SimpleDataSourceProvenance("two rows", new LabelFactory()), new LabelFactory());
        data.add(new ArrayExample<>(new Label("a"), new String[] {"x"}, new double[] {1}));
        data.add(new ArrayExample<>(new Label("b"), new String[] {"x"}, new double[] {2}));
        new CARTClassificationTrainer().train(data).serializeToFile(file("model.tribuo"));
        CommandLineRun tree = predict("new.csv");
        assertTrue(tree.status() == 1 && tree.err().contains("model.tribuo is a org.tribuo.common.tree.TreeModel; "
                + "allowed is what train wrote"), tree.err());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "train --data data.csv --out data.csv                            | --out: found %, which is --data, too;",
        "train --data data.csv --out ./a/../data.csv                     | --out: found %, which is --data, too;",
        "train --data data.csv --out link/data.csv                       | --out: found %, which is --data, too;",
        "train --data link.csv --out data.csv                            | --out: found %, which is --data, too;",
        "train --data data.csv --out schema.json                         | --out: found %, which is the schema, too;",
        "train --data data.csv --schema other.json --out other.json      | --out: found %, which is the schema, too;",
        "train --data data.csv --out m --onnx data.csv                   | --onnx: found %, which is --data, too;",
        "train --data data.csv --out m --onnx link/m                     | --onnx: found %, which is --out, too;",
        "train --data data.csv --out m --history ./a/../m                | --history: found %, which is --out, too;",
        "train --data data.csv --out m --onnx model --history link/model | --history: found %, which is --onnx, too;",
        "predict --data data.csv --model model --out data.csv            | --out: found %, which is --data, too;",
        "predict --data data.csv --model model --out link/model          | --out: found %, which is --model, too;",
    })
    void whatIsReadOrWrittenOtherwiseIsNotReplaced(String command, String message) throws IOException {
        String schema = "{\"name\": \"numbers\", \"kind\": \"regression\"," + FEATURES
                + "\"targets\": [{\"name\": \"t\", \"type\": \"numeric\"}]}";
        folder.with("schema.json", schema).with("other.json", schema).with("data.csv", rows(",t", row -> "," + row))
                .with("model", "not read");
        Files.createDirectory(file("a"));
        Files.createSymbolicLink(file("link"), temp);
        Files.createSymbolicLink(file("link.csv"), file("data.csv"));
        Map<Path, String> before = files();
        List<Object> words = new ArrayList<>();
        for (String word : command.split(" ")) {
            words.add(words.isEmpty() || word.startsWith("--") ? word : file(word));
        }
        CommandLineRun run = CommandLineRun.of(words.toArray());
        assertEquals(1, run.status());
        String found = words.get(words.size() - 1).toString();
        assertEquals("error: " + message.replace("%", found) + " allowed is another file", run.err().strip());
        assertEquals(before, files());
    }

    private Map<Path, String> files() throws IOException {
        Map<Path, String> files = new HashMap<>();
        try (Stream<Path> all = Files.list(temp)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                files.put(file, Files.readString(file));
            }
        }
        return files;
    }

    @Test
    void anOlderOutputIsReplaced() throws IOException {
        folder.with("schema.json", "{\"name\": \"numbers\", \"kind\": \"regression\"," + FEATURES
                + "\"targets\": [{\"name\": \"t\", \"type\": \"numeric\"}]}")
                .with("data.csv", rows(",t", row -> "," + row)).with("model.tribuo", "old").with("out.csv", "old")
                .with("h.csv", "old");
        CommandLineRun trained = train("--dense-epochs", 1, "--epochs", 1, "--history", file("h.csv"));
        assertEquals(0, trained.status(), trained.err());
        assertEquals(0, predict("data.csv").status());
        assertEquals(ROWS + 1, predictions().size());
        assertTrue(Files.readString(file("h.csv")).startsWith("phase,"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--rank 0                       | rank",
        "--epochs 0                     | epochs 0",
        "--experts 7                    | 7",
        "--validation 1                 | validationFraction 1",
        "--onnx .                       | is a folder; allowed is a file",
        "--schema absent.json           | absent.json: found no file that can be read",
    })
    void wrongSettingsAreOneLineAndWriteNothing(String options, String message) {
        folder.with("schema.json", "{\"name\": \"numbers\", \"kind\": \"regression\"," + FEATURES
                + "\"targets\": [{\"name\": \"t\", \"type\": \"numeric\"}]}")
                .with("data.csv", rows(",t", row -> "," + row));
        String[] words = options.split(" ");
        CommandLineRun run = words[0].equals("--schema")
                ? CommandLineRun.of("train", "--data", file("data.csv"), words[0], file(words[1]), "--out", file("m"))
                : train("--dense-epochs", 1, words[0], words[1]);
        assertEquals(1, run.status(), run.err());
        String last = run.err().lines().reduce((first, second) -> second).orElse("");
        assertTrue(last.startsWith("error: ") && last.contains(message), run.err());
        assertFalse(Files.exists(file("model.tribuo")));
    }
}
