package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.BackboneSource;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.predict.DensePredictor;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Targets whose mean lies well above their median, a third of them missing, beside a task that is not real. */
class MeanResidualsTest {

    private static final int ROWS = 300;

    private static final TaskLayout TASKS = new TaskLayout(List.of(new RealTask("r", 5, 2, 1), new BinaryTask("b", 1),
            new RealTask("s", -40, 10, 1)));

    static Stream<BackboneSource> sources() {
        return Stream.of(FeatureTransformer.builder().width(16).depth(1).hidden(16).build(),
                FeatureEnsemble.builder().members(4).width(16).depth(1).hidden(16).build());
    }

    @ParameterizedTest
    @MethodSource("sources")
    void realPredictionsAreRightInTheMeanOverTheLabelledTrainingRows(BackboneSource source) {
        double[] residuals = meanResiduals(source, true);
        assertEquals(0, residuals[0], 1e-4);
        assertEquals(0, residuals[2], 1e-4);
    }

    @ParameterizedTest
    @MethodSource("sources")
    void withoutItHubersLossStaysBelowTheMean(BackboneSource source) {
        double[] residuals = meanResiduals(source, false);
        assertTrue(residuals[0] > 0.02 && residuals[2] > 0.02, residuals[0] + ", " + residuals[2]);
    }

    /** The mean of label − prediction over the labelled rows of each task, in standard deviations. */
    private static double[] meanResiduals(BackboneSource source, boolean calibrated) {
        FeatureLayout layout = new FeatureLayout(List.of(new FeatureColumn("f", FeatureColumn.Kind.NUMERIC, 0, 1)));
        Random random = new Random(11);
        PackedExamples rows = PackedExamples.pack(ROWS, 1, TASKS.size(), (row, inputs, labels) -> {
            inputs[0] = (float) random.nextGaussian();
            labels[0] = random.nextInt(3) == 0 ? Float.NaN : skewed(random);
            labels[1] = random.nextInt(2);
            labels[2] = random.nextInt(3) == 0 ? Float.NaN : skewed(random);
        });
        Recipe recipe = Recipe.builder().pretrainEpochs(4).epochs(4).validationFraction(0).workers(1)
                .losses(Losses.builder().calibrated(calibrated).build()).build();
        TrainedNetwork network = new Learner(Emtal.builder().experts(4).build(), recipe)
                .train(source.create(layout, TASKS, rows, 1), false, TASKS, rows, 1, TrainingListener.NONE);
        FloatBuffer inputs = FloatBuffer.allocate(ROWS);
        for (int row = 0; row < ROWS; row++) {
            rows.inputs(row, inputs);
        }
        float[] outputs;
        try (DensePredictor predictor = new DensePredictor(network.model().toByteString(), 1)) {
            outputs = predictor.predict(inputs.array(), ROWS);
        }
        double[] sums = new double[TASKS.size()];
        int[] labelled = new int[TASKS.size()];
        for (int i = 0; i < outputs.length; i++) {
            int task = i % TASKS.size();
            float label = rows.label(i / TASKS.size(), task);
            if (!Float.isNaN(label) && TASKS.task(task) instanceof RealTask real) {
                sums[task] += label - (outputs[i] - real.mean()) / real.deviation();
                labelled[task]++;
            }
        }
        for (int t = 0; t < sums.length; t++) {
            sums[t] /= labelled[t];
        }
        return sums;
    }

    /** Mostly nothing, now and then much; mean 0 and deviation 1 over many rows. */
    private static float skewed(Random random) {
        return random.nextInt(10) == 0 ? 3 : -1f / 3;
    }
}
