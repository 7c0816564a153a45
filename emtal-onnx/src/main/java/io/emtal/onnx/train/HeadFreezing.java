package io.emtal.onnx.train;

import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.task.TaskLayout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which heads are no longer updated: those of tasks whose loss on held-out rows has not improved for some epochs. Follows
 * from the losses of all epochs so far, so a training that goes on from a checkpoint need not save it.
 */
final class HeadFreezing {

    private final int patience;
    /** The positions of each task's head among all parameters' values. */
    private final List<int[]> positions = new ArrayList<>();
    private final double[] best;
    private final int[] waited;

    /**
     * Before the first epoch.
     *
     * @param compiler all parameters, and which of them are the heads'
     * @param patience the epochs without improvement; 0 for never
     */
    HeadFreezing(NetworkCompiler compiler, int patience) {
        this.patience = patience;
        TaskLayout tasks = compiler.tasks();
        best = new double[tasks.size()];
        Arrays.fill(best, Double.POSITIVE_INFINITY);
        waited = new int[tasks.size()];
        for (int t = 0; t < tasks.size(); t++) {
            String name = tasks.task(t).name();
            IntStream.Builder own = IntStream.builder();
            int end = compiler.adaptation().parameters().stream().mapToInt(Parameter::size).sum();
            for (Parameter parameter : compiler.headParameters()) {
                int start = end;
                end += parameter.size();
                if (parameter.task().filter(name::equals).isPresent()) {
                    IntStream.range(start, end).forEach(own::add);
                }
            }
            positions.add(own.build().toArray());
        }
    }

    /**
     * Takes note of an epoch, or of what the phase starts from.
     *
     * @param losses each task's loss on the held-out rows, not-a-number where it has none; none if they were not looked at
     */
    void judge(double[] losses) {
        for (int t = 0; t < losses.length; t++) {
            if (losses[t] < best[t]) {
                best[t] = losses[t];
                waited[t] = isFrozen(t) ? waited[t] : 0;
            } else if (!Double.isNaN(losses[t])) {
                waited[t]++;
            }
        }
    }

    private boolean isFrozen(int task) {
        return patience > 0 && waited[task] >= patience;
    }

    /** The tasks, by position, whose heads are not updated from now on. */
    List<Integer> frozen() {
        return IntStream.range(0, waited.length).filter(this::isFrozen).boxed().toList();
    }

    /** A step of everything else: the frozen heads' gradients are zero in it, and what decays in them is put back. */
    boolean step(float[] values, float[] gradient, Update update) {
        int[] held = frozen().stream().flatMapToInt(t -> Arrays.stream(positions.get(t))).toArray();
        float[] kept = new float[held.length];
        for (int i = 0; i < held.length; i++) {
            kept[i] = values[held[i]];
            gradient[held[i]] = 0;
        }
        boolean taken = update.step(values, gradient);
        for (int i = 0; i < held.length; i++) {
            values[held[i]] = kept[i];
        }
        return taken;
    }

    /** Changes values by their gradient, or not: false then. */
    interface Update {
        boolean step(float[] values, float[] gradient);
    }
}
