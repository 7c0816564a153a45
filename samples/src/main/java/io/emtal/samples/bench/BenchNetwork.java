package io.emtal.samples.bench;

import io.emtal.onnx.adapt.Adaptation;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.onnx.train.AdamW;
import io.emtal.onnx.train.Recipe;
import io.emtal.onnx.train.TrainingStep;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A network with its data and first weights, for whoever trains it.
 *
 * @param shape its sizes
 * @param mode what is trained
 * @param examples the rows
 * @param backbone the backbone with its first weights
 * @param adaptation what is trained of it
 * @param tasks the tasks, all of as many classes
 */
record BenchNetwork(BenchShape shape, BenchMode mode, PackedExamples examples, Backbone backbone, Adaptation adaptation,
                    TaskLayout tasks) {
    static final Losses LOSSES = new Losses();
    static final double LEARNING_RATE = 1e-3;
    /** So small that it does not matter that DJL's optimiser adds it before the correction of the second moment. */
    static final double EPSILON = 1e-12;
    /** Without clipping and decay, which DJL's optimiser has in other forms. */
    static final AdamW OPTIMIZER = new AdamW(0.9, 0.999, EPSILON, 0, 0);
    static final int TASKS = 2;
    static final int CLASSES = 10;
    private static final long SEED = 2;

    /**
     * Makes a network.
     *
     * @param shape its sizes
     * @param mode what is trained
     * @param rows the number of rows to make up
     * @param tasks the number of tasks
     */
    static BenchNetwork of(BenchShape shape, BenchMode mode, int rows, int tasks) {
        PackedExamples examples = shape.examples(rows, tasks, CLASSES);
        TaskLayout layout = LOSSES.layout(IntStream.range(0, tasks)
                .<Task>mapToObj(t -> new CategoricalTask("task" + t, CLASSES, 1)).toList());
        Backbone backbone = shape.backbone(layout, examples);
        return new BenchNetwork(shape, mode, examples, backbone, mode.method().adapt(backbone, SEED), layout);
    }

    /** EMTAL's own steps. */
    TrainingStep step(int batch, int workers, int microBatch) {
        Recipe recipe = Recipe.builder().batchSize(batch).workers(workers).microBatchSize(microBatch)
                .optimizer(OPTIMIZER).losses(LOSSES).build();
        return new TrainingStep(backbone, adaptation, tasks, recipe, examples, SEED);
    }

    /** The backbone's weights as training uses them. */
    Map<String, Tensor> frozen() {
        Map<String, Tensor> frozen = new HashMap<>(backbone.graph().initializers());
        frozen.putAll(adaptation.rearranged());
        return frozen;
    }

    /** The rows of a step. */
    int[] batch(int step, int size) {
        return IntStream.range(0, size).map(i -> (step * size + i) % examples.size()).toArray();
    }

    /** The labels of rows, task after task for each. */
    float[] labels(int[] rows) {
        float[] labels = new float[rows.length * tasks.size()];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = examples.label(rows[i / tasks.size()], i % tasks.size());
        }
        return labels;
    }

    /** What is trained, as the network starts. */
    List<Parameter> parameters() {
        try (TrainingStep step = step(1, 1, 1)) {
            return step.parameters();
        }
    }
}
