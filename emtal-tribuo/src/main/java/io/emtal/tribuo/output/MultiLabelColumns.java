package io.emtal.tribuo.output;

import io.emtal.onnx.EmtalException;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.classification.Label;
import org.tribuo.multilabel.MultiLabel;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The tasks of a domain of {@link MultiLabel} outputs, and what the columns of a network say of them. */
final class MultiLabelColumns implements OutputColumns<MultiLabel> {

    private final String[] names;
    private final List<Group> groups = new ArrayList<>();

    /**
     * The labels of one task.
     *
     * @param task the task's name
     * @param ids the ids of its columns: one for a binary task, its classes for a categorical one
     */
    record Group(String task, int[] ids) {

        boolean binary() {
            return ids.length == 1;
        }
    }

    /**
     * The tasks.
     *
     * @param domain the labels and their ids
     * @param labelSeparator what ends the prefix that the classes of a categorical task share; empty if all labels are
     *     binary
     * @throws EmtalException if a label has the name of a categorical task
     */
    MultiLabelColumns(ImmutableOutputInfo<MultiLabel> domain, String labelSeparator) {
        names = new String[domain.size()];
        Map<String, List<Integer>> idsByPrefix = new LinkedHashMap<>();
        for (int id = 0; id < names.length; id++) {
            names[id] = domain.getOutput(id).getLabelString();
            int end = labelSeparator.isEmpty() ? -1 : names[id].indexOf(labelSeparator);
            // A prefix of its own for every label without one; no prefix of another label ends with the separator.
            String prefix = end > 0 ? names[id].substring(0, end) : names[id] + labelSeparator;
            idsByPrefix.computeIfAbsent(prefix, p -> new ArrayList<>()).add(id);
        }
        Set<String> labels = Set.of(names);
        idsByPrefix.forEach((prefix, ids) -> {
            EmtalException.check(ids.size() == 1 || !labels.contains(prefix), "label '%s': found the task of the labels"
                    + " '%s%s…' by the same name, allowed is another name or separator", prefix, prefix, labelSeparator);
            groups.add(new Group(ids.size() == 1 ? names[ids.get(0)] : prefix,
                    ids.stream().mapToInt(Integer::intValue).toArray()));
        });
    }

    /** The tasks in the order of their first ids. */
    List<Group> groups() {
        return groups;
    }

    /** The label of an id. */
    String name(int id) {
        return names[id];
    }

    @Override
    public int size() {
        return names.length;
    }

    /** {@inheritDoc} The binary labels above the threshold and the most probable class of each categorical task. */
    @Override
    public MultiLabel read(float[] row, int offset, int[] columnOf, Map<String, MultiLabel> scores) {
        Set<Label> predicted = new LinkedHashSet<>();
        for (Group group : groups) {
            Label best = null;
            for (int id : group.ids()) {
                Label scored = new Label(names[id], OutputColumns.finite(names[id], row[offset + columnOf[id]]));
                scores.put(names[id], new MultiLabel(scored));
                if (best == null || scored.getScore() > best.getScore()) {
                    best = scored;
                }
            }
            if (!group.binary() || best.getScore() > MultiLabelTasks.THRESHOLD) {
                predicted.add(best);
            }
        }
        return new MultiLabel(predicted);
    }
}
