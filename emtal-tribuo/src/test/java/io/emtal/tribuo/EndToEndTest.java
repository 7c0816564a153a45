package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.tribuo.classification.Label;
import org.tribuo.classification.evaluation.LabelEvaluation;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.evaluation.MultiLabelEvaluation;
import org.tribuo.multilabel.evaluation.MultiLabelEvaluator;
import org.tribuo.regression.Regressor;
import org.tribuo.regression.evaluation.RegressionEvaluation;
import org.tribuo.regression.evaluation.RegressionEvaluator;

/** From a data set to an evaluated model, for each type of output. */
class EndToEndTest {

    @Test
    void learnsMultiLabels() {
        EmtalTrainer<MultiLabel> trainer = TestData.<MultiLabel>trainer().build();
        try (EmtalModel<MultiLabel> model = trainer.train(TestData.multiLabels(200, 1))) {
            MultiLabelEvaluation evaluation = new MultiLabelEvaluator().evaluate(model, TestData.multiLabels(100, 2));
            assertTrue(evaluation.microAveragedF1() > 0.85, evaluation::toString);
        }
    }

    @Test
    void learnsRegressors() {
        EmtalTrainer<Regressor> trainer = TestData.<Regressor>trainer().build();
        try (EmtalModel<Regressor> model = trainer.train(TestData.regressors(200, 1))) {
            RegressionEvaluation evaluation = new RegressionEvaluator().evaluate(model, TestData.regressors(100, 2));
            assertTrue(evaluation.averageR2() > 0.8, evaluation::toString);
        }
    }

    @Test
    void learnsLabels() {
        EmtalTrainer<Label> trainer = TestData.<Label>trainer().build();
        try (EmtalModel<Label> model = trainer.train(TestData.labels(200, 1))) {
            LabelEvaluation evaluation = new LabelEvaluator().evaluate(model, TestData.labels(100, 2));
            assertTrue(evaluation.accuracy() > 0.85, evaluation::toString);
            assertEquals(1, trainer.getInvocationCount());
        }
    }
}
