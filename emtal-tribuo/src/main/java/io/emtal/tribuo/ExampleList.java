package io.emtal.tribuo;

import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Output;

import java.util.AbstractList;
import java.util.RandomAccess;

/**
 * The examples of a data set by index, each asked for when it is needed: a data set may make them on demand, and its
 * iterator may be shuffled in a way that its provenance does not tell.
 */
final class ExampleList<T extends Output<T>> extends AbstractList<Example<T>> implements RandomAccess {

    private final Dataset<T> dataset;

    ExampleList(Dataset<T> dataset) {
        this.dataset = dataset;
    }

    @Override
    public Example<T> get(int index) {
        return dataset.getExample(index);
    }

    @Override
    public int size() {
        return dataset.size();
    }
}
