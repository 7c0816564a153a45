package io.emtal.onnx.train;

import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A training of a second that has everything a checkpoint must hold: two phases, routers, quality retaining, dropout of
 * both kinds, an average of weights, held-out rows. As a program it trains with a checkpoint every few steps and tells of
 * every step, to be killed.
 */
final class SmallTraining {

    static final int PRETRAIN_EPOCHS = 3;
    static final int EPOCHS = 6;
    /** 84 training rows in batches of 16. */
    static final int STEPS_OF_EPOCH = 6;
    static final int PRETRAIN_STEPS = PRETRAIN_EPOCHS * STEPS_OF_EPOCH;
    static final int STEPS = EPOCHS * STEPS_OF_EPOCH;

    private static final int ROWS = 96;
    private static final int FEATURES = 5;

    private SmallTraining() {
    }

    static Recipe recipe() {
        return Recipe.builder().pretrainEpochs(PRETRAIN_EPOCHS).epochs(EPOCHS).batchSize(16).workers(2).dropout(0.1)
                .inputDropout(0.1).averageDecay(0.9).validationFraction(0.125).build();
    }

    static PackedExamples rows(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return PackedExamples.pack(ROWS, FEATURES, 3, (row, inputs, labels) -> {
            for (int i = 0; i < FEATURES; i++) {
                inputs[i] = (float) random.nextDouble(-1, 1);
            }
            labels[0] = inputs[0] > 0.3 ? 2 : inputs[0] > -0.3 ? 1 : 0;
            labels[1] = random.nextInt(4) == 0 ? Float.NaN : inputs[1] * inputs[2] > 0 ? 1 : 0;
            labels[2] = inputs[3] + inputs[4];
        });
    }

    static TaskLayout tasks() {
        return new TaskLayout(List.of(new CategoricalTask("c", 3, 1), new BinaryTask("b", 1), new RealTask("r", 0, 0.8, 1)));
    }

    static FeatureLayout layout() {
        return layout(FEATURES);
    }

    /** Some numeric columns. */
    static FeatureLayout layout(int features) {
        return new FeatureLayout(IntStream.range(0, features)
                .mapToObj(i -> new FeatureColumn("f" + i, FeatureColumn.Kind.NUMERIC, i, 1)).toList());
    }

    static Backbone backbone(PackedExamples rows, long seed) {
        return FeatureTransformer.builder().width(16).depth(1).hidden(16).build().create(layout(), tasks(), rows, seed);
    }

    /** Interrupts the thread that trains after a step. */
    static TrainingListener interruptAfter(Phase phase, int step) {
        return new TrainingListener() {
            @Override
            public void step(StepEvent event) {
                if (event.phase() == phase && event.step() == step) {
                    Thread.currentThread().interrupt();
                }
            }
        };
    }

    static TrainedNetwork train(Optional<Checkpoints> checkpoints, TrainingListener listener) {
        return train(recipe(), 1, 1, checkpoints, listener);
    }

    static TrainedNetwork train(Recipe recipe, long rowSeed, long backboneSeed, Optional<Checkpoints> checkpoints,
                                TrainingListener listener) {
        PackedExamples rows = rows(rowSeed);
        return new Learner(Emtal.builder().experts(4).rank(2).build(), recipe, checkpoints)
                .train(backbone(rows, backboneSeed), false, tasks(), rows, 7, listener);
    }

    /**
     * Trains.
     *
     * @param arguments the directory of the checkpoints, and the steps between them
     */
    public static void main(String[] arguments) {
        train(Optional.of(Checkpoints.builder(Path.of(arguments[0])).everySteps(Integer.parseInt(arguments[1])).build()),
                new TrainingListener() {
                    @Override
                    public void step(StepEvent event) {
                        System.out.println(event.phase() + " " + event.step());
                    }
                });
        System.out.println("done");
    }
}
