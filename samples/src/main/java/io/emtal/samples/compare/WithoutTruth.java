package io.emtal.samples.compare;

import io.emtal.samples.table.TargetView;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;

/**
 * Rows to be predicted, whose targets may be missing: every output is the unknown one.
 *
 * @param <T> the outputs' type
 * @param view how the targets were seen in training
 */
record WithoutTruth<T extends Output<T>>(TargetView<T> view) implements TargetView<T> {
    @Override
    public OutputFactory<T> factory() {
        return view.factory();
    }

    @Override
    public T output(int row) {
        return view.factory().getUnknownOutput();
    }

    @Override
    public Prediction<T> restore(Prediction<T> predicted) {
        return view.restore(predicted);
    }
}
