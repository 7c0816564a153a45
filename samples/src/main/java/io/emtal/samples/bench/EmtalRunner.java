package io.emtal.samples.bench;

import io.emtal.onnx.train.TrainingStep;

/** EMTAL's own training step. */
final class EmtalRunner implements StepRunner {
    private final TrainingStep step;
    private final double fade;

    EmtalRunner(BenchNetwork network, int batch, int workers, int microBatch) {
        this.step = network.step(batch, workers, microBatch);
        this.fade = network.mode().fade();
    }

    int microBatchSize() {
        return step.microBatchSize();
    }

    @Override
    public double[] step(int[] rows) {
        return step.run(rows, fade, BenchNetwork.LEARNING_RATE);
    }

    @Override
    public void close() {
        step.close();
    }
}
