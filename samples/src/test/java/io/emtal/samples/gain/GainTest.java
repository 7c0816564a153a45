package io.emtal.samples.gain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.samples.CommandLineRun;
import io.emtal.samples.table.TableFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GainTest {
    @TempDir
    Path temp;

    @BeforeEach
    void makeSet() {
        StringBuilder rows = new StringBuilder("fold,x,s,t\n");
        Random random = new Random(1);
        for (int row = 0; row < 40; row++) {
            double x = random.nextGaussian();
            rows.append(row % 2).append(',').append(x).append(',').append(x + 0.1 * random.nextGaussian()).append(',')
                    .append(x * x).append('\n');
        }
        new TableFolder(temp).with("schema.json", """
                {"name": "small", "files": {"data": "data.csv", "fold_column": "fold", "folds": 2},
                 "features": [{"name": "x", "type": "numeric"}],
                 "targets": [{"name": "s", "type": "numeric"}, {"name": "t", "type": "numeric"}]}
                """).with("data.csv", rows.toString());
    }

    @Test
    void printsTheSetAndTheGainOfEachTask() {
        CommandLineRun run = CommandLineRun.of("gain", "--data", temp, "--set", "small", "--seeds", 1, "--folds", 1,
                "--missing", 0, "--missing-of", "t=0.5", "--classes", 2);
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().startsWith("small: 40 rows, s in 40 (cut at "), run.out());
        assertTrue(run.out().lines().findFirst().orElseThrow().endsWith(", t in 20"), run.out());
        assertTrue(run.out().lines().anyMatch(line -> line.matches("s +accuracy +20 +.*of 1")), run.out());
        assertTrue(run.out().lines().anyMatch(line -> line.matches("t +RRMSE +\\d+ +.*of 1")), run.out());
        assertTrue(run.out().lines().anyMatch(line -> line.matches("mean +.*of 1")), run.out());
        for (String model : List.of("all tasks", "s", "t")) {
            assertTrue(run.err().contains("/3] small, seed 1, fold 0, " + model + " in "), run.err());
        }
        assertTrue(run.err().contains("[3/3] "), run.err());
    }

    @Test
    void saysWhereNoTargetIsCut() {
        CommandLineRun run = CommandLineRun.of("gain", "--data", temp, "--set", "small", "--seeds", 1, "--folds", 1,
                "--missing", 0, "--classes", 41);
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().startsWith("small: 40 rows, s in 40, t in 40; none is cut\n"), run.out());
    }

    /** Other sets may have it. */
    @ParameterizedTest
    @ValueSource(strings = {"--cut u", "--missing-of u=1", "--missing-of a=b=0.5"})
    void aSetWithoutANamedTargetFails(String option) {
        CommandLineRun run = CommandLineRun.of("gain", "--data", temp, option.split(" ")[0], option.split(" ")[1]);
        assertEquals(1, run.status());
        assertTrue(run.err().startsWith("error: small: " + option.replaceAll("=[0-9.]+$", "")
                + ": found no target of this name, allowed are s, t"), run.err());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--missing 0.999                    | small: fold 0, task 's'",
        "--missing 0   --missing-of t=0.999 | small: fold 0, task 't'",
    })
    void tasksWithoutALabelAreRefusedBeforeAnyTraining(String options, String message) {
        List<Object> arguments = new ArrayList<>(List.of("gain", "--data", temp, "--seeds", 1));
        arguments.addAll(List.of(options.split(" +")));
        CommandLineRun run = CommandLineRun.of(arguments.toArray());
        assertEquals(1, run.status());
        assertEquals("error: " + message + ": found no label in 20 training rows, at least one is needed",
                run.err().strip());
    }

    /** The first target is the same number in most rows, the second has one row of the other class. */
    @Test
    void targetsThatCannotBeCutAndFoldsThatLackAClassAreNoObstacle() {
        StringBuilder rows = new StringBuilder("fold,x,z,b,s\n");
        for (int row = 0; row < 40; row++) {
            rows.append(row % 2).append(",").append(row % 7).append(",").append(row == 3 ? 1 : 0).append(",")
                    .append(row == 5 ? 1 : 0).append(",").append(row).append("\n");
        }
        new TableFolder(temp.resolve("tied")).with("schema.json", """
                {"name": "tied", "files": {"data": "data.csv", "fold_column": "fold", "folds": 2},
                 "features": [{"name": "x", "type": "numeric"}],
                 "targets": [{"name": "z", "type": "numeric"},
                             {"name": "b", "type": "nominal", "values": ["0", "1"]}, {"name": "s", "type": "numeric"}]}
                """).with("data.csv", rows.toString());
        new TableFolder(temp.resolve("empty")).with("schema.json", """
                {"name": "empty", "files": {"data": "data.csv", "fold_column": "fold", "folds": 2},
                 "features": [{"name": "x", "type": "numeric"}], "targets": [{"name": "s", "type": "numeric"}]}
                """).with("data.csv", "fold,x,s\n");
        CommandLineRun run = CommandLineRun.of("gain", "--data", temp, "--set", "tied", "--set", "empty", "--seeds", 1,
                "--folds", 2, "--missing", 0);
        assertTrue(run.out().startsWith("tied: 40 rows, z in 40, b in 40, s in 40 (cut at "), run.out());
        assertEquals(1, run.status());
        assertTrue(run.err().lines().reduce((a, b) -> b).orElseThrow().startsWith("error: empty: "), run.err());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "--set nothing   : --set nothing: there is none of this name; allowed are small",
        "--seeds 0       : --seeds is 0; allowed are 1 and more",
        "--folds 0       : --folds is 0; allowed are 1 and more",
        "--parallelism -1 : --parallelism is -1; allowed are 0 and more",
        "--classes 1     : --classes is 1; allowed are 2 and more",
        "--missing-of s   : Invalid value for option '--missing-of' (TARGET=FRACTION): found 's', allowed is",
        "--missing-of s=x : Invalid value for option '--missing-of' (TARGET=FRACTION): found 's=x', allowed is"})
    void wrongOptionsAreRefused(String optionAndMessage) {
        String[] parts = optionAndMessage.split(" *: ", 2);
        String[] option = parts[0].split(" ");
        CommandLineRun run = CommandLineRun.of("gain", "--data", temp, option[0], option[1]);
        assertEquals(2, run.status());
        assertTrue(run.err().startsWith("error: " + parts[1]), run.err());
    }
}
