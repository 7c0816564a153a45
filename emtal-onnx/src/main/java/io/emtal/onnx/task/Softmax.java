package io.emtal.onnx.task;

/** Softmax and its kin in double precision, for what Java computes beside the graph. */
final class Softmax {

    private Softmax() {
    }

    /**
     * ln Σ exp(z / temperature) over some columns of a row.
     *
     * @param logits row after row
     * @param from where the row starts
     * @param columns the columns
     * @param temperature what logits are divided by
     * @return the logarithm
     */
    static double logSumExp(float[] logits, int from, int[] columns, double temperature) {
        double max = Double.NEGATIVE_INFINITY;
        for (int column : columns) {
            max = Math.max(max, logits[from + column] / temperature);
        }
        double sum = 0;
        for (int column : columns) {
            sum += Math.exp(logits[from + column] / temperature - max);
        }
        return max + Math.log(sum);
    }

    /** ln(1 + exp(z)). */
    static double softplus(double z) {
        return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
    }
}
