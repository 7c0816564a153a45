package io.emtal.onnx.task;

import io.emtal.onnx.EmtalException;

/**
 * The labels of the rows of one batch, [B, T], and how many rows of it have a label for each task. Rows of padding
 * are no part of it.
 */
public final class BatchLabels {

    private final TaskLayout layout;
    private final float[] labels;
    private final int rows;
    private final int[] counts;

    /**
     * Checks and counts labels.
     *
     * @param layout the tasks
     * @param labels one label per row and task, row after row; NaN where one is missing; not copied
     * @throws EmtalException if a label is none of its task's
     */
    public BatchLabels(TaskLayout layout, float[] labels) {
        this.layout = layout;
        this.labels = labels;
        int tasks = layout.size();
        EmtalException.check(labels.length % tasks == 0,
                "batch: found %d labels, allowed is a multiple of the %d tasks", labels.length, tasks);
        rows = labels.length / tasks;
        counts = new int[tasks];
        for (int row = 0; row < rows; row++) {
            for (int t = 0; t < tasks; t++) {
                float label = labels[row * tasks + t];
                if (!layout.task(t).accepts(label)) {
                    layout.checkLabels("row " + row + " of the batch", labels, row * tasks);
                }
                if (Task.isLabelled(label)) {
                    counts[t]++;
                }
            }
        }
    }

    /** The tasks. */
    public TaskLayout layout() {
        return layout;
    }

    /** The number of rows, B. */
    public int rows() {
        return rows;
    }

    /**
     * One label.
     *
     * @param row the row
     * @param t the task's index
     * @return the label; NaN if it is missing
     */
    public float label(int row, int t) {
        return labels[row * counts.length + t];
    }

    /**
     * The number of rows with a label for a task.
     *
     * @param t the task's index
     * @return from 0 to B
     */
    public int count(int t) {
        return counts[t];
    }
}
