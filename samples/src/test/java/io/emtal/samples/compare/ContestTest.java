package io.emtal.samples.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.output.Measurement;
import io.emtal.samples.table.Table;
import io.emtal.samples.table.TableFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.impl.ArrayExample;
import org.tribuo.regression.Regressor;

class ContestTest {
    @TempDir
    Path temp;

    @Test
    void everyPeerLearnsFromEveryKindOfTableTheSameEachTime() {
        Map<TableFolder, Double> worstAllowed = new LinkedHashMap<>();
        worstAllowed.put(SmallTables.multiLabel(temp.resolve("m")), 0.45);
        worstAllowed.put(SmallTables.regression(temp.resolve("r")), 1.1);
        worstAllowed.put(SmallTables.categorical(temp.resolve("c")), 0.5);
        worstAllowed.put(SmallTables.mixed(temp.resolve("x")), 1.1);
        worstAllowed.forEach((folder, limit) -> {
            Contest<?> contest = Contest.of(folder.read(), Competitors.usual());
            List<Measurement> first = measureAll(contest, 1);
            List<Measurement> second = measureAll(contest, 1);
            for (int i = 0; i < first.size(); i++) {
                Measurement measured = first.get(i);
                double main = measured.metrics().values().iterator().next();
                boolean good = measured.set().equals("classes") ? main >= limit : main <= limit;
                assertTrue(good, measured.toString());
                assertEquals(measured.metrics(), second.get(i).metrics(), measured.trainer());
            }
        });
    }

    @Test
    void methodsShareWhatTheyHaveInCommonAndScoreAsAlone() {
        Table table = SmallTables.regression(temp).read();
        Contest<?> together = Contest.of(table, List.of("emtal", "lora", "heads"));
        for (long seed = 1; seed <= 2; seed++) {
            List<Contest.Fit> fits = new ArrayList<>();
            List<Measurement> shared = measureAll(together, seed, fits::add);
            for (Measurement measured : shared) {
                Contest<?> alone = Contest.of(table, List.of(measured.trainer()));
                assertEquals(measureAll(alone, seed).get(0).metrics(), measured.metrics(), measured.trainer());
            }
            // Two folds each; the first competitor trains for all.
            for (int i = 0; i < fits.size(); i++) {
                assertEquals(i >= 2, fits.get(i).sharedSeconds() > 0, "seed " + seed + ", fit " + i);
                assertTrue(fits.get(i).trainSeconds() > fits.get(i).sharedSeconds(), "seed " + seed + ", fit " + i);
            }
        }
    }

