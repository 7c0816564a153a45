package io.emtal.tribuo.evaluation;

import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.output.EncodedOutputs;
import org.tribuo.Dataset;
import org.tribuo.Model;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.evaluation.ConfusionMetrics;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeSet;
import java.util.stream.DoubleStream;

/**
 * How well sets of labels were predicted, over the labelled cells of a [rows, labels] matrix. All are empty without a
 * labelled cell. These are what {@link org.tribuo.multilabel.evaluation.MultiLabelEvaluator} lacks, and its F1.
 *
 * @param rows how many rows have a labelled cell
 * @param hamming the share of wrong cells
 * @param subsetAccuracy the share of rows without a wrong cell
 * @param microF1 F1 of all cells together, 0 where nothing occurs and nothing is predicted
 * @param macroF1 the mean of the labels' F1, which is 0 for a label that neither occurs nor is predicted, as with
 *     Tribuo
 * @param exampleF1 the mean over rows of 2 |Y ∩ P| / (|Y| + |P|), 1 where both sets are empty
 * @param rankingLoss the mean over rows of the share of (present, absent) pairs of labels in which the present one does
 *     not score higher (Schapire and Singer 2000), over the rows that have such pairs
 * @param macroAuc the mean area under the ROC curve, ties counting half, over the labels that both occur and are absent
 * @param microAuc the area of all cells together
 */
