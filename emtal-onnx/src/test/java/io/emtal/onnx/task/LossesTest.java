package io.emtal.onnx.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.Losses.RealLoss;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LossesTest {

    @Test
    void graphAndFormulaAgreeInLossAndGradient() {
        for (long seed = 0; seed < 40; seed++) {
            RandomTasks tasks = RandomTasks.of(seed);
            Losses losses = Losses.builder().headScope(tasks.layout().headScope())
                    .realLoss(seed % 3 == 0 ? RealLoss.SQUARED : RealLoss.HUBER).huberDelta(seed % 2 == 0 ? 0.7 : 0)
                    .labelSmoothing(seed % 5 == 0 ? 0 : 0.2).build();
            LossGraph graph = LossGraph.of(losses, tasks.labels(), tasks.logits());
            double[] z = IntStream.range(0, tasks.logits().length).mapToDouble(i -> tasks.logits()[i]).toArray();
            double expected = total(losses, seed, tasks.labels(), z);
            assertEquals(expected, graph.loss(), 1e-5 * (1 + expected), "seed " + seed);
            for (int i = 0; i < z.length; i++) {
                double step = 1e-5;
                double value = z[i];
                z[i] = value + step;
                double above = total(losses, seed, tasks.labels(), z);
                z[i] = value - step;
                double below = total(losses, seed, tasks.labels(), z);
                z[i] = value;
                assertEquals((above - below) / (2 * step), graph.gradient()[i], 2e-5, "seed " + seed + ", logit " + i);
            }
        }
    }

    /** The definition, term by term: weighted mean over labelled rows of each task. */
    private static double total(Losses losses, long seed, BatchLabels labels, double[] z) {
        TaskLayout layout = labels.layout();
        double smoothing = seed % 5 == 0 ? 0 : 0.2;
        double total = 0;
        for (int t = 0; t < layout.size(); t++) {
            int[] columns = layout.softmaxColumns(t);
            for (int row = 0; row < labels.rows(); row++) {
                float label = labels.label(row, t);
                if (Float.isNaN(label)) {
                    continue;
                }
                int from = row * layout.columns();
                int own = from + layout.offset(t);
                double loss;
                if (layout.task(t) instanceof CategoricalTask) {
                    double logSum = Math.log(Arrays.stream(columns).mapToDouble(c -> Math.exp(z[from + c])).sum());
                    double mean = Arrays.stream(columns).mapToDouble(c -> logSum - z[from + c]).average().orElseThrow();
                    loss = (1 - smoothing) * (logSum - z[own + (int) label]) + smoothing * mean;
                } else if (layout.task(t) instanceof BinaryTask) {
                    double p = 1 / (1 + Math.exp(-z[own]));
                    loss = -Math.log(label == 1 ? p : 1 - p);
                } else {
                    double d = Math.abs(z[own] - label);
                    double delta = seed % 2 == 0 ? 0.7 : ((RealTask) layout.task(t)).kurtosis() / 18;
                    loss = seed % 3 == 0 ? d * d / 2 : d < delta ? d * d / 2 / delta : d - delta / 2;
                }
                total += layout.task(t).weight() * loss / labels.count(t);
            }
        }
        return total;
    }

    @Test
    void meansAreTheLossWithoutSmoothing() {
        for (long seed = 0; seed < 20; seed++) {
            RandomTasks tasks = RandomTasks.of(seed);
            Losses losses = Losses.builder().headScope(tasks.layout().headScope()).labelSmoothing(0).build();
            double[] means = losses.means(tasks.labels(), tasks.logits());
            double total = 0;
            for (int t = 0; t < means.length; t++) {
                assertEquals(tasks.labels().count(t) == 0, Double.isNaN(means[t]), "seed " + seed);
                total += Double.isNaN(means[t]) ? 0 : tasks.layout().task(t).weight() * means[t];
            }
            assertEquals(total, LossGraph.of(losses, tasks.labels(), tasks.logits()).loss(), 1e-5 * (1 + total),
                    "seed " + seed);
        }
    }

    /** A column has the least loss where it says of itself what it says: the gradient is 0 there. */
    @Test
    void probabilitiesAsTargetsLeaveNothingToLearn() {
        TaskLayout layout = new TaskLayout(List.of(new CategoricalTask("c", 3), new BinaryTask("b")));
        float[] logits = {1, -2, 40, 200, 0.5f, 0, -1, -0.3f};
        float[] targets = new float[logits.length];
        Losses losses = new Losses();
        for (int t = 0; t < layout.size(); t++) {
            losses.probabilities(layout, t, logits, targets);
        }
        assertEquals(1, targets[0] + targets[1] + targets[2], 1e-6);
        assertEquals(Math.exp(-1) / (Math.exp(0.5) + 1 + Math.exp(-1)), targets[6], 1e-7);
        assertEquals(1, targets[3]);
        assertEquals(1 / (1 + Math.exp(0.3)), targets[7], 1e-7);
        float[] weights = new float[logits.length];
        Arrays.fill(weights, 1);
        assertArrayEquals(new float[logits.length], LossGraph.of(losses, layout, logits, targets, weights).gradient(), 1e-6f);
    }

    @Test
    void microBatchesAndPaddingAddUpToTheBatch() {
        for (long seed = 0; seed < 10; seed++) {
            RandomTasks tasks = RandomTasks.of(seed);
            Losses losses = Losses.builder().headScope(tasks.layout().headScope()).build();
            int width = tasks.layout().columns();
            int rows = tasks.labels().rows();
            int padded = rows + 3;
            float[] targets = new float[padded * width];
            float[] weights = new float[padded * width];
            Arrays.fill(targets, 9);
            Arrays.fill(weights, 9);
            losses.fill(tasks.labels(), targets, weights);
            float[] logits = Arrays.copyOf(tasks.logits(), padded * width);
            double sum = 0;
            for (int row = 0; row < padded; row++) {
                int from = row * width;
                sum += LossGraph.of(losses, tasks.layout(), Arrays.copyOfRange(logits, from, from + width),
                        Arrays.copyOfRange(targets, from, from + width),
                        Arrays.copyOfRange(weights, from, from + width)).loss();
            }
            double whole = LossGraph.of(losses, tasks.labels(), tasks.logits()).loss();
            assertEquals(whole, sum, 1e-5 * (1 + whole), "seed " + seed);
        }
    }

    @Test
    void extremeLogitsStayFinite() {
        TaskLayout layout = new TaskLayout(
                List.of(new CategoricalTask("c", 2), new BinaryTask("b"), new RealTask("r", 0, 1, 1)));
        Losses losses = Losses.builder().labelSmoothing(0).build();
        for (float size : new float[] {1e4f, -1e4f, 1e30f}) {
            BatchLabels labels = new BatchLabels(layout, new float[] {1, 0, 0});
            float[] logits = {size, -size, size, size};
            LossGraph graph = LossGraph.of(losses, labels, logits);
            assertTrue(Float.isFinite(graph.loss()), "logits " + size);
            for (float g : graph.gradient()) {
                assertTrue(Float.isFinite(g), "logits " + size);
            }
            double expected = (size > 0 ? 2.0 * size + size : 0) + Math.abs(size) - 0.15;
            assertEquals(expected, graph.loss(), 1e-6 * expected);
            assertEquals(expected, Arrays.stream(losses.means(labels, logits)).sum(), 1e-6 * expected);
        }
    }

    @Test
    void aJointHeadMixesTheDistributionsOfARowByWeight() {
        Losses losses = Losses.builder().headScope(HeadScope.JOINT).labelSmoothing(0).build();
        TaskLayout layout = losses.layout(
                List.of(new CategoricalTask("a", 2, 3), new BinaryTask("b"), new CategoricalTask("c", 2)));
        float[] targets = new float[5];
        float[] weights = new float[5];
        losses.fill(new BatchLabels(layout, new float[] {1, 1, 0}), targets, weights);
        assertArrayEquals(new float[] {0, 0.75f, 1, 0.25f, 0}, targets);
        assertArrayEquals(new float[] {4, 4, 1, 4, 4}, weights);
        assertThrows(EmtalException.class,
                () -> new Losses().fill(new BatchLabels(layout, new float[] {1, 1, 0}), targets, weights));
    }

    /** Of errors .2 and .8 the weights are as 4 to 1; the sum stays, and so do tasks of which nothing is known. */
    @Test
    void realTasksAreBalancedByWhatALinearMapLeaves() {
        TaskLayout tasks = new TaskLayout(List.of(new RealTask("a", 5, 2, 4, 1), new BinaryTask("b", 3),
                new RealTask("c", 0, 1, 1), new RealTask("d", 0, 1, 7)));
        TaskLayout balanced = new Losses().balance(tasks, Map.of("a", 0.2, "b", 0.5, "c", 0.8));
        assertArrayEquals(new double[] {1.6, 3, 0.4, 7}, weights(balanced), 1e-12);
        assertEquals(new RealTask("a", 5, 2, 4, balanced.task(0).weight()), balanced.task(0));
        // An error below 0.1 counts as 0.1, and a weight that was given remains a factor.
        TaskLayout weighted = new TaskLayout(List.of(new RealTask("a", 0, 1, 1), new RealTask("b", 0, 1, 8),
                new RealTask("c", 0, 1, 0)));
        assertArrayEquals(new double[] {7.5, 1.5, 0}, weights(new Losses().balance(weighted,
                Map.of("a", 0.0, "b", 4.0, "c", 0.5))), 1e-12);
    }

    @Test
    void whatCannotBeBalancedStaysAsItIs() {
        TaskLayout tasks = new TaskLayout(List.of(new RealTask("a", 0, 1, 1), new RealTask("b", 0, 1, 1)));
        assertEquals(tasks, new Losses().balance(tasks, Map.of()));
        assertEquals(tasks, new Losses().balance(tasks, Map.of("a", 0.3, "other", 0.6)));
        assertEquals(tasks, Losses.builder().balanced(false).build().balance(tasks, Map.of("a", 0.3, "b", 0.6)));
    }

    @Test
    void balancingKeepsTheHeadScope() {
        TaskLayout joint = new TaskLayout(List.of(new RealTask("a", 0, 1, 1), new RealTask("b", 0, 1, 1),
                new CategoricalTask("c", 2, 1)), HeadScope.JOINT);
        TaskLayout balanced = new Losses().balance(joint, Map.of("a", 0.3, "b", 0.6));
        assertEquals(HeadScope.JOINT, balanced.headScope());
        assertEquals(2 * balanced.task(1).weight(), balanced.task(0).weight(), 1e-12);
    }

    private static double[] weights(TaskLayout tasks) {
        return tasks.tasks().stream().mapToDouble(Task::weight).toArray();
    }

    /** The threshold follows the tails of a target, within bounds; an error of 1 costs 1 less half the threshold. */
    @ParameterizedTest
    @CsvSource({"1, 0.3", "3, 0.3", "5.4, 0.3", "9, 0.5", "18, 1", "300, 1"})
    void theThresholdFollowsTheTails(double kurtosis, double delta) {
        TaskLayout layout = new TaskLayout(List.of(new RealTask("r", 0, 1, kurtosis, 1)));
        BatchLabels labels = new BatchLabels(layout, new float[] {0});
        float[] logits = {1};
        assertEquals(1 - delta / 2, new Losses().means(labels, logits)[0], 1e-9);
        assertEquals(1 - delta / 2, LossGraph.of(new Losses(), labels, logits).loss(), 1e-6);
        assertEquals(1 / (2 * 1.5), Losses.builder().huberDelta(1.5).build().means(labels, logits)[0], 1e-9);
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1e-39, 1e-7, 1e7, 1e39, Double.NaN, Double.POSITIVE_INFINITY})
    void thresholdsOutOfRangeAreRefused(double delta) {
        var e = assertThrows(EmtalException.class, () -> Losses.builder().huberDelta(delta).build());
        assertTrue(e.getMessage().contains("huberDelta " + delta), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1, Double.NaN})
    void smoothingOutOfRangeIsRefused(double smoothing) {
        var e = assertThrows(EmtalException.class, () -> Losses.builder().labelSmoothing(smoothing).build());
        assertTrue(e.getMessage().contains("labelSmoothing " + smoothing), e.getMessage());
    }

    @Test
    void configurationAndProvenanceAreInverse() {
        Losses losses = Losses.builder().labelSmoothing(0.05).realLoss(RealLoss.SQUARED).huberDelta(2).balanced(false)
                .headScope(HeadScope.JOINT).build();
        ConfigurationManager manager = new ConfigurationManager();
        manager.addConfiguration(ProvenanceUtil.extractConfiguration(losses.getProvenance()));
        Losses again = manager.lookupAll(Losses.class).get(0);
        assertEquals(losses.getProvenance(), again.getProvenance());
        manager.close();
    }
}