    @Test
    void changedTestRowsDoNotChangeWhatIsLearnt() {
        TableFolder folder = SmallTables.multiLabel(temp);
        List<Measurement> before = measureAll(Contest.of(folder.read(), Competitors.usual()), 1);
        // The same test rows, and one more that is far out: nothing that was learnt may move.
        String test = read(temp.resolve("test.csv"));
        folder.with("test.csv", test + "1e6,-1e6,9,red,0,0,0,1\n");
        List<Measurement> after = measureAll(Contest.of(folder.read(), Competitors.usual()), 1);
        for (int i = 0; i < before.size(); i++) {
            double wrongBefore = before.get(i).metrics().get("hamming") * 20 * 4;
            double wrongAfter = after.get(i).metrics().get("hamming") * 21 * 4;
            assertTrue(wrongAfter - wrongBefore > -1e-9 && wrongAfter - wrongBefore < 4 + 1e-9,
                    before.get(i).trainer() + ": " + wrongBefore + " cells wrong, then " + wrongAfter);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "NaN   | and the prediction NaN, allowed are finite numbers",
        "1e200 | numbers: aRRMSE is Infinity; the model predicts no finite numbers, or far too large ones",
    })
    void predictionsThatAreNoUsableNumbersAreTheReasonGiven(double value, String message) {
        Table table = SmallTables.regression(temp).read();
        Contest<Regressor> contest = new Contest<>(table, table.splits(), new RegressionMetrics(), List.of());
        EmtalException e = assertThrows(EmtalException.class, () ->
                contest.measure(new Constant(value), 1, fit -> { }));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    /** Predicts the same number for every target of every row. */
    private record Constant(double value) implements Competitor<Regressor>, Fitted<Regressor> {
        @Override
        public String name() {
            return "constant";
        }

        @Override
        public boolean seeded() {
            return false;
        }

        @Override
        public Fitted<Regressor> fit(Table table, int[] rows, long seed) {
            return this;
        }

        @Override
        public Supplier<List<Prediction<Regressor>>> predictor(int[] rows) {
            Regressor output = new Regressor(new String[] {"s", "t"}, new double[] {value, value});
            return () -> Collections.nCopies(rows.length, new Prediction<>(output, 1, new ArrayExample<>(output)));
        }

        @Override
        public OptionalLong trainableParameters() {
            return OptionalLong.empty();
        }

        @Override
        public void close() {
        }
    }

    @Test
    void parametersOfLinearModelsAndFactorisationMachinesAreCounted() {
        List<Measurement> measured =
                measureAll(Contest.of(SmallTables.regression(temp).read(), List.of("linear-sgd", "fm", "knn")), 1);
        // Inputs x, y and three colours; two targets.
        assertEquals(2 * (5 + 1), measured.get(0).trainableParameters().orElseThrow());
        assertEquals(2 * (1 + 5 + 6 * 5), measured.get(1).trainableParameters().orElseThrow());
        assertTrue(measured.get(2).trainableParameters().isEmpty());
    }

    /** The figures of the same methods in schema.json, which other code computed. */
    @Test
    void figuresOfTheEmotionsSetAreReproduced() {
        assertEquals(0.2219, figure("emotions", "linear-sgd"), 0.01);
        assertEquals(0.2079, figure("emotions", "knn"), 0.0005);
    }

    @Test
    @Tag("long")
    void figuresOfTheSharedSetsAreReproduced() {
        assertEquals(0.2104, figure("emotions", "fm"), 0.02);
        assertEquals(0.1944, figure("emotions", "random-forest"), 0.01);
        assertEquals(0.1997, figure("emotions", "xgboost"), 0.015);
        assertEquals(0.7631, figure("edm", "knn"), 0.03);
        assertEquals(0.6641, figure("slump", "linear-sgd"), 0.02);
        assertEquals(0.6918, figure("slump", "random-forest"), 0.02);
        assertEquals(0.3747, figure("andro", "xgboost"), 0.03);
    }

    /** EMTAL with its defaults stays within 15 % of the best figure in the sets' own schemas. */
    @Test
    @Tag("long")
    void emtalComesCloseToTheBest() {
        assertTrue(figure("emotions", "emtal") <= 1.15 * 0.1944);
        assertTrue(figure("slump", "emtal") <= 1.15 * 0.6641);
        assertTrue(figure("andro", "emtal") <= 1.15 * 0.3747);
    }

    @Test
    @Tag("long")
    void searchesLearnFromEveryKindOfTableAndCountTheirTime() {
        for (TableFolder folder : List.of(SmallTables.multiLabel(temp.resolve("m")),
                SmallTables.regression(temp.resolve("r")), SmallTables.categorical(temp.resolve("c")))) {
            Contest<?> contest = Contest.of(folder.read(), List.of("emtal", "emtal-tuned"));
            List<Measurement> measured = measureAll(contest, 1);
            assertEquals(List.of("emtal", "emtal-tuned"), measured.stream().map(Measurement::trainer).toList());
            assertTrue(measured.get(1).trainSeconds() > measured.get(0).trainSeconds(), measured::toString);
            assertEquals(measured.get(1).metrics(), measureAll(contest, 1).get(1).metrics());
        }
    }

    private static double figure(String set, String trainer) {
        String data = System.getProperty("emtal.data");
        Path folder = data == null ? null : Path.of(data, "tabular", set);
        Assumptions.assumeTrue(folder != null && Files.isDirectory(folder), "no data set " + folder);
        return measureAll(Contest.of(Table.read(folder), List.of(trainer)), 1).get(0).metrics().values().iterator()
                .next();
    }

    private static List<Measurement> measureAll(Contest<?> contest, long seed) {
        return measureAll(contest, seed, fit -> { });
    }

    private static <T extends Output<T>> List<Measurement> measureAll(Contest<T> contest, long seed,
            Consumer<Contest.Fit> onFit) {
        List<Measurement> measured = new ArrayList<>();
        for (Competitor<T> competitor : contest.competitors()) {
            measured.add(contest.measure(competitor, seed, onFit));
        }
        return measured;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
