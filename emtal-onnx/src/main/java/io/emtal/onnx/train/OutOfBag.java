package io.emtal.onnx.train;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.Graph;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Computes what members of an ensemble say of the judged rows that they have not seen. The other members, most of them,
 * are computed only where somebody hears them, or where a backbone's members cannot be chosen.
 */
final class OutOfBag implements Judge.Network {

    private final NetworkCompiler compiler;
    private final HeldOut heldOut;
    private final Optional<? extends Judge.MemberListener> listener;
    private final List<HeldOut.Part> parts;
    private final LongBuffer members;
    private final OnnxTensor tensor;
    private final Evaluator evaluator;

    /**
     * Prepares the network.
     *
     * @param compiler compiles the network
     * @param examples all rows
     * @param heldOut which members judge which of them
     * @param parameters what the network reads, by name
     * @param listener hears what all members say of all judged rows
     */
    OutOfBag(NetworkCompiler compiler, Examples examples, HeldOut heldOut, Map<String, OnnxTensor> parameters,
             Optional<? extends Judge.MemberListener> listener) {
        this.compiler = compiler;
        this.heldOut = heldOut;
        this.listener = listener;
        parts = parts(compiler, heldOut, listener.isPresent());
        int some = parts.get(0).members().length;
        members = ByteBuffer.allocateDirect(some * Long.BYTES).order(ByteOrder.nativeOrder()).asLongBuffer();
        try {
            tensor = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), members, new long[] {some});
        } catch (OrtException e) {
            throw NativeSession.failed("forward", e);
        }
        try {
            Graph graph = graph(compiler, heldOut, listener.isPresent());
            Map<String, OnnxTensor> inputs = new HashMap<>(parameters);
            inputs.put(NetworkCompiler.MEMBERS, tensor);
            evaluator = new Evaluator(graph, examples, (int) graph.inputs().get(0).extent(0), inputs);
        } catch (RuntimeException | Error e) {
            tensor.close();
            throw e;
        }
    }

    private static List<HeldOut.Part> parts(NetworkCompiler compiler, HeldOut heldOut, boolean heard) {
        return heard || !compiler.choosesMembers() ? List.of(heldOut.whole()) : heldOut.parts();
    }

    /**
     * What is computed of some rows.
     *
     * @param compiler compiles the network
     * @param heldOut which members judge which rows
     * @param heard whether all members are
     */
    static Graph graph(NetworkCompiler compiler, HeldOut heldOut, boolean heard) {
        List<HeldOut.Part> parts = parts(compiler, heldOut, heard);
        int some = parts.get(0).members().length;
        int most = parts.stream().mapToInt(part -> part.rows().length).max().orElseThrow();
        return compiler.forwardApart(compiler.forwardRows(some, most), some);
    }

    /** For each row the mean over the members that have not seen it. */
    @Override
    public float[] logits() {
        float[] logits = new float[heldOut.judged().length * compiler.tasks().columns()];
        parts.forEach(part -> compute(part, logits));
        return logits;
    }

    /** Some rows at a time: the members' logits of all of them together would be many times as large. */
    private void compute(HeldOut.Part part, float[] logits) {
        members.put(0, Arrays.stream(part.members()).asLongStream().toArray());
        int columns = compiler.tasks().columns();
        int[] done = {0};
        evaluator.forEachBatch(part.rows(), batch -> {
            float[] memberLogits = new float[batch.remaining()];
            batch.get(memberLogits);
            int first = done[0];
            int[] rows = Arrays.copyOfRange(part.rows(), first, first + memberLogits.length / evaluator.columns());
            float[] unseen = heldOut.unseen(rows, part.members(), memberLogits);
            for (int i = 0; i < rows.length; i++) {
                System.arraycopy(unseen, i * columns, logits, part.places()[first + i] * columns, columns);
            }
            listener.ifPresent(l -> l.said(rows, memberLogits));
            done[0] += rows.length;
        });
    }

    @Override
    public void close() {
        evaluator.close();
        tensor.close();
    }
}
