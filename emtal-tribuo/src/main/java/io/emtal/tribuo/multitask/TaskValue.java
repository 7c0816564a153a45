package io.emtal.tribuo.multitask;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.evaluation.ClassificationMetrics;

import java.io.Serializable;
import java.util.stream.Collectors;

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
            checkTask(task);
            if (!isText(value)) {
                throw new EmtalException("task " + Quoted.of(task) + ": found the class " + quoted(value)
                        + ", allowed is Unicode text");
            }
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
            checkTask(task);
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
     * @param value the number, in the task's own unit; finite, and 0 for -0
     */
    record Real(String task, double value) implements TaskValue {

        /** Checks the name and the number. */
        public Real {
            checkTask(task);
            if (!Double.isFinite(value)) {
                throw new EmtalException("task " + Quoted.of(task) + ": found the value " + value + ", allowed is a"
                        + " finite number; an output that lacks the task has no value for it");
            }
            value = value == 0 ? 0 : value;
        }

        @Override
        public TaskKind kind() {
            return TaskKind.REAL;
        }
    }

    private static void checkTask(String task) {
        if (!isText(task)) {
            throw new EmtalException("task: found the name " + quoted(task) + ", allowed is Unicode text");
        }
    }

    private static void checkScore(String task, double score) {
        if (score < 0 || score > ClassificationMetrics.MOST_PROBABILITY) {
            throw new EmtalException("task " + Quoted.of(task) + ": found score " + score
                    + ", allowed is a probability, or NaN for none");
        }
    }

    /** Whether a text is one that every format can hold: without halves of surrogate pairs. */
    private static boolean isText(String text) {
        return text != null && (text.chars().noneMatch(c -> Character.isSurrogate((char) c))
                || text.codePoints().noneMatch(c -> Character.getType(c) == Character.SURROGATE));
    }

    private static String quoted(String text) {
        return text == null ? "null" : Quoted.of(text.codePoints().mapToObj(c -> Character.getType(c)
                == Character.SURROGATE ? String.format("\\u%04x", c) : Character.toString(c))
                .collect(Collectors.joining()));
    }
}
