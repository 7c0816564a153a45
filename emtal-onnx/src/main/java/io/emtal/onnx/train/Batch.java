package io.emtal.onnx.train;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.TaskLayout;

/**
 * The rows of one step, in the order in which they are computed, with all that a step is fed besides the inputs. The
 * arrays have one row of C columns an example, and rows of zeros where the last micro-batch is padded.
 *
 * @param examples where the inputs are read
 * @param rows positions in the examples
 * @param noise what is dropped at random
 * @param labels the rows' labels
 * @param targets what the losses compare with, [padded, C], of an ensemble [padded, M, C]
 * @param weights the losses' weights, [padded, C]
 * @param bags what each row counts for the members of an ensemble, [padded, M]; none without an ensemble
 * @param teacher what Quality Retaining compares with, [padded, C]
 * @param teacherWeight its weights, [padded, C]
 * @param logits the step's logits, [padded, C]
 */
record Batch(Examples examples, int[] rows, Noise noise, BatchLabels labels, float[] targets, float[] weights,
             float[] bags, float[] teacher, float[] teacherWeight, float[] logits) {

    /**
     * Makes a batch whose arrays are still zero.
     *
     * @param tasks the tasks
     * @param examples where inputs and labels come from
     * @param rows positions in the examples
     * @param noise what is dropped at random
     * @param heldOut which members of an ensemble do without a row
     * @param microBatch the number of rows of a micro-batch
     */
    static Batch of(TaskLayout tasks, Examples examples, int[] rows, Noise noise, HeldOut heldOut, int microBatch) {
        int paddedRows = (rows.length + microBatch - 1) / microBatch * microBatch;
        int padded = paddedRows * tasks.columns();
        float[] bags = heldOut.bags(rows, paddedRows);
        int members = Math.max(1, bags.length / paddedRows);
        return new Batch(examples, rows, noise, labels(tasks, examples, rows), new float[padded * members],
                new float[padded], bags, new float[padded], new float[padded], new float[padded]);
    }

    /**
     * Fills targets, of every member of an ensemble the same, and weights by the labels.
     *
     * @param losses say what of
     */
    void fill(Losses losses) {
        int columns = labels.layout().columns();
        if (targets.length == weights.length) {
            losses.fill(labels, targets, weights);
            return;
        }
        float[] each = new float[weights.length];
        losses.fill(labels, each, weights);
        int members = targets.length / each.length;
        for (int i = 0; i < targets.length / columns; i++) {
            System.arraycopy(each, i / members * columns, targets, i * columns, columns);
        }
    }

    /**
     * Reads labels.
     *
     * @param tasks the tasks
     * @param examples where the labels come from
     * @param rows positions in the examples
     */
    static BatchLabels labels(TaskLayout tasks, Examples examples, int[] rows) {
        float[] labels = new float[rows.length * tasks.size()];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = examples.label(rows[i / tasks.size()], i % tasks.size());
        }
        return new BatchLabels(tasks, labels);
    }

    /**
     * What is dropped at random while a batch is trained on.
     *
     * @param seed decides what
     * @param inputs the probability that an input value goes missing
     * @param channels the probability that a channel is dropped
     */
    record Noise(long seed, double inputs, double channels) {
    }
}
