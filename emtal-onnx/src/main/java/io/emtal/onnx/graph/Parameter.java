package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;

import java.util.Optional;

/**
 * A trainable tensor. A parameter that has the name of a backbone's initialiser takes that initialiser's place.
 *
 * @param name its name, unique in a training; checkpoints and reports use it
 * @param part what it belongs to, for the report: {@code backbone}, {@code lora}, {@code router}, {@code head}, …
 * @param initial its value before the first step, of 32-bit floats
 * @param task the task that owns it, empty if all tasks share it
 * @param decay whether weight decay applies
 * @param learningRateFactor multiplies the schedule's learning rate; 0 freezes
 */
public record Parameter(String name, String part, Tensor initial, Optional<String> task, boolean decay,
                        double learningRateFactor) {

    /** Checks the type and the factor. */
    public Parameter {
        EmtalException.check(initial.type() == ElementType.FLOAT, "parameter '%s': found %s, allowed is FLOAT", name,
                initial.type());
        EmtalException.check(learningRateFactor >= 0, "parameter '%s': found learning-rate factor %s, allowed is 0 or more",
                name, learningRateFactor);
    }

    /**
     * A parameter that all tasks share, at the schedule's learning rate.
     *
     * @param name its name
     * @param part what it belongs to
     * @param initial its first value
     * @param decay whether weight decay applies
     * @return the parameter
     */
    public static Parameter shared(String name, String part, Tensor initial, boolean decay) {
        return new Parameter(name, part, initial, Optional.empty(), decay, 1);
    }

    /**
     * A parameter that belongs to one task, at the schedule's learning rate.
     *
     * @param name its name
     * @param part what it belongs to
     * @param initial its first value
     * @param task the task's name
     * @param decay whether weight decay applies
     * @return the parameter
     */
    public static Parameter owned(String name, String part, Tensor initial, String task, boolean decay) {
        return new Parameter(name, part, initial, Optional.of(task), decay, 1);
    }

    /**
     * This parameter with another first value.
     *
     * @param value the value, of the same shape
     * @return the new parameter
     */
    public Parameter startingAt(Tensor value) {
        EmtalException.check(value.shape().equals(initial.shape()), "parameter '%s': found shape %s, allowed is %s", name,
                value.shape(), initial.shape());
        return new Parameter(name, part, value, task, decay, learningRateFactor);
    }

    /**
     * The number of elements.
     *
     * @return the count
     */
    public int size() {
        return initial.shape().size();
    }
}
