package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.BatchLabels;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Computes the losses on the held-out rows. */
final class Judge implements AutoCloseable {

    private final Phase phase;
    private final NetworkCompiler compiler;
    private final HeldOut heldOut;
    private final ParameterBuffer buffer;
    private final BatchLabels labels;
    /** {@code null} without held-out rows. */
    private final Evaluator evaluator;

    /** Hears what the members of an ensemble say of the rows that are judged. */
    @FunctionalInterface
    interface MemberListener {

        /** Hears nothing. */
        MemberListener NONE = (rows, memberLogits) -> { };

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
     * @throws EmtalException if rows are held out and none of them has a label
     */
    Judge(Phase phase, NetworkCompiler compiler, Examples examples, HeldOut heldOut, ParameterBuffer buffer) {
        this.phase = phase;
        this.compiler = compiler;
        this.heldOut = heldOut;
        this.buffer = buffer;
        this.labels = Batch.labels(compiler.tasks(), examples, heldOut.judged());
        if (heldOut.judged().length == 0) {
            evaluator = null;
            return;
        }
        EmtalException.check(IntStream.range(0, compiler.tasks().size()).anyMatch(t -> labels.count(t) > 0),
                "%s: found no label on the %d held-out rows, at least one of them needs one", phase,
                heldOut.judged().length);
        int rows = compiler.forwardRows();
        evaluator = new Evaluator(heldOut.outOfBag() ? compiler.forwardApart(rows) : compiler.forward(rows), examples,
                rows, buffer.tensors());
    }

    /**
     * The losses of all tasks with these weights, not-a-number for a task without labels; none without rows.
     *
     * @param listener hears of all rows if each is judged by some members of an ensemble
     * @throws EmtalException if that of a task with labels is not finite
     */
    double[] losses(float[] values, MemberListener listener) {
        if (evaluator == null) {
            return new double[0];
        }
        double[] losses = compiler.losses().means(labels, logits(values, listener));
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
        return logits(values, MemberListener.NONE);
    }

    private float[] logits(float[] values, MemberListener listener) {
        buffer.set(values);
        return heldOut.outOfBag() ? unseen(heldOut.judged(), listener) : evaluator.outputs(heldOut.judged());
    }

    /** Some rows at a time: the members' logits of all of them together would be many times as large. */
    private float[] unseen(int[] rows, MemberListener listener) {
        FloatBuffer logits = FloatBuffer.allocate(rows.length * compiler.tasks().columns());
        int[] first = {0};
        evaluator.forEachBatch(rows, batch -> {
            float[] memberLogits = new float[batch.remaining()];
            batch.get(memberLogits);
            int[] some = Arrays.copyOfRange(rows, first[0], first[0] + memberLogits.length / evaluator.columns());
            logits.put(heldOut.unseen(some, memberLogits));
            listener.said(some, memberLogits);
            first[0] += some.length;
        });
        return logits.array();
    }

    @Override
    public void close() {
        if (evaluator != null) {
            evaluator.close();
        }
    }
}
