package io.emtal.tribuo.multitask;

import com.oracle.labs.mlrg.olcut.util.Pair;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Excuse;
import org.tribuo.Feature;
import org.tribuo.Model;
import org.tribuo.Prediction;
import org.tribuo.provenance.ModelProvenance;
import org.tribuo.provenance.impl.EmptyTrainerProvenance;

import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** A model that a test dictates: it gives for an example the columns that a function says. */
public final class FixedModel extends Model<MultiTask> {

    private static final long serialVersionUID = 1L;

    private final transient Function<Example<MultiTask>, List<TaskValue>> columns;

    /**
     * A model.
     *
     * @param training gives the domains
     * @param columns all columns with their scores; of each task the highest is predicted
     */
    public FixedModel(Dataset<MultiTask> training, Function<Example<MultiTask>, List<TaskValue>> columns) {
        super("fixed", new ModelProvenance(FixedModel.class.getName(), OffsetDateTime.now(), training.getProvenance(),
                new EmptyTrainerProvenance()), training.getFeatureIDMap(),
                training.getOutputIDInfo(), true);
        this.columns = columns;
    }

    @Override
    public Prediction<MultiTask> predict(Example<MultiTask> example) {
        Map<String, MultiTask> scores = new HashMap<>();
        Map<String, TaskValue> best = new HashMap<>();
        for (TaskValue column : columns.apply(example)) {
            MultiTask output = MultiTask.of(List.of(column));
            scores.put(output.getSerializableForm(false), output);
            best.merge(column.task(), column, (a, b) -> score(b) > score(a) ? b : a);
        }
        return new Prediction<>(MultiTask.of(best.values()), scores, 1, example, true);
    }

    private static double score(TaskValue value) {
        return ((TaskValue.Category) value).score();
    }

    @Override
    public Map<String, List<Pair<String, Double>>> getTopFeatures(int n) {
        return Map.of();
    }

    @Override
    public Optional<Excuse<MultiTask>> getExcuse(Example<MultiTask> example) {
        return Optional.empty();
    }

    @Override
    protected FixedModel copy(String newName, ModelProvenance newProvenance) {
        throw new UnsupportedOperationException("a fixed model is not copied");
    }

    /** The number that stands in the only feature. */
    public static int row(Example<MultiTask> example) {
        for (Feature feature : example) {
            return (int) feature.getValue();
        }
        throw new IllegalStateException("an example without features");
    }
}
