package io.emtal.onnx.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationData;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.config.property.SimpleProperty;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.QualityRetaining.StoreWhen;
import io.emtal.onnx.task.QualityRetaining.Weighting;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class QualityRetainingTest {

    private static final TaskLayout CLASSES = new TaskLayout(List.of(new CategoricalTask("t", 2)));
    private static final TaskLayout BINARY = new TaskLayout(List.of(new BinaryTask("t")));
    private static final TaskLayout REAL = new TaskLayout(List.of(new RealTask("t", 0, 1, 1)));

    @Test
    void graphAndFormulaAgreeInLossAndGradient() {
        int compared = 0;
        for (long seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            RandomTasks tasks = RandomTasks.of(seed);
            TaskLayout layout = tasks.layout();
            QualityRetaining settings = QualityRetaining.builder()
                    .weighting(Weighting.values()[(int) (seed % 3)])
                    .binaryTasks(seed % 4 != 0).realTasks(seed % 2 == 0).temperature(1 + random.nextInt(3)).build();
            if (!settings.appliesTo(layout)) {
                continue;
            }
            RetainingState state = settings.start(layout, 4);
            int rows = tasks.labels().rows();
            int[] examples = random.ints(rows, 0, 4).toArray();
            for (int step = 0; step < 3; step++) {
                float[] logits = new float[tasks.logits().length];
                for (int i = 0; i < logits.length; i++) {
                    logits[i] = (float) random.nextGaussian();
                }
                double[] losses = random.doubles(layout.size(), 0.2, 2).toArray();
                state.record(RandomTasks.labels(layout, rows, random), examples, logits, losses);
            }
            float[] teacher = new float[tasks.logits().length];
            float[] teacherWeight = new float[tasks.logits().length];
            double constant = state.teach(tasks.labels(), examples, teacher, teacherWeight);
            LossGraph graph = LossGraph.of(settings, layout, tasks.logits(), teacher, teacherWeight);

            double[] z = IntStream.range(0, tasks.logits().length).mapToDouble(i -> tasks.logits()[i]).toArray();
            double expected = total(settings, state, tasks.labels(), examples, z);
            assertEquals(expected, graph.loss() + constant, 2e-5 * (1 + Math.abs(constant)), "seed " + seed);
            for (int i = 0; i < z.length; i++) {
                double step = 1e-5;
                double value = z[i];
                z[i] = value + step;
                double above = total(settings, state, tasks.labels(), examples, z);
                z[i] = value - step;
                double below = total(settings, state, tasks.labels(), examples, z);
                z[i] = value;
                assertEquals((above - below) / (2 * step), graph.gradient()[i], 5e-5, "seed " + seed + ", logit " + i);
            }
            compared++;
        }
        assertTrue(compared > 30, "compared " + compared);
    }

    /** The definition: 1/B Σ weight · T² Σ p log(p/q), with two logits (0, z) of a binary task. */
    private static double total(QualityRetaining settings, RetainingState state, BatchLabels labels, int[] examples,
            double[] z) {
        TaskLayout layout = labels.layout();
        double temperature = settings.temperature();
        double total = 0;
        for (int t = 0; t < layout.size(); t++) {
            Task task = layout.task(t);
            if (!settings.appliesTo(task)) {
                continue;
            }
            double mean = state.runningLoss(t);
            double weight = settings.weighting() == Weighting.CONSTANT ? 1
                    : Double.isNaN(mean) ? 0 : Math.min(1 / mean, 10);
            for (int row = 0; row < labels.rows(); row++) {
                float label = labels.label(row, t);
                int from = row * layout.columns();
                if (Float.isNaN(label)) {
                    continue;
                }
                if (task instanceof RealTask) {
                    var snapshot = state.snapshot();
                    int reals = snapshot.best().length / 4;
                    int place = (int) layout.tasks().subList(0, t).stream()
                            .filter(RealTask.class::isInstance).count();
                    int i = examples[row] * reals + place;
                    if (Float.isFinite(snapshot.bestError()[i])) {
                        double d = z[from + layout.offset(t)] - snapshot.best()[i];
                        total += weight * d * d / 2 / labels.rows();
                    }
                    continue;
                }
                int filled = Math.min(2, state.visits(t, (int) label));
                for (int slot = 0; slot < filled; slot++) {
                    float[] bank = state.slot(t, (int) label, slot);
                    double[] teacher;
                    double[] student;
                    if (task instanceof BinaryTask) {
                        teacher = new double[] {0, bank[0]};
                        student = new double[] {0, z[from + layout.offset(t)]};
                    } else {
                        teacher = IntStream.range(0, bank.length).mapToDouble(i -> bank[i]).toArray();
                        student = Arrays.stream(layout.softmaxColumns(t)).mapToDouble(c -> z[from + c]).toArray();
                    }
                    double[] p = softmax(teacher, temperature);
                    double[] q = softmax(student, temperature);
                    for (int c = 0; c < p.length; c++) {
                        total += weight * temperature * temperature * p[c] * Math.log(p[c] / q[c]) / labels.rows();
                    }
                }
            }
        }
        return total;
    }

    private static double[] softmax(double[] logits, double temperature) {
        double[] e = Arrays.stream(logits).map(v -> Math.exp(v / temperature)).toArray();
        double sum = Arrays.stream(e).sum();
        return Arrays.stream(e).map(v -> v / sum).toArray();
    }

    @Test
    void duplicatesOfAClassEnterTheBankOnceAsTheirMean() {
        RetainingState state = new QualityRetaining().start(CLASSES, 4);
        BatchLabels labels = new BatchLabels(CLASSES, new float[] {0, 1, 0, Float.NaN});
        state.record(labels, null, new float[] {1, 2, 5, 6, 3, -4, 7, 7}, new double[] {1});
        assertEquals(1, state.visits(0, 0));
        assertArrayEquals(new float[] {2, -1}, state.slot(0, 0, 0));
        assertArrayEquals(new float[] {5, 6}, state.slot(0, 1, 0));
    }

    @Test
    void theLastVisitsStay() {
        RetainingState state = QualityRetaining.builder().slots(3).build().start(CLASSES, 1);
        BatchLabels labels = new BatchLabels(CLASSES, new float[] {1});
        for (int visit = 0; visit < 5; visit++) {
            state.record(labels, null, new float[] {visit, 0}, new double[] {1});
        }
        assertEquals(List.of(3f, 4f, 2f), List.of(
                state.slot(0, 1, 0)[0], state.slot(0, 1, 1)[0], state.slot(0, 1, 2)[0]));
    }

    @Test
    void anAverageCorrectsTheBiasOfItsStart() {
        RetainingState state = QualityRetaining.builder().averageDecay(0.9).build().start(CLASSES, 1);
        BatchLabels labels = new BatchLabels(CLASSES, new float[] {1});
        state.record(labels, null, new float[] {4, 0}, new double[] {1});
        assertArrayEquals(new float[] {4, 0}, state.slot(0, 1, 0), 1e-6f);
        state.record(labels, null, new float[] {0, 1}, new double[] {1});
        assertArrayEquals(new float[] {(float) (0.09 * 4 / 0.19), (float) (0.1 / 0.19)}, state.slot(0, 1, 0), 1e-6f);
    }

    @Test
    void onlyCorrectExamplesAreStoredOnDemand() {
        QualityRetaining settings = QualityRetaining.builder().storeWhen(StoreWhen.CORRECT).binaryTasks(true).build();
        RetainingState state = settings.start(CLASSES, 2);
        state.record(new BatchLabels(CLASSES, new float[] {0, 0, 1}), null, new float[] {2, 1, 1, 2, 3, 1},
                new double[] {1});
        assertArrayEquals(new float[] {2, 1}, state.slot(0, 0, 0));
        assertEquals(0, state.visits(0, 1));

        RetainingState binary = settings.start(BINARY, 2);
        binary.record(new BatchLabels(BINARY, new float[] {1, 1, 0, 0}), null, new float[] {2, -1, 1, -3},
                new double[] {1});
        assertArrayEquals(new float[] {2}, binary.slot(0, 1, 0));
        assertArrayEquals(new float[] {-3}, binary.slot(0, 0, 0));
    }

    @Test
    void aRunningLossIsCorrectedAndItsInverseBounded() {
        RetainingState state = QualityRetaining.builder().binaryTasks(true).build().start(BINARY, 1);
        assertTrue(Double.isNaN(state.runningLoss(0)));
        assertEquals(0, state.weight(0));
        BatchLabels labels = new BatchLabels(BINARY, new float[] {1});
        state.record(labels, null, new float[] {3}, new double[] {0.01});
        assertEquals(0.01, state.runningLoss(0), 1e-12);
        assertEquals(10, state.weight(0));
        float[] teacher = new float[1];
        float[] weight = new float[1];
        state.teach(labels, null, teacher, weight);
        assertEquals(4 * 10, weight[0], 1e-5);
        assertEquals(4 * 10 / (1 + Math.exp(-1.5)), teacher[0], 1e-5);
    }

    /** Of losses 0.5 and 0.25 with a decay of 0.95: L̄ is 0.03625 / 0.0975, and 9.0613 when it starts at 10. */
    @Test
    void aWeightIsOneOverTheRunningLossOrTheConstant() {
        TaskLayout layout = new TaskLayout(List.of(new CategoricalTask("c", 2, 1), new BinaryTask("b"),
                new CategoricalTask("weightless", 2, 0)));
        BatchLabels labels = new BatchLabels(layout, new float[] {1, 1, 1});
        Map<Weighting, Double> after = Map.of(Weighting.CORRECTED_MEAN, 0.0975 / 0.03625, Weighting.MEAN_FROM_TEN,
                1 / 9.06125, Weighting.CONSTANT, 0.3);
        for (Weighting weighting : Weighting.values()) {
            RetainingState state = QualityRetaining.builder().weighting(weighting).constantWeight(0.3).build()
                    .start(layout, 1);
            assertEquals(weighting == Weighting.CONSTANT ? 0.3 : 0, state.weight(0), weighting.name());
            state.record(labels, null, new float[5], new double[] {0.5, 9, 9});
            state.record(labels, null, new float[5], new double[] {0.25, 9, 9});
            assertEquals(after.get(weighting), state.weight(0), 1e-12, weighting.name());
            assertTrue(Double.isNaN(state.weight(1)) && Double.isNaN(state.weight(2)), weighting.name());
        }
    }

    @Test
    void realTasksKeepTheBestPredictionOfEachExample() {
        QualityRetaining settings = QualityRetaining.builder().realTasks(true).weighting(Weighting.CONSTANT).build();
        RetainingState state = settings.start(REAL, 3);
        BatchLabels labels = new BatchLabels(REAL, new float[] {1});
        for (float prediction : new float[] {0.5f, 0.9f, 1.4f}) {
            state.record(labels, new int[] {2}, new float[] {prediction}, new double[] {1});
        }
        float[] teacher = new float[1];
        float[] weight = new float[1];
        assertEquals(0.405, state.teach(labels, new int[] {2}, teacher, weight), 1e-6);
        assertEquals(0.9, teacher[0], 1e-6);
        assertEquals(0, state.teach(labels, new int[] {1}, teacher, weight));
        assertEquals(0, weight[0]);
        assertFalse(new QualityRetaining().appliesTo(REAL));
    }

    @Test
    void theSizeOfAStateIsKnownBefore() {
        for (long seed = 0; seed < 20; seed++) {
            TaskLayout tasks = RandomTasks.of(seed).layout();
            for (QualityRetaining settings : List.of(new QualityRetaining(), QualityRetaining.builder().slots(3)
                    .binaryTasks(true).realTasks(true).build())) {
                RetainingState.Snapshot s = settings.start(tasks, 7).snapshot();
                long size = 4L * (s.bank().length + s.visits().length + s.meanCounts().length + s.best().length
                        + s.bestError().length) + 8L * s.means().length;
                assertEquals(settings.appliesTo(tasks) ? size : 0, settings.bytes(tasks, 7), "seed " + seed);
            }
        }
    }

    @Test
    void aRestoredStateGoesOnAsIfNotInterrupted() {
        for (long seed = 0; seed < 20; seed++) {
            RandomTasks tasks = RandomTasks.of(seed);
            QualityRetaining settings = QualityRetaining.builder().realTasks(true)
                    .averageDecay(seed % 2 == 0 ? 0.5 : 0).build();
            int rows = tasks.labels().rows();
            int[] examples = IntStream.range(0, rows).toArray();
            double[] losses = new Random(seed).doubles(tasks.layout().size()).toArray();
            RetainingState whole = settings.start(tasks.layout(), rows);
            whole.record(tasks.labels(), examples, tasks.logits(), losses);
            RetainingState resumed = settings.start(tasks.layout(), rows);
            resumed.restore(whole.snapshot());
            Random random = new Random(seed);
            BatchLabels next = RandomTasks.labels(tasks.layout(), rows, random);
            float[] logits = tasks.logits().clone();
            logits[0] += 1;
            whole.record(next, examples, logits, losses);
            resumed.record(next, examples, logits, losses);
            float[][] arrays = new float[4][logits.length];
            assertEquals(whole.teach(next, examples, arrays[0], arrays[1]),
                    resumed.teach(next, examples, arrays[2], arrays[3]), "seed " + seed);
            assertArrayEquals(arrays[0], arrays[2], "seed " + seed);
            assertArrayEquals(arrays[1], arrays[3], "seed " + seed);
        }
        RetainingState other = new QualityRetaining().start(CLASSES, 1);
        assertThrows(EmtalException.class, () -> other.restore(new QualityRetaining().start(BINARY, 1).snapshot()));
    }

    @Test
    void switchedOffOrWithoutTasksItAppliesToNothing() {
        assertFalse(QualityRetaining.off().appliesTo(CLASSES));
        assertFalse(QualityRetaining.builder().binaryTasks(false).build().appliesTo(BINARY));
        assertFalse(new QualityRetaining().appliesTo(new TaskLayout(List.of(new BinaryTask("t", 0)))));
        RetainingState state = QualityRetaining.off().start(CLASSES, 1);
        BatchLabels labels = new BatchLabels(CLASSES, new float[] {1});
        state.record(labels, null, new float[] {1, 2}, new double[] {0.5});
        float[] teacher = {1, 1};
        assertEquals(0, state.teach(labels, null, teacher, new float[2]));
        assertArrayEquals(new float[2], teacher);
    }

    @Test
    void settingsOutOfRangeAreRefused() {
        assertThrows(EmtalException.class, () -> QualityRetaining.builder().slots(0).build());
        assertThrows(EmtalException.class, () -> QualityRetaining.builder().averageDecay(1).build());
        assertThrows(EmtalException.class, () -> QualityRetaining.builder().temperature(0).build());
        assertThrows(EmtalException.class, () -> QualityRetaining.builder().lossDecay(1).build());
        assertThrows(EmtalException.class, () -> QualityRetaining.builder().maximumWeight(0).build());
        assertThrows(EmtalException.class, () -> QualityRetaining.builder().constantWeight(-1).build());
        ConfigurationManager manager = new ConfigurationManager();
        manager.addConfiguration(new ConfigurationData("qr", QualityRetaining.class.getName(),
                Map.of("slots", new SimpleProperty("0"))));
        assertThrows(PropertyException.class, () -> manager.lookup("qr"));
        manager.close();
    }

    @Test
    void configurationAndProvenanceAreInverse() {
        QualityRetaining settings = QualityRetaining.builder().slots(1).averageDecay(0.9).storeWhen(StoreWhen.CORRECT)
                .temperature(3).weighting(Weighting.CONSTANT).lossDecay(0.5).maximumWeight(4).constantWeight(0.25)
                .binaryTasks(false).realTasks(true).build();
        ConfigurationManager manager = new ConfigurationManager();
        manager.addConfiguration(ProvenanceUtil.extractConfiguration(settings.getProvenance()));
        QualityRetaining again = manager.lookupAll(QualityRetaining.class).get(0);
        assertEquals(settings.getProvenance(), again.getProvenance());
        manager.close();
    }
}
