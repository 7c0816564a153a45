package io.emtal.onnx.train;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.BatchLabels;

/**
 * What is done to the heads after a training, and how well the network then predicts rows that it has not seen.
 *
 * @param values all parameters' values, flat
 * @param errors one a task over the rows that judge: of a real task the root mean squared error in standard deviations,
 *     of others the loss, not-a-number without labels there; none without such rows
 */
record Calibration(float[] values, double[] errors) {

    /**
     * Calibrates real tasks if the losses ask for it. The buffer has the calibrated values then.
     *
     * @param compiler the network
     * @param rows all rows
     * @param heldOut those that judge
     * @param buffer where the network reads its parameters
     * @param evaluator gives the network's logits with what is in the buffer
     * @param values all parameters' values, flat
     */
    static Calibration of(NetworkCompiler compiler, Examples rows, HeldOut heldOut, ParameterBuffer buffer,
                          Evaluator evaluator, float[] values) {
        boolean calibrated = compiler.losses().calibrated();
        Stacking stacking = Stacking.none(compiler.tasks());
        double[] errors = {};
        if (heldOut.judged().length > 0) {
            try (Judge judge = new Judge(Phase.ADAPT, compiler, rows, heldOut, buffer)) {
                BatchLabels labels = judge.labels();
                float[] logits = judge.logits(values);
                stacking = calibrated && heldOut.outOfBag() ? Stacking.of(labels, logits)
                        : Stacking.none(labels, logits);
                errors = stacking.errors(compiler.losses().means(labels, logits));
            }
        }
        if (!calibrated) {
            buffer.set(values);
            return new Calibration(values, errors);
        }
        float[] stacked = stacking.map().applied(compiler.parameters(), values);
        buffer.set(stacked);
        float[] unbiased = MeanResiduals.of(compiler.tasks(), evaluator, rows, heldOut.training())
                .applied(compiler.parameters(), stacked);
        buffer.set(unbiased);
        return new Calibration(unbiased, errors);
    }
}
