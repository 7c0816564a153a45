package io.emtal.onnx.task;

import io.emtal.onnx.EmtalException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The columns of the logits {@code [B, C]} of all tasks: task t owns the columns from {@link #offset} to
 * {@code offset + width}, in the order of the tasks.
 */
public final class TaskLayout {

    private final List<Task> tasks;
    private final HeadScope headScope;
    private final int[] offsets;
    private final int[] categoricalColumns;

    /**
     * Lays out tasks with a softmax of its own for each categorical one.
     *
     * @param tasks the tasks
     * @throws EmtalException if there is none, or two have the same name
     */
    public TaskLayout(List<Task> tasks) {
        this(tasks, HeadScope.PER_TASK);
    }

    /**
     * Lays out tasks.
     *
     * @param tasks the tasks
     * @param headScope which columns share one softmax
     * @throws EmtalException if there is no task, or two have the same name
     */
    public TaskLayout(List<Task> tasks, HeadScope headScope) {
        this.tasks = List.copyOf(tasks);
        this.headScope = headScope;
        EmtalException.check(!tasks.isEmpty(), "tasks: found none, at least one is needed");
        Set<String> names = new HashSet<>();
        offsets = new int[tasks.size() + 1];
        for (int t = 0; t < tasks.size(); t++) {
            Task task = this.tasks.get(t);
            EmtalException.check(names.add(task.name()),
                    "task '%s': found this name twice, the names of tasks must differ", task.name());
            offsets[t + 1] = Math.addExact(offsets[t], task.width());
        }
        categoricalColumns = IntStream.range(0, tasks.size())
                .filter(t -> this.tasks.get(t) instanceof CategoricalTask)
                .flatMap(t -> IntStream.range(offsets[t], offsets[t + 1]))
                .toArray();
    }

    /** The tasks, in order. */
    public List<Task> tasks() {
        return tasks;
    }

    /** The tasks of a weight above 0, in order: nothing learns the others. */
    public List<Task> learnt() {
        return tasks.stream().filter(task -> task.weight() > 0).toList();
    }

    /** The real tasks, in order. */
    List<RealTask> realTasks() {
        return tasks.stream().filter(RealTask.class::isInstance).map(RealTask.class::cast).toList();
    }

    /** Which columns share one softmax. */
    public HeadScope headScope() {
        return headScope;
    }

    /** The number of tasks, T. */
    public int size() {
        return tasks.size();
    }

    /**
     * A task.
     *
     * @param t its index
     * @return the task
     */
    public Task task(int t) {
        return tasks.get(t);
    }

    /**
     * The first column of a task.
     *
     * @param t the task's index
     * @return the column
     */
    public int offset(int t) {
        return offsets[t];
    }

    /**
     * The number of columns of a task.
     *
     * @param t the task's index
     * @return the number
     */
    public int width(int t) {
        return offsets[t + 1] - offsets[t];
    }

    /** The number of columns of all tasks, C. */
    public int columns() {
        return offsets[offsets.length - 1];
    }

    /**
     * Checks the labels of one example.
     *
     * @param where names the example in the message, such as {@code row 17}
     * @param labels one label per task, from {@code from} on
     * @param from where they start
     * @throws EmtalException if one is none of its task's
     */
    public void checkLabels(String where, float[] labels, int from) {
        for (int t = 0; t < tasks.size(); t++) {
            Task task = tasks.get(t);
            float label = labels[from + t];
            EmtalException.check(task.accepts(label), "%s, task '%s': found label %s, allowed is %s",
                    where, task.name(), label, task.allowedLabels());
        }
    }

    /** The columns that share a softmax with a categorical task, ascending, the task's own among them. */
    int[] softmaxColumns(int t) {
        return headScope == HeadScope.JOINT
                ? categoricalColumns
                : IntStream.range(offsets[t], offsets[t + 1]).toArray();
    }

    /** The columns by the form of their loss, in the order of each group's first column. */
    List<ColumnGroup> groups() {
        return groups(headScope);
    }

    /** The columns by the form of their loss, as if the heads had a given scope. */
    List<ColumnGroup> groups(HeadScope scope) {
        record Form(ColumnGroup.Kind kind, int width) { }
        Map<Form, List<Integer>> tasksOfForm = new LinkedHashMap<>();
        for (int t = 0; t < tasks.size(); t++) {
            Task task = tasks.get(t);
            Form form = task instanceof RealTask ? new Form(ColumnGroup.Kind.REAL, 1)
                    : task instanceof BinaryTask ? new Form(ColumnGroup.Kind.BINARY, 1)
                    : new Form(ColumnGroup.Kind.CATEGORICAL,
                            scope == HeadScope.JOINT ? categoricalColumns.length : task.width());
            tasksOfForm.computeIfAbsent(form, f -> new ArrayList<>()).add(t);
        }
        return tasksOfForm.entrySet().stream()
                .map(e -> new ColumnGroup(e.getKey().kind(), e.getValue().stream()
                        .flatMapToInt(t -> IntStream.range(offsets[t], offsets[t + 1])).toArray(), e.getKey().width()))
                .toList();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TaskLayout that && tasks.equals(that.tasks) && headScope == that.headScope;
    }

    @Override
    public int hashCode() {
        return 31 * tasks.hashCode() + headScope.hashCode();
    }

    @Override
    public String toString() {
        return "TaskLayout" + tasks + " " + headScope;
    }
}
