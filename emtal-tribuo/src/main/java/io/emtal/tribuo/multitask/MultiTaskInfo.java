package io.emtal.tribuo.multitask;

import com.oracle.labs.mlrg.olcut.util.Pair;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.protos.MultiTaskInfoProto;
import io.emtal.tribuo.protos.TaskStatisticsProto;
import org.tribuo.OutputInfo;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What was observed of the tasks of a data set's outputs: how often each has a value, how often each class, and the
 * statistics of numbers. Outputs that lack a task leave no trace in that task's counts.
 *
 * <p>The domain has one element for every column of a network: one for each class of a categorical task, which holds
 * that class, one for each binary task, which holds {@code true}, and one for each real task, which holds 0. They are
 * ordered by task and class.
 */
public abstract sealed class MultiTaskInfo implements OutputInfo<MultiTask>
        permits MutableMultiTaskInfo, ImmutableMultiTaskInfo {

    private static final long serialVersionUID = 1L;

    /** By task. */
    final TreeMap<String, TaskStatistics> tasks = new TreeMap<>();

    /** How many outputs were observed, those without values included, the unknown output not. */
    long observed;

    /** How often the unknown output was observed. */
    int unknown;

    MultiTaskInfo() {
    }

    MultiTaskInfo(MultiTaskInfo other) {
        other.tasks.forEach((task, statistics) -> tasks.put(task, statistics.copy()));
        observed = other.observed;
        unknown = other.unknown;
    }

    MultiTaskInfo(MultiTaskInfoProto proto) {
        EmtalException.check(proto.getObserved() >= 0 && proto.getUnknown() >= 0, "outputs: found %d observed and %d"
                + " unknown ones, allowed are 0 and more", proto.getObserved(), proto.getUnknown());
        for (TaskStatisticsProto task : proto.getTaskList()) {
            EmtalException.check(tasks.put(task.getTask(), TaskStatistics.deserialize(task)) == null,
                    "task %s: found its statistics twice, allowed is once", Quoted.of(task.getTask()));
        }
        observed = proto.getObserved();
        unknown = proto.getUnknown();
    }

    /**
     * The tasks.
     *
     * @return the kind of each, by its name
     */
    public final SortedMap<String, TaskKind> kinds() {
        SortedMap<String, TaskKind> kinds = new TreeMap<>();
        tasks.forEach((task, statistics) -> kinds.put(task, statistics.kind()));
        return Collections.unmodifiableSortedMap(kinds);
    }

    /**
     * How many outputs have a value for a task.
     *
     * @param task the task's name
     * @return the number, 0 for a task that was never observed
     */
    public final long labelled(String task) {
        return tasks.containsKey(task) ? tasks.get(task).labelled() : 0;
    }

    /**
     * How often each class was observed.
     *
     * @param task the task's name
     * @return by class; by {@code false} and {@code true} for a binary task; empty for a real task, and for one that
     *     was never observed
     */
    public final SortedMap<String, Long> classes(String task) {
        return tasks.containsKey(task) ? tasks.get(task).classes() : Collections.emptySortedMap();
    }

    /**
     * The statistics of a real task.
     *
     * @param task the task's name
     * @return the statistics, if it is a real task
     */
    public final Optional<RealStatistics> statistics(String task) {
        return Optional.ofNullable(tasks.get(task)).filter(found -> found.kind() == TaskKind.REAL)
                .map(TaskStatistics::real);
    }

    /** The columns in the order of task and class, each with how often it was observed. */
    final Map<MultiTask, Long> columns() {
        Map<MultiTask, Long> columns = new LinkedHashMap<>();
        tasks.values().forEach(task -> columns.putAll(task.columns()));
        return columns;
    }

    final MultiTaskInfoProto.Builder proto() {
        MultiTaskInfoProto.Builder proto = MultiTaskInfoProto.newBuilder().setObserved(observed).setUnknown(unknown);
        tasks.values().forEach(task -> proto.addTask(task.serialize()));
        return proto;
    }

    @Override
    public Set<MultiTask> getDomain() {
        return new LinkedHashSet<>(columns().keySet());
    }

    @Override
    public int size() {
        return tasks.values().stream().mapToInt(t -> t.kind() == TaskKind.CATEGORICAL ? t.classes().size() : 1).sum();
    }

    @Override
    public int getUnknownCount() {
        return unknown;
    }

    @Override
    public ImmutableMultiTaskInfo generateImmutableOutputInfo() {
        return new ImmutableMultiTaskInfo(this);
    }

    @Override
    public MutableMultiTaskInfo generateMutableOutputInfo() {
        return new MutableMultiTaskInfo(this);
    }

    @Override
    public abstract MultiTaskInfo copy();

    /** {@inheritDoc} Of a binary task the answer true is counted, of a real one every number. */
    @Override
    public Iterable<Pair<String, Long>> outputCountsIterable() {
        List<Pair<String, Long>> counts = new ArrayList<>();
        columns().forEach((column, count) -> counts.add(new Pair<>(column.toString(), count)));
        return Collections.unmodifiableList(counts);
    }

    @Override
    public String toReadableString() {
        List<String> columns = new ArrayList<>();
        columns().forEach((column, count) -> columns.add("(" + column + "," + count + ")"));
        return String.join(", ", columns);
    }

    @Override
    public String toString() {
        return toReadableString();
    }
}
