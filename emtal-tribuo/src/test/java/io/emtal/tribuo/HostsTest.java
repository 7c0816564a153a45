package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Output;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.ensemble.VotingCombiner;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.ensemble.BaggingTrainer;
import org.tribuo.ensemble.WeightedEnsembleModel;
import org.tribuo.evaluation.CrossValidation;
import org.tribuo.evaluation.KFoldSplitter;
import org.tribuo.impl.ArrayExample;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.multilabel.ensemble.MultiLabelVotingCombiner;
import org.tribuo.multilabel.evaluation.MultiLabelEvaluator;
import org.tribuo.provenance.SimpleDataSourceProvenance;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.regression.evaluation.RegressionEvaluator;
import org.tribuo.test.Helpers;
import org.tribuo.transform.TransformTrainer;
import org.tribuo.transform.TransformationMap;
import org.tribuo.transform.TransformedModel;
import org.tribuo.transform.transformations.LinearScalingTransformation;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The trainer inside Tribuo's own machinery, without a change. */
class HostsTest {

    private static final long SPLIT_SEED = 5;

    /** The rows that the first fold tests. */
    private static <T extends Output<T>> Set<Integer> firstTestRows(Dataset<T> data, int folds) {
        Iterator<KFoldSplitter.TrainTestFold<T>> split = new KFoldSplitter<T>(folds, SPLIT_SEED).split(data, true);
        Set<Integer> rows = new HashSet<>();
        for (Example<T> example : split.next().test) {
            rows.add(data.getData().indexOf(example));
        }
        return rows;
    }

    private static Model<Regressor> firstFold(Dataset<Regressor> data) {
        EmtalTrainer<Regressor> trainer = TestData.<Regressor>quickTrainer().build();
        return new CrossValidation<>(trainer, data, new RegressionEvaluator(), 3, SPLIT_SEED).evaluate().get(0).getB();
    }

