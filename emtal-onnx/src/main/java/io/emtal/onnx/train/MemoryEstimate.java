package io.emtal.onnx.train;

import com.sun.management.OperatingSystemMXBean;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.TaskLayout;

import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a phase takes about, in bytes, beside what is in use before it: compared with what there is, before anything is
 * taken. The inputs of rows and images that are decoded ahead are not in it.
 *
 * @param heap the state's vectors, the workers' sums, the bank of Quality Retaining, and labels and logits of a batch
 *     and of rows that are judged
 * @param outside the sessions' constants and ONNX Runtime's rearranged copies of them, inner values at their peak, of each
 *     worker and of what judges held-out rows, and the workers' gradients
 * @param checkpoint the size of a checkpoint
 */
record MemoryEstimate(long heap, long outside, long checkpoint) {

    /** The system property that bounds what a training takes outside the heap, in bytes. */
    static final String BOUND = "emtal.nativeMemory";

    private static final double MIB = 1 << 20;

    /**
     * Estimates.
     *
     * @param compiler compiles the step
     * @param recipe the workers, and whether weights are averaged
     * @param microBatch the rows that a worker computes at a time
     * @param judging what computes the rows that are judged; empty without such rows
     */
    static MemoryEstimate of(NetworkCompiler compiler, Recipe recipe, int microBatch, Optional<Graph> judging) {
        NetworkCompiler.Step step = compiler.step(microBatch, true, recipe.dropout() > 0);
        long all = bytes(compiler.parameters());
        long trained = bytes(step.trained());
        // Values, gradient, two moments and the best weights; the average twice, once while it is judged.
        long vectors = (recipe.averageDecay() > 0 ? 7 : 5) * all;
        long checkpoint = vectors - all - (recipe.averageDecay() > 0 ? all : 0);
        return new MemoryEstimate(vectors + recipe.workers() * trained,
                all + constants(step.graph()) + recipe.workers() * (trained + peak(step.graph()))
                        + judging.map(MemoryEstimate::judging).orElse(0L), checkpoint);
    }

    /**
     * The same with what members of an ensemble say and have said of rows.
     *
     * @param numbers how many numbers are kept of either
     */
    MemoryEstimate with(int numbers) {
        long kept = (long) numbers * Float.BYTES;
        return new MemoryEstimate(heap + 2 * kept, outside, checkpoint + kept);
    }

    /**
     * The same with the bank of Quality Retaining.
     *
     * @param bytes its size
     * @param saved whether it is copied for checkpoints
     */
    MemoryEstimate withBank(long bytes, boolean saved) {
        return new MemoryEstimate(heap + (saved ? 2 : 1) * bytes, outside, checkpoint + bytes);
    }

    /**
     * The same with what is known of rows beside their inputs.
     *
     * @param tasks the tasks
     * @param members the members of an ensemble, or 1
     * @param batch the rows of a step, with those of padding
     * @param judged the rows that are judged, between steps; their labels stay
     */
    MemoryEstimate withRows(TaskLayout tasks, int members, long batch, long judged) {
        long columns = tasks.columns();
        // Weights, teacher, its weights, logits and targets, of an ensemble those of each member, too.
        long step = batch * (columns * (members == 1 ? 5 : 5 + members) + members + tasks.size());
        long numbers = Math.max(step, judged * columns) + judged * tasks.size();
        return new MemoryEstimate(heap + numbers * Float.BYTES, outside, checkpoint);
    }

    /** A session of its own, which lives beside the training's. */
    private static long judging(Graph forward) {
        return constants(forward) + peak(forward);
    }

    /** Handed over once, and copied where products are prepared for. */
    private static long constants(Graph graph) {
        return 2 * graph.initializers().values().stream().mapToLong(MemoryEstimate::bytes).sum();
    }

    private static long bytes(List<Parameter> parameters) {
        return parameters.stream().mapToLong(p -> bytes(p.initial())).sum();
    }

    private static long bytes(Tensor tensor) {
        return (long) tensor.shape().size() * tensor.type().bytes();
    }

    private static long bytes(Value value) {
        return (long) value.shape().size() * value.type().bytes();
    }

    /** The most bytes of values that are needed at once, if every value is freed after its last use. */
    static long peak(Graph graph) {
        Map<String, Integer> lastUse = new HashMap<>();
        for (int n = 0; n < graph.nodes().size(); n++) {
            Node node = graph.nodes().get(n);
            for (Value value : Stream.concat(node.inputs().stream(), node.outputs().stream()).toList()) {
                if (value != null) {
                    lastUse.put(value.name(), n);
                }
            }
        }
        graph.outputs().forEach(output -> lastUse.put(output.name(), graph.nodes().size()));
        Map<String, Value> alive = new HashMap<>();
        graph.inputs().forEach(input -> alive.put(input.name(), input));
        long now = graph.inputs().stream().mapToLong(MemoryEstimate::bytes).sum();
        long peak = now;
        for (int n = 0; n < graph.nodes().size(); n++) {
            for (Value output : graph.nodes().get(n).outputs()) {
                alive.put(output.name(), output);
                now += bytes(output);
            }
            peak = Math.max(peak, now);
            for (Value value : Stream.concat(graph.nodes().get(n).inputs().stream(),
                    graph.nodes().get(n).outputs().stream()).toList()) {
                if (value != null && lastUse.get(value.name()) == n && alive.remove(value.name()) != null) {
                    now -= bytes(value);
                }
            }
        }
        return peak;
    }

    /**
     * Compares with what there is: the heap that is free or can grow, and outside it the system property
     * {@value #BOUND}, by default the machine's or container's memory without the heap as it is now.
     *
     * @param phase the phase, for the message
     * @throws EmtalException if it is not enough
     */
    void check(Phase phase) {
        long freeHeap = freeHeap();
        if (heap > freeHeap) {
            System.gc();
            freeHeap = freeHeap();
        }
        check(phase, freeHeap, outsideBound());
    }

    void check(Phase phase, long freeHeap, long outsideBound) {
        EmtalException.check(heap <= freeHeap, "%s: about %.1f MiB of heap are needed, found are %.1f MiB; a larger"
                + " heap (-Xmx), smaller batches or fewer workers help", phase, heap / MIB, freeHeap / MIB);
        EmtalException.check(outside <= outsideBound, "%s: about %.1f MiB are needed outside the heap, allowed are %.1f MiB"
                + " (system property %s); smaller micro-batches or fewer workers help", phase, outside / MIB,
                outsideBound / MIB, BOUND);
    }

    private static long freeHeap() {
        Runtime runtime = Runtime.getRuntime();
        return runtime.maxMemory() - runtime.totalMemory() + runtime.freeMemory();
    }

    private static long outsideBound() {
        String bound = System.getProperty(BOUND);
        if (bound != null) {
            try {
                return Long.parseLong(bound);
            } catch (NumberFormatException e) {
                throw new EmtalException("system property " + BOUND + ": found '" + bound + "', allowed is a number of bytes",
                        e);
            }
        }
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getTotalMemorySize() - Runtime.getRuntime().totalMemory() : Long.MAX_VALUE;
    }
}
