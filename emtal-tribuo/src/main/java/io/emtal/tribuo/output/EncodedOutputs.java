package io.emtal.tribuo.output;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Logger;

/** The tasks of a training and the labels of its examples. */
public final class EncodedOutputs {

    private static final Logger LOGGER = Logger.getLogger(EncodedOutputs.class.getName());

    /** A deviation of fewer steps of single precision is worth a warning. */
    private static final int STEPS = 16;

    private final TaskLayout tasks;
    private final float[] labels;
    private final int rowsWithoutLabel;
    private final List<String> constant = new ArrayList<>();

    private EncodedOutputs(TaskLayout tasks, float[] labels) {
        this.tasks = tasks;
        this.labels = labels;
        int unlabelled = 0;
        for (int row = 0; row < size(); row++) {
            boolean labelled = false;
            for (int t = 0; t < tasks.size(); t++) {
                labelled |= Task.isLabelled(labels[row * tasks.size() + t]);
            }
            unlabelled += labelled ? 0 : 1;
        }
        this.rowsWithoutLabel = unlabelled;
    }

    /**
     * Checks that there is something to learn.
     *
     * @param tasks the tasks
     * @param labels rows of one label a task
     * @param values what the labels 0, 1, … of each task mean, for messages; empty for a real task
     * @param constantTasks whether a task may have a single class
     * @return tasks and labels
     * @throws EmtalException for a task without a label, or with a single class unless that is allowed
     */
    static EncodedOutputs of(TaskLayout tasks, float[] labels, List<List<String>> values, boolean constantTasks) {
        EncodedOutputs encoded = new EncodedOutputs(tasks, labels);
        for (int t = 0; t < tasks.size(); t++) {
            float first = Float.NaN;
            boolean varied = false;
            for (int row = 0; row < encoded.size() && !varied; row++) {
                float label = labels[row * tasks.size() + t];
                if (!Task.isLabelled(first)) {
                    first = label;
                }
                varied = Task.isLabelled(label) && label != first;
            }
            String name = tasks.task(t).name();
            boolean constant = !varied && !(tasks.task(t) instanceof RealTask);
            EmtalException.check(Task.isLabelled(first), "task '%s': found no label in %d training examples, at least"
                    + " one is needed", name, encoded.size());
            EmtalException.check(!constant || constantTasks,
                    "task '%s': found nothing but '%s' in %d training examples, at least two classes are needed unless"
                            + " constantTasks is set, which trains a constant", name,
                    values.get(t).isEmpty() ? first : values.get(t).get((int) first), encoded.size());
            if (constant) {
                encoded.constant.add(name);
            }
            if (varied && tasks.task(t) instanceof RealTask real) {
                warn(real);
            }
        }
        return encoded;
    }

    /** Labels are taken from double precision, but predictions come in single. */
    private static void warn(RealTask task) {
        float step = Math.ulp((float) task.mean());
        if (task.deviation() < STEPS * step) {
            LOGGER.warning("Task '" + task.name() + "': found targets that deviate by " + task.deviation() + " from "
                    + task.mean() + ", where predictions come in steps of " + step + ", those of single precision;"
                    + " subtract an offset from the targets.");
        }
    }

    /**
     * The length of an array of labels.
     *
     * @param rows the number of rows
     * @param tasks the number of tasks
     * @return one label a row and task
     * @throws EmtalException if no array is as long
     */
    public static int labels(int rows, int tasks) {
        EmtalException.check((long) rows * tasks <= Integer.MAX_VALUE,
                "labels: found %d rows of %d tasks, allowed are %d labels", rows, tasks, Integer.MAX_VALUE);
        return rows * tasks;
    }

    /**
     * The tasks.
     *
     * @return with statistics of the training examples
     */
    public TaskLayout tasks() {
        return tasks;
    }

    /**
     * The number of examples.
     *
     * @return the number of rows
     */
    public int size() {
        return labels.length / tasks.size();
    }

    /**
     * Copies an example's labels.
     *
     * @param row the example
     * @param target gets one label a task, not-a-number where it is missing
     */
    public void labels(int row, float[] target) {
        System.arraycopy(labels, row * tasks.size(), target, 0, tasks.size());
    }

    /**
     * An example's label for a task.
     *
     * @param row the example
     * @param task the task's position
     * @return the label, not-a-number where it is missing
     */
    public float label(int row, int task) {
        return labels[row * tasks.size() + task];
    }

    /**
     * The tasks whose labels are all of one class, so that a constant is learnt.
     *
     * @return their names
     */
    public List<String> constantTasks() {
        return List.copyOf(constant);
    }

    /**
     * How many examples have no label for any task, so that nothing is learnt from them.
     *
     * @return the number
     */
    public int rowsWithoutLabel() {
        return rowsWithoutLabel;
    }
}
