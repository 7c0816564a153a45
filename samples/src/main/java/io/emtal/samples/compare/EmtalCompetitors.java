package io.emtal.samples.compare;

import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.train.Recipe;
import io.emtal.samples.table.Kind;
import io.emtal.samples.table.MultiLabelTargets;
import io.emtal.samples.table.MultiTaskTargets;
import io.emtal.samples.table.RegressorTargets;
import io.emtal.samples.table.Table;
import io.emtal.samples.table.TargetView;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.output.MultiLabelTasks;
import io.emtal.tribuo.output.MultiTaskTasks;
import io.emtal.tribuo.output.OutputTasks;
import io.emtal.tribuo.output.RegressorTasks;
import io.emtal.tribuo.search.SearchTrainer;
import io.emtal.tribuo.table.Column;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.regression.Regressor;

/**
 * EMTAL with its defaults, its controls and its ablations, none of which is tuned to a set, and EMTAL with a search on the
 * training rows of each split.
 */
final class EmtalCompetitors {
    /** EMTAL with a search for its configuration on the training rows. */
    static final String TUNED = "emtal-tuned";

    private static final String CLASS_SEPARATOR = "=";

    private EmtalCompetitors() {
    }

    static List<Competitor<MultiLabel>> multiLabel() {
        // A label that every training row of a fold has, or none, must not end the comparison.
        return all(new MultiLabelTasks("", true), MultiLabelTargets::new, new LabelParts(), true);
    }

    static List<Competitor<Regressor>> regression() {
        return all(new RegressorTasks(), RegressorTargets::new, new NumberParts(), false);
    }

    static List<Competitor<MultiLabel>> categorical() {
        return all(new MultiLabelTasks(CLASS_SEPARATOR, true), MultiLabelTargets::new, new LabelParts(), true);
    }

    static List<Competitor<MultiTask>> mixed() {
        return all(new MultiTaskTasks(true), MultiTaskTargets::new, new ValueParts(), true);
    }

    /** Where no target may be a class, a pre-training retains nothing, and without Quality Retaining it is the same. */
    private static <T extends Output<T>> List<Competitor<T>> all(OutputTasks<T> outputs,
            Function<Table, TargetView<T>> targets, SeparateCompetitor.Parts<T> parts, boolean classes) {
        Pretrainings<T> pretrainings = new Pretrainings<>(seed -> trainer(outputs, seed));
        Recipe forgetting = Recipe.builder().retained(false).build();
        Pretrainings<T> withoutRetaining = classes
                ? new Pretrainings<>(seed -> trainer(outputs, seed).toBuilder().recipe(forgetting).build()) : pretrainings;
        List<Competitor<T>> competitors = new ArrayList<>();
        for (NamedMethod named : NamedMethod.values()) {
            competitors.add(new AdaptingCompetitor<>(named.toString(), named.method(NamedMethod.Settings.DEFAULT),
                    named == NamedMethod.EMTAL_NO_QR ? withoutRetaining : pretrainings, targets));
        }
        competitors.add(new SeparateCompetitor<>("separate", view -> new EmtalCompetitor<>("separate",
                (examples, seed) -> trainer(outputs, seed).toBuilder().method(new FullDense()).build().train(examples),
                view), targets, parts));
        competitors.add(new EmtalCompetitor<>(TUNED, (examples, seed) -> SearchTrainer.<T>builder()
                .trainer(trainer(outputs, seed)).seed(seed).parallelism(0).build().train(examples), targets));
        return competitors;
    }

    private static <T extends Output<T>> EmtalTrainer<T> trainer(OutputTasks<T> outputs, long seed) {
        return EmtalTrainer.<T>builder().outputs(outputs).seed(seed).build();
    }

    /** Labels of a target: the target's own name, or {@code target=value}. */
    private static final class LabelParts implements SeparateCompetitor.Parts<MultiLabel> {
        @Override
        public MultiLabel of(MultiLabel output, Table table, int target) {
            Column column = table.schema().targets().get(target);
            Set<Label> own = new HashSet<>();
            for (Label label : output.getLabelSet()) {
                if (table.schema().kind() == Kind.MULTILABEL ? label.getLabel().equals(column.name())
                        : label.getLabel().startsWith(column.name() + CLASS_SEPARATOR)) {
                    own.add(label);
                }
            }
            return new MultiLabel(own);
        }

        @Override
        public boolean learnable(List<MultiLabel> outputs) {
            return outputs.stream().anyMatch(output -> !output.getLabelSet().isEmpty());
        }

        @Override
        public Prediction<MultiLabel> join(List<Prediction<MultiLabel>> predictions) {
            Set<Label> labels = new HashSet<>();
            Map<String, MultiLabel> scores = new HashMap<>();
            for (Prediction<MultiLabel> prediction : predictions) {
                labels.addAll(prediction.getOutput().getLabelSet());
                scores.putAll(prediction.getOutputScores());
            }
            Prediction<MultiLabel> first = predictions.get(0);
            return new Prediction<>(new MultiLabel(labels), scores, first.getNumActiveFeatures(), first.getExample(), true);
        }
    }

    /** The value of a target. */
    private static final class ValueParts implements SeparateCompetitor.Parts<MultiTask> {
        @Override
        public MultiTask of(MultiTask output, Table table, int target) {
            return MultiTask.of(output.value(table.schema().targets().get(target).name()).stream().toList());
        }

        @Override
        public boolean learnable(List<MultiTask> outputs) {
            return outputs.stream().anyMatch(output -> !output.isEmpty());
        }

        @Override
        public Prediction<MultiTask> join(List<Prediction<MultiTask>> predictions) {
            List<TaskValue> values = new ArrayList<>();
            Map<String, MultiTask> scores = new LinkedHashMap<>();
            for (Prediction<MultiTask> prediction : predictions) {
                values.addAll(prediction.getOutput().values());
                scores.putAll(prediction.getOutputScores());
            }
            Prediction<MultiTask> first = predictions.get(0);
            return new Prediction<>(MultiTask.of(values), scores, first.getNumActiveFeatures(), first.getExample(), true);
        }
    }

    /** The number of a target. */
    private static final class NumberParts implements SeparateCompetitor.Parts<Regressor> {
        @Override
        public Regressor of(Regressor output, Table table, int target) {
            String name = table.schema().targets().get(target).name();
            return new Regressor(name, RegressorTargets.value(output, name));
        }

        @Override
        public boolean learnable(List<Regressor> outputs) {
            return true;
        }

        @Override
        public Prediction<Regressor> join(List<Prediction<Regressor>> predictions) {
            String[] names = predictions.stream().map(p -> p.getOutput().getNames()[0]).toArray(String[]::new);
            double[] values = predictions.stream().mapToDouble(p -> p.getOutput().getValues()[0]).toArray();
            Prediction<Regressor> first = predictions.get(0);
            return new Prediction<>(new Regressor(names, values), first.getNumActiveFeatures(), first.getExample());
        }
    }
}
