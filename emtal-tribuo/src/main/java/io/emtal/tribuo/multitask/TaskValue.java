package io.emtal.tribuo.multitask;

import io.emtal.onnx.EmtalException;

import java.io.Serializable;

/**
 * The value of one task. Names of tasks and classes are any Unicode text, the empty one included.
 *
 * <p>A ground truth has no score: it is not-a-number. In a prediction the score is the probability of the value that
 * stands beside it.
 */
public sealed interface TaskValue extends Serializable permits TaskValue.Category, TaskValue.Binary, TaskValue.Real {

    /**
     * The task.
     *
     * @return its name
     */
    String task();

    /**
     * What the task's values are.
     *
     * @return the kind
     */
    TaskKind kind();

    /**
     * The class of a categorical task.
     *
     * @param task the task's name
     * @param value the class
     * @param score the probability of the class, or not-a-number
     */
    record Category(String task, String value, double score) implements TaskValue {

        /** Checks the names and the score. */
        public Category {
            checkText("task name", task);
            checkText("task '" + task + "', class", value);
            checkScore(task, score);
        }

        @Override
        public TaskKind kind() {
            return TaskKind.CATEGORICAL;
        }
    }

    /**
     * The answer of a binary task.
     *
     * @param task the task's name
     * @param value the answer
     * @param score the probability of the answer, be it true or false, or not-a-number
     */
    record Binary(String task, boolean value, double score) implements TaskValue {

        /** Checks the name and the score. */
        public Binary {
            checkText("task name", task);
            checkScore(task, score);
        }

        @Override
        public TaskKind kind() {
            return TaskKind.BINARY;
        }
    }

    /**
     * The number of a real task.
     *
     * @param task the task's name
     * @param value the number, in the task's own unit; finite
     */
    record Real(String task, double value) implements TaskValue {

        /** Checks the name and the number. */
        public Real {
            checkText("task name", task);
            EmtalException.check(Double.isFinite(value), "task '%s': found the value %s, allowed is a finite number; an"
                    + " output that lacks the task has no value for it", task, value);
        }

        @Override
        public TaskKind kind() {
            return TaskKind.REAL;
        }
    }

    private static void checkText(String what, String text) {
        EmtalException.check(text != null, "%s: found none, any text is allowed", what);
        text.codePoints().forEach(c -> EmtalException.check(Character.getType(c) != Character.SURROGATE,
                "%s: found half of a surrogate pair, U+%04X, allowed is Unicode text", what, c));
    }

    private static void checkScore(String task, double score) {
        EmtalException.check(Double.isNaN(score) || score >= 0 && score < Double.POSITIVE_INFINITY,
                "task '%s': found score %s, allowed is a probability, or NaN for none", task, score);
    }
}
