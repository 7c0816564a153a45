package io.emtal.onnx.backbone;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.util.Arrays;

/**
 * Rows and their labels, counted in cells. What a cut between cells explains is the sum over the tasks of the part of
 * the labels' variance by which it lowers what is left; a class counts as an indicator.
 */
final class LabelCounts {

    private final TaskLayout tasks;
    /** How many rows are below each cell. */
    private final int[] rows;
    /** By task, how many labels are below each cell. */
    private final double[][] labels;
    /** By column of the tasks, the sum of the labels below each cell. */
    private final double[][] sums;
    /** What one unit of a task's squared label is of all its variance. */
    private final double[] units;

    private LabelCounts(int cells, TaskLayout tasks) {
        this.tasks = tasks;
        rows = new int[cells + 1];
        labels = new double[tasks.size()][cells + 1];
        sums = new double[tasks.columns()][cells + 1];
        units = new double[tasks.size()];
    }

    /**
     * Counts.
     *
     * @param cell each row's cell; below 0 for a row that does not count
     * @param cells the number of cells
     * @param examples the rows
     * @param tasks whose labels they have
     */
    static LabelCounts of(int[] cell, int cells, Examples examples, TaskLayout tasks) {
        LabelCounts counts = new LabelCounts(cells, tasks);
        double[] squares = new double[tasks.size()];
        for (int row = 0; row < cell.length; row++) {
            if (cell[row] >= 0) {
                counts.add(cell[row] + 1, examples, row, squares);
            }
        }
        Arrays.parallelPrefix(counts.rows, Integer::sum);
        Arrays.stream(counts.labels).forEach(each -> Arrays.parallelPrefix(each, Double::sum));
        Arrays.stream(counts.sums).forEach(each -> Arrays.parallelPrefix(each, Double::sum));
        for (int t = 0; t < squares.length; t++) {
            double variance = squares[t] - counts.explained(t, 0, cells);
            counts.units[t] = variance > 1e-9 * squares[t] ? 1 / variance : 0;
        }
        return counts;
    }

    private void add(int position, Examples examples, int row, double[] squares) {
        rows[position]++;
        for (int t = 0; t < tasks.size(); t++) {
            float label = examples.label(row, t);
            if (Task.isLabelled(label) && tasks.task(t).weight() > 0) {
                boolean indicator = tasks.task(t) instanceof CategoricalTask;
                double value = indicator ? 1 : label;
                labels[t][position]++;
                sums[tasks.offset(t) + (indicator ? (int) label : 0)][position] += value;
                squares[t] += value * value;
            }
        }
    }

    /** The number of rows in the cells from one, inclusive, to another, exclusive. */
    int rows(int from, int to) {
        return rows[to] - rows[from];
    }

    /** What a cut of some cells explains. */
    double gain(int from, int cut, int to) {
        double gain = 0;
        for (int t = 0; t < units.length; t++) {
            if (units[t] > 0) {
                gain += units[t] * (explained(t, from, cut) + explained(t, cut, to) - explained(t, from, to));
            }
        }
        return gain;
    }

    /** The squared sum of the labels over their number, summed over a task's columns. */
    private double explained(int t, int from, int to) {
        double count = labels[t][to] - labels[t][from];
        double squares = 0;
        for (int c = tasks.offset(t); c < tasks.offset(t) + tasks.width(t); c++) {
            double sum = sums[c][to] - sums[c][from];
            squares += sum * sum;
        }
        return count == 0 ? 0 : squares / count;
    }
}
