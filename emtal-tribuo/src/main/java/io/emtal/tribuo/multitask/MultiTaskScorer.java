package io.emtal.tribuo.multitask;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.evaluation.ClassificationMetrics;
import io.emtal.tribuo.evaluation.RealMetrics;
import org.tribuo.Model;
import org.tribuo.Prediction;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Collects predictions, of one model or of several such as those of folds or of single tasks, and scores them together:
 * every labelled row counts alike, whichever model predicted it. Not thread-safe.
 */
public final class MultiTaskScorer {

    private final LabelSpace labelSpace;
    private final SortedMap<String, ClassRows> classes = new TreeMap<>();
    private final SortedMap<String, NumberRows> numbers = new TreeMap<>();
    private final SortedMap<String, TaskKind> kinds = new TreeMap<>();
    private final BinaryCells binaryCells = new BinaryCells();
    private int rows;

    /** A scorer in each task's own label space. */
    public MultiTaskScorer() {
        this(LabelSpace.TASK);
    }

    /**
     * A scorer.
     *
     * @param labelSpace among which classes the accuracy of categorical tasks looks
     */
    public MultiTaskScorer(LabelSpace labelSpace) {
        this.labelSpace = Objects.requireNonNull(labelSpace, "labelSpace");
    }

    /**
     * Adds predictions. A class that the model does not know is a row like others, on which it is wrong.
     *
     * @param model the model, for its tasks and for the means of the numbers that it was trained on
     * @param predictions what it predicted; the truths are those of their examples
     * @return this scorer
     * @throws EmtalException if an example has an unknown output, or the label of a task that the model does not have
     */
    public MultiTaskScorer add(Model<MultiTask> model, List<Prediction<MultiTask>> predictions) {
        MultiTaskInfo domain = domain(model);
        Map<String, TaskKind> known = domain.kinds();
        known.forEach((task, kind) -> {
            know(task, kind);
            if (kind != TaskKind.REAL) {
                classes.get(task).know(domain.classes(task).keySet());
            }
        });
        for (Prediction<MultiTask> prediction : predictions) {
            add(domain, known, prediction);
        }
        return this;
    }

    /**
     * Adds what another scorer has collected, such as one of another thread.
     *
     * @param other a scorer in the same label space, which stays as it is
     * @return this scorer
     * @throws EmtalException if its label space is another one, or a task's kind is
     */
    public MultiTaskScorer add(MultiTaskScorer other) {
        EmtalException.check(labelSpace == other.labelSpace, "scorer: found the label space %s, allowed is %s",
                other.labelSpace, labelSpace);
        other.kinds.forEach(this::know);
        other.classes.forEach((task, collected) -> classes.get(task).add(collected));
        other.numbers.forEach((task, collected) -> numbers.get(task).add(collected));
        binaryCells.add(other.binaryCells);
        rows += other.rows;
        return this;
    }

    private void know(String task, TaskKind kind) {
        TaskKind other = kinds.put(task, kind);
        EmtalException.check(other == null || other == kind, "task %s: found a %s one of one model and a %s one"
                + " of another, allowed is one kind", Quoted.of(task), other, kind);
        if (kind == TaskKind.REAL) {
            numbers.computeIfAbsent(task, name -> new NumberRows());
        } else {
            classes.computeIfAbsent(task, name -> new ClassRows());
        }
    }

    /** The domain of a model, which knows its tasks. */
    static MultiTaskInfo domain(Model<MultiTask> model) {
        if (model.getOutputIDInfo() instanceof MultiTaskInfo domain) {
            return domain;
        }
        throw new EmtalException("model: found the domain " + model.getOutputIDInfo().getClass().getName()
                + ", allowed is " + MultiTaskInfo.class.getName());
    }

    private void add(MultiTaskInfo domain, Map<String, TaskKind> known, Prediction<MultiTask> prediction) {
        MultiTask truth = prediction.getExample().getOutput();
        EmtalException.check(truth != MultiTaskFactory.UNKNOWN_MULTITASK, "row %d: found the unknown output as truth,"
                + " allowed are known ones", rows);
        Map<String, Map<String, Double>> distributions = MultiTask.distributions(prediction);
        Optional<TaskValue.Category> joint = labelSpace == LabelSpace.JOINT ? highest(prediction) : Optional.empty();
        Map<String, BinaryCells.Cell> cells = new HashMap<>();
        for (TaskValue value : truth.values()) {
            String task = value.task();
            if (known.get(task) != value.kind()) {
                throw new EmtalException("row " + rows + ": found the label " + MultiTaskText.of(List.of(value))
                        + ", allowed are those of the model's tasks " + known);
            }
            TaskValue predicted = predicted(prediction, value);
            if (value instanceof TaskValue.Real real) {
                double mean = domain.statistics(task).map(RealStatistics::mean).orElse(Double.NaN);
                numbers.get(task).add(real.value(), ((TaskValue.Real) predicted).value(), mean);
                continue;
            }
            Map<String, Double> scores = distributions.get(task);
            EmtalException.check(scores != null, "row %d, task %s: found no scores of its classes in the prediction",
                    rows, Quoted.of(task));
            if (value instanceof TaskValue.Category category) {
                String said = ((TaskValue.Category) predicted).value();
                boolean right = labelSpace == LabelSpace.TASK ? said.equals(category.value())
                        : joint.filter(c -> c.task().equals(task) && c.value().equals(category.value())).isPresent();
                classes.get(task).add(new ClassRows.Row(category.value(), said, right, scores,
                        prediction.hasProbabilities()));
            } else if (value instanceof TaskValue.Binary binary) {
                boolean said = ((TaskValue.Binary) predicted).value();
                classes.get(task).add(new ClassRows.Row(String.valueOf(binary.value()), String.valueOf(said),
                        said == binary.value(), scores, prediction.hasProbabilities()));
                cells.put(task, new BinaryCells.Cell(binary.value(), said, scores.get("true")));
            }
        }
        binaryCells.add(cells);
        rows++;
    }

    private TaskValue predicted(Prediction<MultiTask> prediction, TaskValue truth) {
        return prediction.getOutput().value(truth.task()).filter(value -> value.kind() == truth.kind())
                .orElseThrow(() -> new EmtalException("row " + rows + ", task " + Quoted.of(truth.task())
                        + ": found no predicted value in " + prediction.getOutput()
                        + ", a model needs one for each of its tasks"));
    }

    /** The class of the highest score among those of all categorical tasks. */
    private static Optional<TaskValue.Category> highest(Prediction<MultiTask> prediction) {
        return prediction.getOutputScores().values().stream().flatMap(column -> column.values().stream())
                .filter(TaskValue.Category.class::isInstance).map(TaskValue.Category.class::cast)
                .max(Comparator.comparingDouble(TaskValue.Category::score));
    }

    /**
     * Scores what was added so far.
     *
     * @return the scores
     */
    public MultiTaskScores scores() {
        List<String> binaryTasks = kinds.keySet().stream().filter(task -> kinds.get(task) == TaskKind.BINARY).toList();
        SortedMap<String, ClassificationMetrics> scoredClasses = new TreeMap<>();
        classes.forEach((task, collected) -> scoredClasses.put(task, collected.metrics()));
        SortedMap<String, RealMetrics> scoredNumbers = new TreeMap<>();
        numbers.forEach((task, collected) -> scoredNumbers.put(task, collected.metrics()));
        return new MultiTaskScores(labelSpace, rows, kinds, scoredClasses, scoredNumbers,
                binaryCells.metrics(binaryTasks));
    }
}
