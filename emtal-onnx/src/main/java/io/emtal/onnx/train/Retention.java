package io.emtal.onnx.train;

import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.HeadScope;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What members of an ensemble learn where all tasks are classes and one is past its best: while its loss on rows out of
 * the bag is larger than it has been, each member learns the probabilities that it gave itself when that loss was
 * smallest, instead of the labels. So tasks that take longer go on without spoiling the others. It is Quality Retaining
 * (arXiv 2501.06884) with what was said of each row in the place of a bank for each class.
 *
 * <p>A teacher that has seen a row tells of it to those that judge the row by not having seen it; the ensemble is such a
 * teacher, and no member is one of itself.
 *
 * <p>Follows whole tables of up to {@link HeldOut#MOST_JUDGED} training rows, for which 2<sup>24</sup> numbers hold what
 * all members say. Categorical tasks that share a softmax have no targets of their own, and are not retained. Nor are
 * numbers, of which nothing bounds what is said between the rows: where most are zero, trainings lost their way. Nor is
 * anything where numbers are learnt: those that are soon at their best lose by the longer training.
 */
final class Retention implements Judge.MemberListener {

    private static final long MOST_NUMBERS = 1 << 24;

    private final Losses losses;
    private final TaskLayout tasks;
    private final int members;
    /** What each member says of each example now, [examples, M, C]. */
    private final float[] says;
    /** The probabilities that it gave when a task was best, in that task's columns. */
    private final float[] said;
    private final double[] best;
    private final boolean[] past;

    private Retention(Losses losses, TaskLayout tasks, int members, int examples) {
        this.losses = losses;
        this.tasks = tasks;
        this.members = members;
        says = new float[examples * members * tasks.columns()];
        said = new float[says.length];
        best = new double[tasks.size()];
        Arrays.fill(best, Double.POSITIVE_INFINITY);
        past = new boolean[tasks.size()];
    }

    /**
     * How many numbers are kept.
     *
     * @param phase the phase
     * @param recipe whether anything is retained
     * @param compiler the tasks and members
     * @param heldOut the rows that are trained on and judged
     * @param examples the number of all rows
     * @return 0 if nothing is retained
     */
    static int numbers(Phase phase, Recipe recipe, NetworkCompiler compiler, HeldOut heldOut, int examples) {
        TaskLayout tasks = compiler.tasks();
        long numbers = (long) examples * compiler.heads().members() * tasks.columns();
        boolean retained = phase == Phase.PRETRAIN && recipe.retained() && heldOut.outOfBag()
                && heldOut.judged().length == heldOut.training().length && numbers <= MOST_NUMBERS
                && tasks.learnt().stream().noneMatch(RealTask.class::isInstance)
                && tasks.tasks().stream().anyMatch(task -> retains(tasks, task));
        return retained ? (int) numbers : 0;
    }

    /**
     * Before the first epoch.
     *
     * @param phase the phase
     * @param recipe whether anything is retained
     * @param compiler the tasks and members
     * @param heldOut the rows that are trained on and judged
     * @param examples the number of all rows
     * @return empty if nothing is retained
     */
    static Optional<Retention> of(Phase phase, Recipe recipe, NetworkCompiler compiler, HeldOut heldOut, int examples) {
        return numbers(phase, recipe, compiler, heldOut, examples) == 0 ? Optional.empty()
                : Optional.of(new Retention(compiler.losses(), compiler.tasks(), compiler.heads().members(), examples));
    }

    @Override
    public void said(int[] rows, float[] memberLogits) {
        int width = members * tasks.columns();
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(memberLogits, i * width, says, rows[i] * width, width);
        }
    }

    /**
     * Takes note of an epoch, after what the members said of all rows.
     *
     * @param judged the loss of each task on rows out of the bag, not-a-number for a task without labels
     */
    void judge(double[] judged) {
        for (int t = 0; t < best.length; t++) {
            if (retains(tasks, tasks.task(t))) {
                past[t] = judged[t] > best[t];
                if (judged[t] < best[t]) {
                    best[t] = judged[t];
                    losses.probabilities(tasks, t, says, said);
                }
            }
        }
    }

    private static boolean retains(TaskLayout tasks, Task task) {
        return task instanceof BinaryTask
                || task instanceof CategoricalTask && tasks.headScope() == HeadScope.PER_TASK;
    }

    /**
     * Puts what members said in the place of the labels, for tasks that are past their best.
     *
     * @param batch its targets are filled
     */
    void teach(Batch batch) {
        int columns = tasks.columns();
        for (int t = 0; t < past.length; t++) {
            if (past[t]) {
                for (int i = 0; i < batch.rows().length * members; i++) {
                    int row = batch.rows()[i / members];
                    System.arraycopy(said, (row * members + i % members) * columns + tasks.offset(t), batch.targets(),
                            i * columns + tasks.offset(t), tasks.task(t).width());
                }
            }
        }
    }

    /** 1 for each task that is past its best, 0 for the others, not-a-number for one that takes no part. */
    double[] weights() {
        return IntStream.range(0, past.length)
                .mapToDouble(t -> !retains(tasks, tasks.task(t)) ? Double.NaN : past[t] ? 1 : 0).toArray();
    }

    /** Writes what was said, and when it was best. */
    void write(StateOutput output) throws IOException {
        output.write(best);
        output.write(weights());
        output.write(said);
    }

    /** Takes over what was written. */
    void read(StateInput input) throws IOException {
        input.readInto("best losses of tasks", best);
        double[] retained = new double[past.length];
        input.readInto("retained tasks", retained);
        for (int t = 0; t < past.length; t++) {
            past[t] = retained[t] > 0;
        }
        input.readInto("what members said", said);
    }
}
