package io.emtal.samples.quickstart;

import io.emtal.onnx.EmtalException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.multilabel.MultiLabel;

/** The accuracy of each task of multi-labels {@code task=class}. */
public final class TaskAccuracy {
    private static final char SEPARATOR = '=';

    private TaskAccuracy() {
    }

    /**
     * Compares predictions with the labels of their examples. The predicted class of a task is the one of the highest
     * score, whether the model predicts its label or not.
     *
     * @param predictions predictions that score all labels
     * @return for each task the fraction of the examples with a class of it whose class was predicted; sorted by task
     * @throws EmtalException if a label is not {@code task=class}
     */
    public static Map<String, Double> of(List<Prediction<MultiLabel>> predictions) {
        Map<String, Integer> right = new TreeMap<>();
        Map<String, Integer> all = new TreeMap<>();
        for (Prediction<MultiLabel> prediction : predictions) {
            Map<String, String> predicted = best(prediction.getOutputScores());
            for (String truth : prediction.getExample().getOutput().getNameSet()) {
                all.merge(task(truth), 1, Integer::sum);
                right.merge(task(truth), truth.equals(predicted.get(task(truth))) ? 1 : 0, Integer::sum);
            }
        }
        Map<String, Double> accuracies = new TreeMap<>();
        all.forEach((task, count) -> accuracies.put(task, right.get(task) / (double) count));
        return accuracies;
    }

    /** The label of the highest score of each task. */
    private static Map<String, String> best(Map<String, MultiLabel> scores) {
        Map<String, String> best = new HashMap<>();
        Map<String, Double> highest = new HashMap<>();
        scores.forEach((label, scored) -> {
            double score = score(label, scored);
            if (!best.containsKey(task(label)) || score > highest.get(task(label))) {
                best.put(task(label), label);
                highest.put(task(label), score);
            }
        });
        return best;
    }

    /** The score of a label among a prediction's. */
    static double score(String label, MultiLabel scored) {
        return scored.getLabelScore(new Label(label)).orElse(Double.NEGATIVE_INFINITY);
    }

    /**
     * The task of a label.
     *
     * @param label a label {@code task=class}
     * @return the part before the first {@code =}
     * @throws EmtalException if it is none such
     */
    public static String task(String label) {
        int end = label.indexOf(SEPARATOR);
        EmtalException.check(end > 0, "Label %s; allowed are labels task%sclass", label, SEPARATOR);
        return label.substring(0, end);
    }
}