    @Test
    void crossValidationLeaksNothing() {
        List<TestData.Row> rows = TestData.rows(45, 1, true);
        Dataset<Regressor> data = TestData.dataset(new RegressionFactory(),
                rows.stream().map(row -> row.example(row.targets())).toList());
        Set<Integer> tested = firstTestRows(data, 3);
        assertEquals(15, tested.size());
        List<Example<Regressor>> changed = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            TestData.Row row = rows.get(i);
            boolean change = tested.contains(i);
            changed.add(change ? new TestData.Row(1000 * row.x() + 77, -500, row.colour())
                    .example(new Regressor(new String[] {"sum", "area"}, new double[] {-1e6 * i, 1e6}))
                    : row.example(row.targets()));
        }
        Dataset<Regressor> other = TestData.dataset(new RegressionFactory(), changed);
        OnnxAssertions.assertSameNetwork(firstFold(data), firstFold(other));
    }

    @Test
    void categoriesOfATestFoldLeakNothing() {
        List<TestData.Row> rows = TestData.rows(45, 1, true);
        Dataset<Regressor> data = TestData.dataset(new RegressionFactory(),
                rows.stream().map(row -> row.example(row.targets())).toList());
        Set<Integer> tested = firstTestRows(data, 3);
        List<Example<Regressor>> changed = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            Example<Regressor> example = rows.get(i).example(rows.get(i).targets());
            if (tested.contains(i)) {
                ((ArrayExample<Regressor>) example).add("another@value" + i, 1);
                ((ArrayExample<Regressor>) example).add("colour@violet", 2);
            }
            changed.add(example);
        }
        Dataset<Regressor> other = TestData.dataset(new RegressionFactory(), changed);
        assertNotEquals(data.getFeatureMap().size(), other.getFeatureMap().size());
        OnnxAssertions.assertSameNetwork(firstFold(data), firstFold(other));
    }

    @Test
    void crossValidationGivesAModelAFold() {
        var results = new CrossValidation<>(TestData.<Label>quickTrainer().build(), TestData.labels(60, 1),
                new LabelEvaluator(), 3, SPLIT_SEED).evaluate();
        assertEquals(3, results.size());
        assertEquals(2, results.stream().map(r -> r.getB().getProvenance().getTrainerProvenance().getInstanceValues()
                .get("train-invocation-count").getValue()).mapToInt(v -> (Integer) v).max().orElseThrow());
    }

    /** The fold that tests the only example of a class is trained without it. */
    @Test
    void aRareLabelDoesNotEndACrossValidation() {
        MutableDataset<MultiLabel> data = new MutableDataset<>(new SimpleDataSourceProvenance("rare", new MultiLabelFactory()),
                new MultiLabelFactory());
        for (int i = 0; i < 30; i++) {
            List<String> labels = new ArrayList<>(List.of(i % 2 == 0 ? "even" : "odd"));
            if (i == 7) {
                labels.add("rare");
            }
            data.add(new ArrayExample<>(new MultiLabel(labels.stream().map(Label::new).collect(Collectors.toSet())),
                    new String[] {"x", "y"}, new double[] {i, i % 2 + 1}));
        }
        var results = new CrossValidation<>(TestData.<MultiLabel>quickTrainer().build(), data, new MultiLabelEvaluator(), 3,
                SPLIT_SEED).evaluate();
        assertEquals(3, results.size());
        EmtalException e = assertThrows(EmtalException.class, () -> {
            MutableDataset<MultiLabel> same = new MutableDataset<>(data.getProvenance(), data.getOutputFactory());
            data.getData().stream().filter(example -> example.getOutput().contains("even")).forEach(same::add);
            TestData.<MultiLabel>quickTrainer().build().train(same);
        });
        assertTrue(e.getMessage().contains("constantTasks"), e.getMessage());
    }

    @Test
    void transformationsGoBeforeAndScalingTwiceIsWarnedOf() {
        try (Warnings warnings = new Warnings(EmtalTrainer.class)) {
            Dataset<Label> data = TestData.labels(60, 1);
            TestData.<Label>quickTrainer().build().train(data);
            assertEquals(List.of(), warnings.messages());
            TransformTrainer<Label> trainer = new TransformTrainer<>(TestData.<Label>quickTrainer().build(),
                    new TransformationMap(List.of(new LinearScalingTransformation(0, 1)), Map.of()), true);
            TransformedModel<Label> model = trainer.train(data);
            assertEquals(1, warnings.messages().size());
            assertEquals(60, model.predict(data).size());
            Helpers.testModelProtoSerialization(model, Label.class, data);
        }
    }

    @Test
    void baggedModelsVote() {
        Dataset<Label> data = TestData.labels(60, 1);
        WeightedEnsembleModel<Label> ensemble = (WeightedEnsembleModel<Label>) new BaggingTrainer<>(
                TestData.<Label>quickTrainer().build(), new VotingCombiner(), 3).train(data);
        assertEquals(3, ensemble.getNumModels());
        assertEquals(60, ensemble.predict(data).size());
        OnnxAssertions.assertDifferentNetworks(ensemble.getModels().get(0), ensemble.getModels().get(1));
        Helpers.testModelProtoSerialization(ensemble, Label.class, data);
        Dataset<MultiLabel> labels = TestData.multiLabels(80, 1);
        EmtalTrainer<MultiLabel> trainer = TestData.<MultiLabel>quickTrainer().build();
        assertEquals(80, new BaggingTrainer<>(trainer, new MultiLabelVotingCombiner(), 2).train(labels).predict(labels)
                .size());
    }

    @Test
    void ensemblesOfOwnModelsCanBeBuilt() {
        Dataset<Label> data = TestData.dataset(new LabelFactory(), 60, 1, true, TestData.Row::label);
        EmtalTrainer<Label> trainer = TestData.<Label>quickTrainer().build();
        List<Model<Label>> members = List.of(trainer.train(data), trainer.train(data));
        WeightedEnsembleModel<Label> ensemble = WeightedEnsembleModel.createEnsembleFromExistingModels("two", members,
                new VotingCombiner());
        assertTrue(ensemble.predict(data).size() == 60);
    }
}
