package io.emtal.samples.compare;

import io.emtal.samples.table.NaturalFeatures;
import io.emtal.samples.table.Table;
import io.emtal.samples.table.TargetView;
import io.emtal.tribuo.EmtalModel;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.tribuo.Dataset;
import org.tribuo.Output;
import org.tribuo.Prediction;

/**
 * A model of EMTAL, or of one of its controls, trained on features and targets as they are in the file.
 *
 * @param <T> the type of the outputs
 * @param model the model
 * @param table the table
 * @param targets how its targets were put to the trainer
 * @param sharedSeconds how long the part of the training took that an earlier fit did
 */
record EmtalFitted<T extends Output<T>>(EmtalModel<T> model, Table table, TargetView<T> targets, double sharedSeconds)
        implements Fitted<T> {
    @Override
    public Supplier<List<Prediction<T>>> predictor(int[] tested) {
        Dataset<T> examples = table.dataset(new NaturalFeatures(table), targets, tested);
        return () -> model.predict(examples);
    }

    @Override
    public OptionalLong trainableParameters() {
        return OptionalLong.of(model.training().parameters().trainableTotal());
    }

    @Override
    public void close() {
        model.close();
    }
}
