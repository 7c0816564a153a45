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
    private final ParameterBuffer buffer;
    private final BatchLabels labels;
    /** Empty without held-out rows. */
    private final Optional<Network> network;

    /** A network that reads its parameters from the buffer. */
    interface Network extends AutoCloseable {

        /** The logits of the held-out rows [rows, C]. */
        float[] logits();

        @Override
        void close();
    }

    /** One that has seen none of them. */
    private record Unseen(Evaluator evaluator, int[] rows) implements Network {

        @Override
        public float[] logits() {
            return evaluator.outputs(rows);
        }

        @Override
        public void close() {
            evaluator.close();
        }
    }

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
        this.buffer = buffer;
        this.labels = Batch.labels(compiler.tasks(), examples, heldOut.judged());
        int rows = heldOut.judged().length;
        EmtalException.check(rows == 0 || IntStream.range(0, compiler.tasks().size()).anyMatch(t -> labels.count(t) > 0),
                "%s: found no label on the %d held-out rows, at least one of them needs one", phase, rows);
        network = rows == 0 ? Optional.empty() : Optional.of(heldOut.outOfBag()
                ? new OutOfBag(compiler, examples, heldOut, buffer.tensors(), listener)
                : new Unseen(new Evaluator(graph(compiler, heldOut, false), examples, compiler.forwardRows(),
                        buffer.tensors()), heldOut.judged()));
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
        if (network.isEmpty()) {
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

    /** The logits of the rows with these weights, [rows, C], of an ensemble out-of-bag; there is at least one row. */
    float[] logits(float[] values) {
        buffer.set(values);
        return network.orElseThrow().logits();
    }

    @Override
    public void close() {
        network.ifPresent(Network::close);
    }
}
