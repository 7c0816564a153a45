package io.emtal.samples.compare;

import io.emtal.tribuo.evaluation.ClassificationMetrics;
import io.emtal.tribuo.evaluation.LabelSetMetrics;
import java.util.List;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.multilabel.MultiLabel;

/** What inner folds choose hyper-parameters by, where it is no metric: log-losses, truths taken from the examples. */
final class Losses {
    private Losses() {
    }

    /** The mean binary cross-entropy over rows and labels. */
    static double logLoss(List<String> labels, List<Outcome<MultiLabel>> outcomes) {
        return mean(outcomes, prediction -> {
            Set<String> truth = prediction.getExample().getOutput().getNameSet();
            double loss = 0;
            for (String label : labels) {
                double probability = LabelSetMetrics.score(prediction, label);
                loss += negativeLog(truth.contains(label) ? probability : 1 - probability) / labels.size();
            }
            return loss;
        });
    }

    /** The mean cross-entropy over rows. */
    static double logLoss(List<Outcome<Label>> outcomes) {
        return mean(outcomes, prediction -> {
            Label scored = prediction.getOutputScores().get(prediction.getExample().getOutput().getLabel());
            return negativeLog(scored == null ? 0 : scored.getScore());
        });
    }

    private static double negativeLog(double probability) {
        return -Math.log(Math.max(ClassificationMetrics.LEAST_PROBABILITY, probability));
    }

    private static <T extends Output<T>> double mean(List<Outcome<T>> outcomes,
            ToDoubleFunction<Prediction<T>> loss) {
        return outcomes.stream().flatMap(outcome -> outcome.predictions().stream()).mapToDouble(loss).average()
                .orElseThrow();
    }
}
