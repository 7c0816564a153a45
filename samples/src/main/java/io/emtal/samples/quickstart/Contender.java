package io.emtal.samples.quickstart;

import java.util.List;
import java.util.Map;
import org.tribuo.Dataset;
import org.tribuo.Model;
import org.tribuo.Prediction;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.evaluation.MultiLabelEvaluation;
import org.tribuo.multilabel.evaluation.MultiLabelEvaluator;

/**
 * What a model came to on the test images.
 *
 * @param name its trainer
 * @param accuracy by task
 * @param evaluation Tribuo's
 */
record Contender(String name, Map<String, Double> accuracy, MultiLabelEvaluation evaluation) {
    static Contender of(String name, Model<MultiLabel> model, Dataset<MultiLabel> test) {
        List<Prediction<MultiLabel>> predictions = model.predict(test);
        return new Contender(name, TaskAccuracy.of(predictions),
                new MultiLabelEvaluator().evaluate(model, predictions, test.getProvenance()));
    }

    double meanAccuracy() {
        return accuracy.values().stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }
}
