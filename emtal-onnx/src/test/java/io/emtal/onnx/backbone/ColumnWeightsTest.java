package io.emtal.onnx.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

class ColumnWeightsTest {

    /** The powers of relevance and of redundancy, as the candidates come. */
    private static final double[][] POWERS = {{0, 0.5}, {0.5, 0}, {0.5, 0.5}, {1, 0}, {1, 0.5}};

    /** Columns of one to four numbers, of which some repeat others, and a task of numbers beside one of three classes. */
    private record Case(EncodedRows encoded, List<RidgeTrial.Group> groups) {

        static Case of(long seed) {
            Random random = new Random(seed);
            int rows = 10 + random.nextInt(40);
            int[] widths = random.ints(2 + random.nextInt(6), 1, 5).toArray();
            int width = Arrays.stream(widths).sum();
            double[][] numbers = new double[rows][width];
            for (double[] row : numbers) {
                for (int j = 0; j < width; j++) {
                    row[j] = j == 0 ? 7 : j % 3 == 0 ? row[j - 1] + 0.1 * random.nextGaussian() : 5 + random.nextGaussian();
                }
            }
            int first = 0;
            int[][] columns = new int[widths.length][];
            for (int c = 0; c < columns.length; c++) {
                columns[c] = IntStream.range(first, first + widths[c]).toArray();
                first += widths[c];
            }
            int[] labelled = IntStream.range(0, rows).filter(row -> row % 4 > 0).toArray();
            double[][] classes = new double[3][labelled.length];
            for (int i = 0; i < labelled.length; i++) {
                classes[random.nextInt(3)][i] = 1;
            }
            int[] all = IntStream.range(0, rows).toArray();
            int last = width - 1;
            return new Case(new EncodedRows(byColumns(numbers), List.of(columns)), List.of(
                    new RidgeTrial.Group(all, Map.of("number", new double[][] {Arrays.stream(numbers)
                            .mapToDouble(row -> row[last] + random.nextGaussian()).toArray()})),
                    new RidgeTrial.Group(labelled, new LinkedHashMap<>(Map.of("classes", classes)))));
        }

        double squaredCorrelation(int j, int k) {
            return ColumnWeightsTest.squaredCorrelation(encoded.numbers()[j], encoded.numbers()[k]);
        }
    }

    private static double[][] byColumns(double[][] rows) {
        return IntStream.range(0, rows[0].length)
                .mapToObj(j -> Arrays.stream(rows).mapToDouble(row -> row[j]).toArray()).toArray(double[][]::new);
    }

    private static double squaredCorrelation(double[] x, double[] y) {
        double n = x.length;
        double xs = Arrays.stream(x).sum() / n;
        double ys = Arrays.stream(y).sum() / n;
        double xx = 0;
        double yy = 0;
        double xy = 0;
        for (int i = 0; i < n; i++) {
            xx += (x[i] - xs) * (x[i] - xs);
            yy += (y[i] - ys) * (y[i] - ys);
            xy += (x[i] - xs) * (y[i] - ys);
        }
        return xx < 1e-9 || yy < 1e-9 ? 0 : xy * xy / xx / yy;
    }

    @Test
    void weightsAreThoseOfTheCorrelations() {
        for (long seed = 0; seed < 50; seed++) {
            Case table = Case.of(seed);
            int width = table.encoded.numbers().length;
            int columns = table.encoded.columns().size();
            double[] relevance = new double[columns];
            double[] redundancy = new double[columns];
            double labels = table.groups.stream().mapToDouble(group -> group.labelled().length).sum();
            for (int c = 0; c < columns; c++) {
                relevance[c] = 1.0 / table.encoded.numbers()[0].length;
                int[] positions = table.encoded.columns().get(c);
                for (RidgeTrial.Group group : table.groups) {
                    double[][] targets = group.targets().values().iterator().next();
                    for (double[] target : targets) {
                        relevance[c] += Arrays.stream(positions).mapToDouble(p -> squaredCorrelation(
                                Arrays.stream(group.labelled()).mapToDouble(row -> table.encoded.numbers()[p][row]).toArray(),
                                target)).max().orElseThrow() / targets.length * group.labelled().length / labels;
                    }
                }
                redundancy[c] = Arrays.stream(positions).mapToDouble(p -> IntStream.range(0, width)
                        .mapToDouble(k -> table.squaredCorrelation(p, k)).sum()).filter(sum -> sum > 0).average().orElse(1);
            }
            List<float[]> candidates = ColumnWeights.candidates(table.encoded, table.groups);
            assertEquals(POWERS.length, candidates.size());
            for (int i = 0; i < POWERS.length; i++) {
                double[] powers = POWERS[i];
                double[] weights = new double[width];
                for (int c = 0; c < columns; c++) {
                    for (int position : table.encoded.columns().get(c)) {
                        weights[position] = Math.pow(relevance[c], powers[0]) / Math.pow(redundancy[c], powers[1]);
                    }
                }
                double unit = Math.sqrt(Arrays.stream(weights).map(w -> w * w).average().orElseThrow());
                float[] expected = new float[width];
                for (int j = 0; j < width; j++) {
                    expected[j] = (float) (weights[j] / unit);
                }
                assertArrayEquals(expected, candidates.get(i), 0.00051f, "seed " + seed + ", candidate " + i);
            }
        }
    }

    @Test
    void equalColumnsCountAsOne() {
        Random random = new Random(1);
        double[][] numbers = new double[500][5];
        for (double[] row : numbers) {
            Arrays.fill(row, 0, 4, random.nextGaussian());
            row[4] = random.nextGaussian();
        }
        List<int[]> columns = IntStream.range(0, 5).mapToObj(c -> new int[] {c}).toList();
        float[] weights = ColumnWeights.candidates(new EncodedRows(byColumns(numbers), columns), List.of()).get(0);
        assertEquals(weights[4] / 2, weights[0], 0.02);
    }

    /** A weight of 0 would keep a column from being learnt at all. */
    @Test
    void noWeightIsZero() {
        double[][] numbers = new double[5000][200];
        Random random = new Random(1);
        double[] target = new double[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            for (int j = 0; j < 200; j++) {
                numbers[i][j] = j < 100 ? i : random.nextGaussian();
            }
            target[i] = i;
        }
        List<int[]> columns = IntStream.range(0, 200).mapToObj(c -> new int[] {c}).toList();
        for (float[] weights : ColumnWeights.candidates(new EncodedRows(byColumns(numbers), columns),
                List.of(new RidgeTrial.Group(IntStream.range(0, numbers.length).toArray(),
                        Map.of("number", new double[][] {target}))))) {
            for (float weight : weights) {
                assertTrue(weight > 0, "weight " + weight);
            }
        }
    }
}
