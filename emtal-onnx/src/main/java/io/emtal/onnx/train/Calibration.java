package io.emtal.onnx.train;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;

import java.util.Optional;

/**
 * What is done to the heads of real tasks after a training, and how well the network then predicts held-out rows.
 *
 * @param values all parameters' values, flat
 * @param errors one a task over the rows that test, or without such over those that judge: of a real task the root mean
 *     squared error in standard deviations, of others the loss, not-a-number without labels there; none without any
 */
record Calibration(float[] values, double[] errors) {

    /**
     * Calibrates real tasks if the losses ask for it. The buffer has the calibrated values then.
     *
     * @param compiler the network
     * @param rows all rows
     * @param heldOut those that judge and test
     * @param buffer where the network reads its parameters
     * @param evaluator gives the network's logits with what is in the buffer
     * @param outcome what the training came to
     */
    static Calibration of(NetworkCompiler compiler, Examples rows, HeldOut heldOut, ParameterBuffer buffer,
                          Evaluator evaluator, PhaseRun.Outcome outcome) {
        float[] values = outcome.values();
        double[] errors = outcome.bestLosses();
        boolean tested = heldOut.tested().length > 0;
        buffer.set(values);
        if (compiler.tasks().tasks().stream().anyMatch(RealTask.class::isInstance)) {
            try (Judge judge = new Judge(Phase.ADAPT, compiler, rows, heldOut, buffer, Optional.empty())) {
                if (compiler.losses().calibrated()) {
                    if (heldOut.outOfBag()) {
                        values = Stacking.of(judge.labels(), judge.logits(values)).applied(compiler.parameters(), values);
                        buffer.set(values);
                    }
                    values = MeanResiduals.of(compiler.tasks(), evaluator, rows, heldOut.training())
                            .applied(compiler.parameters(), values);
                    buffer.set(values);
                }
                if (!tested && heldOut.judged().length > 0) {
                    errors = errors(judge.labels(), judge.logits(values), errors);
                }
            }
        }
        return new Calibration(values, tested ? testErrors(compiler, rows, heldOut, evaluator) : errors);
    }

    private static double[] testErrors(NetworkCompiler compiler, Examples rows, HeldOut heldOut, Evaluator evaluator) {
        BatchLabels labels = Batch.labels(compiler.tasks(), rows, heldOut.tested());
        float[] logits = evaluator.outputs(heldOut.tested());
        return errors(labels, logits, compiler.losses().means(labels, logits));
    }

    private static double[] errors(BatchLabels labels, float[] logits, double[] losses) {
        TaskLayout tasks = labels.layout();
        double[] errors = losses.clone();
        for (int t = 0; t < errors.length; t++) {
            if (tasks.task(t) instanceof RealTask) {
                double sum = 0;
                for (double residual : Residuals.of(labels, logits, t)) {
                    sum += residual * residual;
                }
                errors[t] = Math.sqrt(sum / labels.count(t));
            }
        }
        return errors;
    }
}
