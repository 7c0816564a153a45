package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.TaskLayout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The columns of a table as numbers without gaps, written into a graph with the statistics of the training rows: a
 * number standardised, piecewise-linearly over bins (Gorishniy et al. 2022, arXiv 2203.05556), or both, and whether it
 * is missing; a nominal column as an indicator a value, and whether it is missing.
 *
 * @param values all columns [batch, M]
 * @param columns which of the M belong to each column
 */
record FeatureEncoding(Value values, List<int[]> columns) {

    /** The most deviations that a number is from the mean, so that a network stays finite whatever it reads. */
    private static final float FARTHEST = 1e6f;

    /** Which of the M say that a column is missing: the last of each column's. */
    int[] missing() {
        return columns.stream().mapToInt(positions -> positions[positions.length - 1]).toArray();
    }

    /**
     * Writes the encoding.
     *
     * @param graph where
     * @param input raw values [batch, F], not-a-number where one is missing
     * @param layout the columns of a row
     * @param rows the training rows, for statistics
     * @param tasks whose labels decide where bins end; empty for bins of equally many rows
     * @param numbers how numbers enter
     */
    static FeatureEncoding write(GraphBuilder graph, Value input, FeatureLayout layout, Examples rows,
                                 Optional<TaskLayout> tasks, NumberEncoding numbers) {
        for (FeatureColumn column : layout.columns()) {
            EmtalException.check(column.kind() != FeatureColumn.Kind.PIXELS, "backbone for tables: found the image '%s',"
                    + " allowed are numeric and nominal columns", column.name());
        }
        List<Value> parts = new ArrayList<>();
        int[][] positions = new int[layout.columns().size()][];
        int offset = 0;

        int[] numeric = columns(layout, FeatureColumn.Kind.NUMERIC);
        if (numeric.length > 0) {
            NumericStatistics[] statistics = NumericStatistics.of(rows, positionsOf(layout, numeric), tasks,
                    numbers.bins());
            Value encoded = encodeNumbers(graph, pick(graph, input, layout, numeric), statistics, numbers);
            int each = (int) encoded.extent(-1);
            parts.add(graph.reshape(encoded, 0, (long) numeric.length * each));
            for (int i = 0; i < numeric.length; i++) {
                positions[numeric[i]] = range(offset + i * each, each);
            }
            offset += numeric.length * each;
        }
        int[] nominal = columns(layout, FeatureColumn.Kind.NOMINAL);
        if (nominal.length > 0) {
            Value raw = pick(graph, input, layout, nominal);
            Value indicators = graph.where(graph.isNaN(raw), graph.constant(0), raw);
            int width = (int) raw.extent(1);
            float[] membership = new float[width * nominal.length];
            int at = 0;
            for (int i = 0; i < nominal.length; i++) {
                int values = layout.columns().get(nominal[i]).width();
                int[] own = range(offset + at, values + 1);
                own[values] = offset + width + i;
                positions[nominal[i]] = own;
                for (int v = 0; v < values; v++) {
                    membership[at++ * nominal.length + i] = -1;
                }
            }
            Value counts = graph.initializer("input.nominal", Tensor.of(membership, width, nominal.length));
            parts.add(indicators);
            parts.add(graph.add(graph.matMul(indicators, counts), graph.constant(1)));
        }
        return new FeatureEncoding(graph.concat(1, parts), List.of(positions));
    }

    /**
     * Numbers [batch, F] as [batch, F, 1 + bins + 1], or without the first: standardised, piecewise-linear, missing. One that
     * is missing is the mean, but its bins are 0 if training rows miss it, too: then what this means is learnt.
     */
    private static Value encodeNumbers(GraphBuilder graph, Value raw, NumericStatistics[] statistics,
                                       NumberEncoding numbers) {
        int bins = numbers.bins();
        int count = statistics.length;
        float[] mean = new float[count];
        float[] scale = new float[count];
        float[] gaps = new float[count];
        float[] start = new float[count * bins];
        float[] slope = new float[count * bins];
        for (int i = 0; i < count; i++) {
            mean[i] = statistics[i].mean();
            scale[i] = 1 / statistics[i].deviation();
            gaps[i] = statistics[i].gaps() ? 1 : 0;
            float[] edges = statistics[i].edges();
            for (int b = 0; b + 1 < edges.length; b++) {
                start[i * bins + b] = edges[b];
                slope[i * bins + b] = 1 / (edges[b + 1] - edges[b]);
            }
        }
        Value missing = graph.isNaN(raw);
        Value absent = graph.cast(missing, ElementType.FLOAT);
        Value means = graph.initializer("input.mean", Tensor.of(mean, count));
        Value filled = graph.where(missing, means, raw);
        List<Value> parts = new ArrayList<>();
        if (numbers.value()) {
            Value standard = graph.mul(graph.sub(filled, means), graph.initializer("input.scale", Tensor.of(scale, count)));
            parts.add(graph.unsqueeze(graph.apply("Clip", Map.of(), standard, graph.constant(-FARTHEST),
                    graph.constant(FARTHEST)), 2));
        }
        if (bins > 0) {
            Value steps = graph.mul(graph.sub(graph.unsqueeze(filled, 2),
                            graph.initializer("input.bins.start", Tensor.of(start, count, bins))),
                    graph.initializer("input.bins.slope", Tensor.of(slope, count, bins)));
            Value clipped = graph.apply("Clip", Map.of(), steps, graph.constant(0), graph.constant(1));
            Value learnt = graph.mul(absent, graph.initializer("input.gaps", Tensor.of(gaps, count)));
            Value present = graph.unsqueeze(graph.sub(graph.constant(1), learnt), 2);
            parts.add(graph.mul(clipped, present));
        }
        parts.add(graph.unsqueeze(absent, 2));
        return graph.concat(2, parts);
    }

    private static int[] columns(FeatureLayout layout, FeatureColumn.Kind kind) {
        return IntStream.range(0, layout.columns().size())
                .filter(i -> layout.columns().get(i).kind() == kind).toArray();
    }

    private static int[] positionsOf(FeatureLayout layout, int[] columns) {
        return Arrays.stream(columns).mapToObj(c -> layout.columns().get(c))
                .flatMapToInt(c -> Arrays.stream(range(c.first(), c.width()))).toArray();
    }

    private static Value pick(GraphBuilder graph, Value input, FeatureLayout layout, int[] columns) {
        return columns.length == layout.columns().size() ? input
                : graph.gather(input, 1, Arrays.stream(positionsOf(layout, columns)).asLongStream().toArray());
    }

    private static int[] range(int start, int count) {
        return IntStream.range(start, start + count).toArray();
    }
}
