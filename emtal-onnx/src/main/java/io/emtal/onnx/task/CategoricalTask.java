package io.emtal.onnx.task;

import io.emtal.onnx.EmtalException;

/**
 * One class out of several: a softmax over {@code classes} columns.
 *
 * @param name the name, see {@link Task}
 * @param classes the number of classes, at least 2; labels are 0 to {@code classes - 1}
 * @param weight the factor of this task's loss
 */
public record CategoricalTask(String name, int classes, double weight) implements Task {

    /** Checks name, weight and number of classes. */
    public CategoricalTask {
        Task.check(name, weight);
        EmtalException.check(classes >= 2, "task '%s': found %d classes, at least 2 are needed", name, classes);
    }

    /**
     * A task of weight 1.
     *
     * @param name the name
     * @param classes the number of classes
     */
    public CategoricalTask(String name, int classes) {
        this(name, classes, 1);
    }

    @Override
    public int width() {
        return classes;
    }

    @Override
    public boolean accepts(float label) {
        return Float.isNaN(label) || label >= 0 && label < classes && label == (int) label;
    }

    @Override
    public String allowedLabels() {
        return "a class from 0 to " + (classes - 1) + ", or NaN for a missing label";
    }
}
