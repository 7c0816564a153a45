package io.emtal.tribuo.output;

import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.TaskKind;
import io.emtal.tribuo.multitask.TaskValue;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Prediction;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The tasks of a domain of {@link MultiTask} outputs, and what the columns of a network say of them. */
final class MultiTaskColumns implements OutputColumns<MultiTask> {

    private final List<Group> groups;
    private final String[] names;

    /**
     * The columns of one task.
     *
     * @param task the task's name
     * @param kind what its values are
     * @param ids the ids of its columns, ascending: one for each class, or one
     * @param classes the index in {@code ids} of each class, ascending; none unless the task is categorical
     */
    record Group(String task, TaskKind kind, int[] ids, Map<String, Integer> classes) {
    }

    MultiTaskColumns(ImmutableOutputInfo<MultiTask> domain) {
        Map<String, List<Integer>> idsByTask = new LinkedHashMap<>();
        names = new String[domain.size()];
        for (int id = 0; id < names.length; id++) {
            names[id] = domain.getOutput(id).toString();
            idsByTask.computeIfAbsent(element(domain, id).task(), task -> new ArrayList<>()).add(id);
        }
        groups = idsByTask.values().stream().map(ids -> group(domain, ids)).toList();
    }

    private static Group group(ImmutableOutputInfo<MultiTask> domain, List<Integer> ids) {
        TaskValue first = element(domain, ids.get(0));
        Map<String, Integer> classes = new LinkedHashMap<>();
        for (int id : ids) {
            if (element(domain, id) instanceof TaskValue.Category category) {
                classes.put(category.value(), classes.size());
            }
        }
        return new Group(first.task(), first.kind(), ids.stream().mapToInt(Integer::intValue).toArray(), classes);
    }

    private static TaskValue element(ImmutableOutputInfo<MultiTask> domain, int id) {
        return domain.getOutput(id).values().get(0);
    }

    /** The tasks in the order of their first ids. */
    List<Group> groups() {
        return groups;
    }

    /** The text of the domain's element. */
    String name(int id) {
        return names[id];
    }

    @Override
    public int size() {
        return names.length;
    }

    /** For every id its column in a network in which the columns of a task are adjacent. */
    int[] adjacentColumns() {
        int[] columns = new int[names.length];
        int column = 0;
        for (Group group : groups) {
            for (int id : group.ids()) {
                columns[id] = column++;
            }
        }
        return columns;
    }

    /** What a prediction's scores say of each id: what {@link #prediction} was given in the order of the ids. */
    double[] row(Prediction<MultiTask> prediction) {
        double[] row = new double[names.length];
        for (int id = 0; id < row.length; id++) {
            MultiTask scored = prediction.getOutputScores().get(names[id]);
            EmtalException.check(scored != null, "output %s: found no score in the prediction %s, allowed are"
                    + " predictions of this domain", names[id], prediction.getOutput());
            TaskValue value = scored.values().get(0);
            if (value instanceof TaskValue.Real real) {
                row[id] = real.value();
            } else if (value instanceof TaskValue.Binary binary) {
                row[id] = binary.score();
            } else if (value instanceof TaskValue.Category category) {
                row[id] = category.score();
            }
        }
        return row;
    }

    /** {@inheritDoc} The most probable class or answer of each task, or its number. */
    @Override
    public MultiTask read(float[] row, int offset, int[] columnOf, Map<String, MultiTask> scores) {
        for (int id = 0; id < names.length; id++) {
            OutputColumns.finite(names[id], row[offset + columnOf[id]]);
        }
        List<TaskValue> predicted = new ArrayList<>();
        for (Group group : groups) {
            int first = group.ids()[0];
            float value = row[offset + columnOf[first]];
            switch (group.kind()) {
                case REAL -> {
                    TaskValue.Real real = new TaskValue.Real(group.task(), value);
                    scores.put(names[first], MultiTask.of(List.of(real)));
                    predicted.add(real);
                }
                case BINARY -> {
                    TaskValue.Binary yes = new TaskValue.Binary(group.task(), true, value);
                    scores.put(names[first], MultiTask.of(List.of(yes)));
                    predicted.add(value > MultiLabelTasks.THRESHOLD ? yes
                            : new TaskValue.Binary(group.task(), false, 1 - yes.score()));
                }
                case CATEGORICAL -> predicted.add(mostProbable(group, row, offset, columnOf, scores));
            }
        }
        return MultiTask.of(predicted);
    }

    private TaskValue.Category mostProbable(Group group, float[] row, int offset, int[] columnOf,
                                            Map<String, MultiTask> scores) {
        TaskValue.Category best = null;
        for (Map.Entry<String, Integer> entry : group.classes().entrySet()) {
            int id = group.ids()[entry.getValue()];
            TaskValue.Category scored = new TaskValue.Category(group.task(), entry.getKey(),
                    row[offset + columnOf[id]]);
            scores.put(names[id], MultiTask.of(List.of(scored)));
            if (best == null || scored.score() > best.score()) {
                best = scored;
            }
        }
        return best;
    }
}
