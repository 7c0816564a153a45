package io.emtal.tribuo.output;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.TestData;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import org.junit.jupiter.api.Test;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Prediction;
import org.tribuo.ensemble.BaggingTrainer;
import org.tribuo.ensemble.WeightedEnsembleModel;
import org.tribuo.test.Helpers;

import java.util.ArrayList;
import java.util.List;

class MultiTaskCombinerTest {

    private static final List<Example<MultiTask>> EXAMPLES = OutputTasksContract.examples(List.of(
            MultiTask.builder().categorical("kind", "star").binary("filled", true).real("area", 1).build(),
            MultiTask.builder().categorical("kind", "circle").binary("filled", false).real("area", 2).build()));

    private static final ImmutableOutputInfo<MultiTask> DOMAIN =
            TestData.dataset(new MultiTaskFactory(), EXAMPLES).getOutputIDInfo();

    private final MultiTaskCombiner combiner = new MultiTaskCombiner();

    /** The columns are area, filled, kind=circle, kind=star. */
    private static Prediction<MultiTask> prediction(float... columns) {
        return new MultiTaskTasks().codec(DOMAIN).prediction(columns, 0, 1, EXAMPLES.get(0));
    }

    @Test
    void probabilitiesAndNumbersAreAveraged() {
        List<Prediction<MultiTask>> members = List.of(prediction(4, 0.875f, 0.75f, 0.25f),
                prediction(8, 0.25f, 0.125f, 0.875f));
        Prediction<MultiTask> mean = combiner.combine(DOMAIN, members);
        assertEquals("area=6.0,filled=true@0.5625,kind=\"star\"@0.5625", mean.getOutput().toString());
        assertTrue(mean.distributionEquals(prediction(6, 0.5625f, 0.4375f, 0.5625f)));
        assertEquals("area=5.0,filled=true@0.71875,kind=\"circle\"@0.59375",
                combiner.combine(DOMAIN, members, new float[] {3, 1}).getOutput().toString());
        assertTrue(combiner.combine(DOMAIN, members.subList(0, 1)).distributionEquals(members.get(0)));
    }

    @Test
    void wrongWeightsAndPredictionsAreRefused() {
        List<Prediction<MultiTask>> one = List.of(prediction(4, 0.875f, 0.75f, 0.25f));
        for (float[] weights : new float[][] {{}, {0}, {-1}, {Float.NaN}, {1, 1}}) {
            assertThrows(EmtalException.class, () -> combiner.combine(DOMAIN, one, weights));
        }
        List<Prediction<MultiTask>> bare = List.of(new Prediction<>(one.get(0).getOutput(), 1, EXAMPLES.get(0)));
        var e = assertThrows(EmtalException.class, () -> combiner.combine(DOMAIN, bare));
        assertTrue(e.getMessage().contains("area=0.0"), e.getMessage());
    }

    @Test
    void baggedModelsAreAveraged() {
        Dataset<MultiTask> data = TestData.multiTasks(60, 1);
        WeightedEnsembleModel<MultiTask> ensemble = (WeightedEnsembleModel<MultiTask>) new BaggingTrainer<>(
                TestData.<MultiTask>quickTrainer().build(), combiner, 2).train(data);
        Helpers.testModelProtoSerialization(ensemble, MultiTask.class, data);
        Example<MultiTask> example = data.getExample(0);
        List<Prediction<MultiTask>> members = new ArrayList<>();
        ensemble.getModels().forEach(model -> members.add(model.predict(example)));
        assertTrue(ensemble.predict(example).distributionEquals(combiner.combine(ensemble.getOutputIDInfo(), members),
                1e-6));
    }

    @Test
    void protobufAndConfigurationRoundTrips() {
        Helpers.testProtoSerialization(combiner);
        Helpers.testConfigurableRoundtrip(combiner);
        Helpers.testProvenanceMarshalling(combiner.getProvenance());
    }
}
