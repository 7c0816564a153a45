package io.emtal.onnx.task;

/**
 * Yes or no: a sigmoid on one column.
 *
 * @param name the name, see {@link Task}
 * @param weight the factor of this task's loss
 */
public record BinaryTask(String name, double weight) implements Task {

    /** Checks name and weight. */
    public BinaryTask {
        Task.check(name, weight);
    }

    /**
     * A task of weight 1.
     *
     * @param name the name
     */
    public BinaryTask(String name) {
        this(name, 1);
    }

    @Override
    public int width() {
        return 1;
    }

    @Override
    public boolean accepts(float label) {
        return Float.isNaN(label) || label == 0 || label == 1;
    }

    @Override
    public String allowedLabels() {
        return "0 or 1, or NaN for a missing label";
    }
}
