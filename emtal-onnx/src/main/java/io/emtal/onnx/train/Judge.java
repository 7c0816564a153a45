package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.task.BatchLabels;

import java.util.Optional;
import java.util.stream.IntStream;

/** Computes the losses on the held-out rows. */
final class Judge implements AutoCloseable {

    private final Phase phase;
    private final NetworkCompiler compiler;
    private final HeldOut heldOut;
    private final ParameterBuffer buffer;
    private final BatchLabels labels;
    /** {@code null} without held-out rows, and of an ensemble. */
    private final Evaluator evaluator;
    /** {@code null} without held-out rows of an ensemble. */
    private final OutOfBag outOfBag;

    /** Hears what the members of an ensemble say of the rows that are judged. */
    @FunctionalInterface
    interface MemberListener {

        /**
         * What members say of some rows.
         *
         * @param rows positions in the examples
         * @param memberLogits [rows, M, C]
         */
        void said(int[] rows, float[] memberLogits);
    }

    /**
     * Prepares the network.
     *
     * @param phase the phase, for messages
     * @param compiler compiles the network
     * @param examples all rows
     * @param heldOut those that are judged
     * @param buffer where the network reads its parameters
     * @param listener hears of all rows if each is judged by some members of an ensemble
     * @throws EmtalException if rows are held out and none of them has a label
     */
    Judge(Phase phase, NetworkCompiler compiler, Examples examples, HeldOut heldOut, ParameterBuffer buffer,
          Optional<? extends MemberListener> listener) {
        this.phase = phase;
        this.compiler = compiler;
        this.heldOut = heldOut;
        this.buffer = buffer;
        this.labels = Batch.labels(compiler.tasks(), examples, heldOut.judged());
        if (heldOut.judged().length == 0) {
            evaluator = null;
            outOfBag = null;
            return;
        }
        EmtalException.check(IntStream.range(0, compiler.tasks().size()).anyMatch(t -> labels.count(t) > 0),
                "%s: found no label on the %d held-out rows, at least one of them needs one", phase,
                heldOut.judged().length);
        if (heldOut.outOfBag()) {
            evaluator = null;
            outOfBag = new OutOfBag(compiler, examples, heldOut, buffer.tensors(), listener);
        } else {
            int rows = compiler.forwardRows();
            evaluator = new Evaluator(compiler.forward(rows), examples, rows, buffer.tensors());
            outOfBag = null;
        }
    }

    /**
     * What is computed of held-out rows, some at a time.
     *
     * @param compiler compiles the network
     * @param heldOut the rows, at least one
     * @param heard whether somebody hears what all members of an ensemble say
     */
    static Graph graph(NetworkCompiler compiler, HeldOut heldOut, boolean heard) {
        return heldOut.outOfBag() ? OutOfBag.graph(compiler, heldOut, heard) : compiler.forward(compiler.forwardRows());
    }

    /**
     * The losses of all tasks with these weights, not-a-number for a task without labels; none without rows.
     *
     * @throws EmtalException if that of a task with labels is not finite
     */
    double[] losses(float[] values) {
        if (heldOut.judged().length == 0) {
            return new double[0];
        }
        double[] losses = compiler.losses().means(labels, logits(values));
        for (int t = 0; t < losses.length; t++) {
            EmtalException.check(labels.count(t) == 0 || Double.isFinite(losses[t]), "%s, task '%s': the loss on the held-out"
                    + " rows is %s; a lower learning rate may help", phase, compiler.tasks().task(t).name(), losses[t]);
        }
        return losses;
    }

    /** The labels of the rows. */
    BatchLabels labels() {
        return labels;
    }

    /** The logits of the rows with these weights, [rows, C], of an ensemble out-of-bag. */
    float[] logits(float[] values) {
        buffer.set(values);
        return outOfBag == null ? evaluator.outputs(heldOut.judged()) : outOfBag.logits();
    }

    @Override
    public void close() {
        if (evaluator != null) {
            evaluator.close();
        }
        if (outOfBag != null) {
            outOfBag.close();
        }
    }
}