public record LabelSetMetrics(int rows, OptionalDouble hamming, OptionalDouble subsetAccuracy, OptionalDouble microF1,
                              OptionalDouble macroF1, OptionalDouble exampleF1, OptionalDouble rankingLoss,
                              OptionalDouble macroAuc, OptionalDouble microAuc) {

    /**
     * Evaluates a model on all labels that it knows or the data set has.
     *
     * @param model any model of label sets
     * @param dataset what to predict
     * @return the metrics
     * @throws EmtalException if an example has the unknown output
     */
    public static LabelSetMetrics of(Model<MultiLabel> model, Dataset<MultiLabel> dataset) {
        TreeSet<String> labels = new TreeSet<>();
        model.getOutputIDInfo().getDomain().forEach(label -> labels.addAll(label.getNameSet()));
        dataset.getOutputInfo().getDomain().forEach(label -> labels.addAll(label.getNameSet()));
        return of(model.predict(dataset), List.copyOf(labels));
    }

    /**
     * Evaluates predictions against the outputs of their examples.
     *
     * @param predictions the predictions
     * @param labels all labels; a row has those that its output names, and not the others
     * @return the metrics
     * @throws EmtalException if an example has the unknown output
     */
    public static LabelSetMetrics of(List<Prediction<MultiLabel>> predictions, List<String> labels) {
        boolean[][] truths = new boolean[predictions.size()][labels.size()];
        boolean[][] predicted = new boolean[predictions.size()][labels.size()];
        double[][] scores = new double[predictions.size()][labels.size()];
        for (int row = 0; row < truths.length; row++) {
            Prediction<MultiLabel> prediction = predictions.get(row);
            MultiLabel truth = prediction.getExample().getOutput();
            EmtalException.check(!truth.equals(MultiLabelFactory.UNKNOWN_MULTILABEL),
                    "row %d: found the unknown output as truth, allowed is a known one", row);
            for (int label = 0; label < labels.size(); label++) {
                String name = labels.get(label);
                truths[row][label] = truth.contains(name);
                predicted[row][label] = prediction.getOutput().contains(name);
                scores[row][label] = score(prediction, name);
            }
        }
        return of(truths, predicted, scores);
    }

    /**
     * The score of a label.
     *
     * @param prediction a prediction
     * @param label the label
     * @return its score; of a label that the model does not score 1 if it is predicted, and less than any score if not
     */
    public static double score(Prediction<MultiLabel> prediction, String label) {
        MultiLabel scored = prediction.getOutputScores().get(label);
        if (scored != null) {
            return scored.getLabelScore(new Label(label)).orElse(0);
        }
        return prediction.getOutput().contains(label) ? 1 : Double.NEGATIVE_INFINITY;
    }

    /**
     * Evaluates where every cell is labelled.
     *
     * @param truths [rows, labels] whether a row has a label
     * @param predicted [rows, labels] whether it was predicted
     * @param scores [rows, labels] higher for labels that are more likely
     * @return the metrics
     */
    public static LabelSetMetrics of(boolean[][] truths, boolean[][] predicted, double[][] scores) {
        boolean[][] labelled = new boolean[truths.length][];
        for (int row = 0; row < truths.length; row++) {
            labelled[row] = new boolean[truths[row].length];
            Arrays.fill(labelled[row], true);
        }
        return of(labelled, truths, predicted, scores);
    }

    /**
     * Evaluates where some cells may have no label.
     *
     * @param labelled [rows, labels] whether it is known if a row has a label
     * @param truths [rows, labels] whether it has
     * @param predicted [rows, labels] whether it was predicted
     * @param scores [rows, labels] higher for labels that are more likely
     * @return the metrics
     * @throws EmtalException if the arrays don't fit each other, a labelled cell's score is not-a-number, or there
     *     are more than 2147483647 cells
     */
    public static LabelSetMetrics of(boolean[][] labelled, boolean[][] truths, boolean[][] predicted,
                                     double[][] scores) {
        check(labelled, truths, predicted, scores);
        int labels = truths.length == 0 ? 0 : truths[0].length;
        Confusion[] each = new Confusion[labels];
        Arrays.setAll(each, label -> new Confusion());
        Confusion all = new Confusion();
        DoubleStream.Builder exact = DoubleStream.builder();
        DoubleStream.Builder f1 = DoubleStream.builder();
        DoubleStream.Builder ranking = DoubleStream.builder();
        int rows = 0;
        for (int row = 0; row < truths.length; row++) {
            Confusion own = new Confusion();
            for (int label = 0; label < labels; label++) {
                if (labelled[row][label]) {
                    own.add(truths[row][label], predicted[row][label]);
                    each[label].add(truths[row][label], predicted[row][label]);
                    all.add(truths[row][label], predicted[row][label]);
                }
            }
            if (own.cells() > 0) {
                rows++;
                exact.add(own.wrong() == 0 ? 1 : 0);
                f1.add(own.hits + own.wrong() == 0 ? 1 : own.f1());
                rankingLoss(labelled[row], truths[row], scores[row]).ifPresent(ranking::add);
            }
        }
        OptionalDouble microAuc = auc(labelled, truths, scores, 0, labels);
        return new LabelSetMetrics(rows, all.share(all.wrong()), exact.build().average(),
                all.cells() == 0 ? OptionalDouble.empty() : OptionalDouble.of(all.f1()),
                Arrays.stream(each).filter(confusion -> confusion.cells() > 0).mapToDouble(Confusion::f1).average(),
                f1.build().average(), ranking.build().average(), macroAuc(labelled, truths, scores, labels), microAuc);
    }

    private static void check(boolean[][] labelled, boolean[][] truths, boolean[][] predicted, double[][] scores) {
        EmtalException.check(labelled.length == truths.length && predicted.length == truths.length
                        && scores.length == truths.length,
                "found %d rows of marks, %d of truths, %d of predictions and %d of scores; allowed is the same number",
                labelled.length, truths.length, predicted.length, scores.length);
        for (int row = 0; row < truths.length; row++) {
            int labels = truths[0].length;
            EmtalException.check(labelled[row].length == labels && truths[row].length == labels
                            && predicted[row].length == labels && scores[row].length == labels,
                    "row %d: found %d marks, %d truths, %d predictions and %d scores; allowed are %d each", row,
                    labelled[row].length, truths[row].length, predicted[row].length, scores[row].length, labels);
        }
    }

    /** Hits, false alarms, misses and the rest of some cells. */
    private static final class Confusion {

        private long hits;
        private long falseAlarms;
        private long misses;
        private long rest;

        private void add(boolean is, boolean said) {
            hits += is && said ? 1 : 0;
            falseAlarms += !is && said ? 1 : 0;
            misses += is && !said ? 1 : 0;
            rest += !is && !said ? 1 : 0;
        }

        private long cells() {
            return hits + falseAlarms + misses + rest;
        }

        private long wrong() {
            return falseAlarms + misses;
        }

        private double f1() {
            return ConfusionMetrics.f1(hits, falseAlarms, rest, misses);
        }

        private OptionalDouble share(long count) {
            return cells() == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) count / cells());
        }
    }

    private static OptionalDouble rankingLoss(boolean[] labelled, boolean[] truths, double[] scores) {
        long pairs = 0;
        long lost = 0;
        for (int present = 0; present < truths.length; present++) {
            for (int absent = 0; absent < truths.length && labelled[present] && truths[present]; absent++) {
                if (labelled[absent] && !truths[absent]) {
                    pairs++;
                    lost += scores[present] > scores[absent] ? 0 : 1;
                }
            }
        }
        return pairs == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) lost / pairs);
    }

    private static OptionalDouble macroAuc(boolean[][] labelled, boolean[][] truths, double[][] scores, int labels) {
        DoubleStream.Builder areas = DoubleStream.builder();
        for (int label = 0; label < labels; label++) {
            auc(labelled, truths, scores, label, label + 1).ifPresent(areas::add);
        }
        return areas.build().average();
    }

    /** The area of the labelled cells of some columns. */
    private static OptionalDouble auc(boolean[][] labelled, boolean[][] truths, double[][] scores, int from, int to) {
        int cells = EncodedOutputs.labels(truths.length, to - from);
        boolean[] positive = new boolean[cells];
        double[] column = new double[cells];
        int size = 0;
        for (int row = 0; row < truths.length; row++) {
            for (int label = from; label < to; label++) {
                if (labelled[row][label]) {
                    positive[size] = truths[row][label];
                    column[size++] = scores[row][label];
                }
            }
        }
        return RocArea.of(Arrays.copyOf(positive, size), Arrays.copyOf(column, size));
    }

    /**
     * The metrics that are defined, by their names in tables: {@code hamming}, {@code subset_accuracy},
     * {@code micro_f1}, {@code macro_f1}, {@code example_f1}, {@code ranking_loss}, {@code macro_auc} and
     * {@code micro_auc}.
     *
     * @return name and value, in this order
     */
    public Map<String, Double> asMap() {
        Map<String, Double> metrics = new LinkedHashMap<>();
        hamming.ifPresent(value -> metrics.put("hamming", value));
        subsetAccuracy.ifPresent(value -> metrics.put("subset_accuracy", value));
        microF1.ifPresent(value -> metrics.put("micro_f1", value));
        macroF1.ifPresent(value -> metrics.put("macro_f1", value));
        exampleF1.ifPresent(value -> metrics.put("example_f1", value));
        rankingLoss.ifPresent(value -> metrics.put("ranking_loss", value));
        macroAuc.ifPresent(value -> metrics.put("macro_auc", value));
        microAuc.ifPresent(value -> metrics.put("micro_auc", value));
        return metrics;
    }
}
