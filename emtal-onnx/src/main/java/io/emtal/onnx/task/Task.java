package io.emtal.onnx.task;

import io.emtal.onnx.EmtalException;

/**
 * One thing to predict. A task owns {@link #width()} adjacent columns of the logits of all tasks, {@code [B, C]};
 * {@link TaskLayout} says which.
 *
 * <p>The label of one example for one task is a {@code float}: the class index of a {@link CategoricalTask}, 0 or 1
 * of a {@link BinaryTask}, the standardised target of a {@link RealTask}. {@link Float#NaN} means that the example
 * has no label for the task.
 *
 * <p>A name may hold any characters but line breaks and other control characters: names like {@code a/b}, {@code a,b}
 * and {@code a=b} are common among labels, so they are taken as they are, and each format that needs it (CSV, HTML)
 * escapes them when it writes them.
 */
public sealed interface Task permits CategoricalTask, BinaryTask, RealTask {

    /** The name, unique among the tasks of a {@link TaskLayout}. */
    String name();

    /** The number of logit columns: one per class of a categorical task, otherwise one. */
    int width();

    /**
     * The factor of this task's mean loss in the total loss; 0 trains without it. How long is trained depends on the losses
     * as they are.
     */
    double weight();

    /**
     * Whether a value is a label that this task can have, a missing one included.
     *
     * @param label a label
     * @return true if it is one
     */
    boolean accepts(float label);

    /** What {@link #accepts} allows, for messages. */
    String allowedLabels();

    /**
     * Whether an example has a label.
     *
     * @param label its label for a task
     * @return false if the label is missing
     */
    static boolean isLabelled(float label) {
        return !Float.isNaN(label);
    }

    /**
     * Checks a task's name and weight.
     *
     * @param name the name
     * @param weight the weight
     * @throws EmtalException for a blank name, one with a control character, line break or half of a surrogate pair,
     *     and for a weight that is negative or not finite
     */
    static void check(String name, double weight) {
        EmtalException.check(name != null && !name.isBlank(), "task name: found a blank one, a name is needed");
        name.codePoints().forEach(c -> {
            int type = Character.getType(c);
            EmtalException.check(type != Character.CONTROL && type != Character.LINE_SEPARATOR
                    && type != Character.PARAGRAPH_SEPARATOR && type != Character.SURROGATE,
                    "task '%s': found the character U+%04X in its name; control characters, line breaks and unpaired"
                            + " surrogates are not allowed", name.replaceAll("\\p{Cntrl}|\\R", "?"), c);
        });
        EmtalException.check(Double.isFinite(weight) && weight >= 0,
                "task '%s': found weight %s, allowed is a finite number of at least 0", name, weight);
    }
}
