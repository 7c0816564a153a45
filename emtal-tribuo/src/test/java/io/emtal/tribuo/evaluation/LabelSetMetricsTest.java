package io.emtal.tribuo.evaluation;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.impl.ArrayExample;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.multilabel.evaluation.MultiLabelEvaluation;
import org.tribuo.multilabel.evaluation.MultiLabelEvaluator;
import org.tribuo.multilabel.sgd.linear.LinearSGDTrainer;
import org.tribuo.multilabel.sgd.objectives.BinaryCrossEntropy;
import org.tribuo.provenance.SimpleDataSourceProvenance;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class LabelSetMetricsTest {

    // Truth a,b | - | c | a; predicted a | - | b,c | b.
    private static final boolean[][] TRUTHS = {row(1, 1, 0), row(0, 0, 0), row(0, 0, 1), row(1, 0, 0)};
    private static final boolean[][] PREDICTED = {row(1, 0, 0), row(0, 0, 0), row(0, 1, 1), row(0, 1, 0)};
    private static final double[][] SCORES = {{0.9, 0.4, 0.1}, {0.2, 0.3, 0.4}, {0.3, 0.6, 0.9}, {0.2, 0.8, 0.2}};

    @Test
    void metricsAreThoseComputedByHand() {
        LabelSetMetrics metrics = LabelSetMetrics.of(TRUTHS, PREDICTED, SCORES);
        assertEquals(4, metrics.rows());
        // Wrong cells: b of row 0, b of row 2, a and b of row 3.
        assertEquals(4 / 12.0, metrics.hamming().orElseThrow(), 1e-12);
        assertEquals(1 / 4.0, metrics.subsetAccuracy().orElseThrow(), 1e-12);
        // 2 hits, 2 false alarms, 2 misses.
        assertEquals(0.5, metrics.microF1().orElseThrow(), 1e-12);
        // a: 1 hit, 1 miss; b: 2 false alarms, 1 miss; c: 1 hit.
        assertEquals((2 / 3.0 + 0 + 1) / 3, metrics.macroF1().orElseThrow(), 1e-12);
        // 2/3, an empty set predicted as empty, 2/3, 0.
        assertEquals((2 / 3.0 + 1 + 2 / 3.0 + 0) / 4, metrics.exampleF1().orElseThrow(), 1e-12);
        // No wrong pair; no pair at all; none; a below b and even with c.
        assertEquals((0 + 0 + 1) / 3.0, metrics.rankingLoss().orElseThrow(), 1e-12);
        // a: 0.9, 0.2 against 0.2, 0.3: 2 won, 1 even, 1 lost; b: 1 of 3; c: 3 of 3.
        assertEquals((2.5 / 4 + 1 / 3.0 + 1) / 3, metrics.macroAuc().orElseThrow(), 1e-12);
        // 0.9, 0.4, 0.9, 0.2 against 0.1 0.2 0.3 0.4 0.3 0.6 0.8 0.2: 8, 5.5, 8 and 2 of 8.
        assertEquals((8 + 5.5 + 8 + 2) / 32, metrics.microAuc().orElseThrow(), 1e-12);
        assertEquals(List.of("hamming", "subset_accuracy", "micro_f1", "macro_f1", "example_f1", "ranking_loss",
                "macro_auc", "micro_auc"), List.copyOf(metrics.asMap().keySet()));
    }

    @Test
    void cellsWithoutALabelDoNotCount() {
        // Without the wrong cells of b in rows 0 and 2, and without row 3.
        boolean[][] labelled = {row(1, 0, 1), row(1, 1, 1), row(1, 0, 1), row(0, 0, 0)};
        LabelSetMetrics metrics = LabelSetMetrics.of(labelled, TRUTHS, PREDICTED, SCORES);
        assertEquals(3, metrics.rows());
        assertEquals(0, metrics.hamming().orElseThrow());
        assertEquals(1, metrics.subsetAccuracy().orElseThrow());
        assertEquals(1, metrics.exampleF1().orElseThrow());
        assertEquals((1 + 0 + 1) / 3.0, metrics.macroF1().orElseThrow(), 1e-12, "b is labelled once and absent");
        assertEquals(1, metrics.macroAuc().orElseThrow(), "of a and c; b is never present");
        double[][] unread = {{0.9, Double.NaN, 0.1}, SCORES[1], {0.3, Double.NaN, 0.9}, {0, 0, 0}};
        assertEquals(metrics, LabelSetMetrics.of(labelled, TRUTHS, PREDICTED, unread));
    }

    @Test
    void whatIsNotDefinedIsLeftOut() {
        Map<String, Double> absent = LabelSetMetrics.of(new boolean[][] {row(0, 0)}, new boolean[][] {row(0, 0)},
                new double[1][2]).asMap();
        assertEquals(Map.of("hamming", 0.0, "subset_accuracy", 1.0, "micro_f1", 0.0, "macro_f1", 0.0,
                "example_f1", 1.0), absent);
        assertTrue(LabelSetMetrics.of(new boolean[0][], new boolean[0][], new double[0][]).asMap().isEmpty());
        assertTrue(LabelSetMetrics.of(new boolean[3][2], new boolean[3][2], new boolean[3][2], new double[3][2]).asMap()
                .isEmpty());
    }

    @Test
    void theOrderOfRowsDoesNotMatter() {
        int[] order = {3, 1, 0, 2};
        boolean[][] truths = new boolean[4][];
        boolean[][] predicted = new boolean[4][];
        double[][] scores = new double[4][];
        for (int i = 0; i < order.length; i++) {
            truths[i] = TRUTHS[order[i]];
            predicted[i] = PREDICTED[order[i]];
            scores[i] = SCORES[order[i]];
        }
        Map<String, Double> permuted = LabelSetMetrics.of(truths, predicted, scores).asMap();
        LabelSetMetrics.of(TRUTHS, PREDICTED, SCORES).asMap()
                .forEach((name, value) -> assertEquals(value, permuted.get(name), 1e-12, name));
    }

    @Test
    void f1OfAModelIsThatOfTribuosEvaluator() {
        long seed = 20240817L;
        SplittableRandom random = new SplittableRandom(seed);
        MultiLabelFactory factory = new MultiLabelFactory();
        MutableDataset<MultiLabel> data = new MutableDataset<>(new SimpleDataSourceProvenance("random", factory),
                factory);
        for (int i = 0; i < 60; i++) {
            double x = random.nextDouble(-2, 2);
            Set<Label> labels = new HashSet<>();
            if (x + random.nextDouble(-1, 1) > 0) {
                labels.add(new Label("a"));
            }
            if (x + random.nextDouble(-1, 1) < -1) {
                labels.add(new Label("b"));
            }
            if (random.nextBoolean()) {
                labels.add(new Label("c"));
            }
            data.add(new ArrayExample<>(new MultiLabel(labels), new String[] {"x"}, new double[] {x}));
        }
        Model<MultiLabel> model = new LinearSGDTrainer(new BinaryCrossEntropy(), new AdaGrad(0.1), 5, -1, 1, seed)
                .train(data);
        LabelSetMetrics metrics = LabelSetMetrics.of(model, data);
        MultiLabelEvaluation tribuo = new MultiLabelEvaluator().evaluate(model, data);
        assertEquals(tribuo.microAveragedF1(), metrics.microF1().orElseThrow(), 1e-12, "seed " + seed);
        assertEquals(tribuo.macroAveragedF1(), metrics.macroF1().orElseThrow(), 1e-12, "seed " + seed);
        assertFalse(metrics.macroAuc().isEmpty());
        assertEquals(metrics, LabelSetMetrics.of(model.predict(data), List.of("c", "a", "b")),
                "seed " + seed + ": in any order of the labels");
    }

    @Test
    void aLabelThatIsNotScoredIsBelowThoseThatAre() {
        MultiLabel scored = new MultiLabel(new Label("a", -3));
        Example<MultiLabel> example = new ArrayExample<>(new MultiLabel("c"), new String[] {"x"}, new double[] {1});
        List<Prediction<MultiLabel>> predictions =
                List.of(new Prediction<>(new MultiLabel("b"), Map.of("a", scored), 1, example, false));
        assertEquals(List.of(-3.0, 1.0, Double.NEGATIVE_INFINITY), List.of("a", "b", "c").stream()
                .map(label -> LabelSetMetrics.score(predictions.get(0), label)).toList());
        LabelSetMetrics metrics = LabelSetMetrics.of(predictions, List.of("a", "b", "c"));
        assertEquals(1, metrics.rankingLoss().orElseThrow());
        assertEquals(0, metrics.microAuc().orElseThrow());
    }

    @Test
    void unknownTruthsAreRefusedAsByTribuo() {
        MultiLabelFactory factory = new MultiLabelFactory();
        Example<MultiLabel> known = new ArrayExample<>(new MultiLabel("a"), new String[] {"x"}, new double[] {1});
        Example<MultiLabel> unknown = new ArrayExample<>(factory.getUnknownOutput(), known, 1);
        EmtalException e = assertThrows(EmtalException.class, () -> LabelSetMetrics.of(List.of(
                new Prediction<>(new MultiLabel("a"), 1, known), new Prediction<>(new MultiLabel("a"), 1, unknown)),
                List.of("a")));
        assertTrue(e.getMessage().startsWith("row 1: found the unknown output"), e.getMessage());
    }

    @Test
    void wrongArraysAreRefused() {
        assertThrows(EmtalException.class,
                () -> LabelSetMetrics.of(new boolean[2][2], new boolean[1][2], new double[2][2]));
        EmtalException ragged = assertThrows(EmtalException.class,
                () -> LabelSetMetrics.of(new boolean[2][2], new boolean[][] {row(0, 0), row(0)}, new double[2][2]));
        assertTrue(ragged.getMessage().startsWith("row 1: "), ragged.getMessage());
    }

    private static boolean[] row(int... bits) {
        boolean[] row = new boolean[bits.length];
        for (int i = 0; i < bits.length; i++) {
            row[i] = bits[i] == 1;
        }
        return row;
    }
}
