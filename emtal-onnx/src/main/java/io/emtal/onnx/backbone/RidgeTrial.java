package io.emtal.onnx.backbone;

import com.google.protobuf.ByteString;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.RowSubset;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.predict.DensePredictor;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The rows and labels of a small table, to tell how well its labels are predicted from an encoding of its columns: ridge
 * regressions predict a part of the rows from the others, encoded by what the others say, and each part once. What is
 * chosen by labels, such as the ends of bins, would be chosen to suit rows that it is judged on, else, and all the more so
 * of many columns (Ambroise and McLachlan 2002).
 */
final class RidgeTrial {

    /** Tables of more rows are not asked: they have rows enough to learn what an encoding could tell. */
    static final int MOST_ROWS = 1000;

    /** Tables of more input elements, such as the values of nominal columns, are not: it would take much memory. */
    static final int MOST_INPUTS = 4096;

    /** The labels of a task that is asked: fewer tell little. */
    static final int LEAST_LABELS = 20;

    /** Each is predicted from the others. */
    private static final int PARTS = 5;

    /** Asking takes time by the cube of the rows, once for tasks with the same labelled rows; not all may be asked. */
    private static final double MOST_CUBES = 4 * Math.pow(MOST_ROWS, 3);

    private final FeatureLayout layout;
    private final TaskLayout tasks;
    private final Examples rows;
    private final int[] asked;
    private final List<Group> groups;
    /** The part of each row that is asked. */
    private final int[] part;

    private RidgeTrial(FeatureLayout layout, TaskLayout tasks, Examples rows, int[] asked, List<Group> groups) {
        this.layout = layout;
        this.tasks = tasks;
        this.rows = rows;
        this.asked = asked;
        this.groups = groups;
        part = parts(asked.length);
    }

    private static int[] parts(int rows) {
        List<Integer> parts = new ArrayList<>(IntStream.range(0, rows).mapToObj(i -> i % PARTS).toList());
        Collections.shuffle(parts, new Random(rows));
        return parts.stream().mapToInt(Integer::intValue).toArray();
    }

    /**
     * Reads the labels.
     *
     * @param layout the columns
     * @param tasks the tasks; those of weight 0 are not asked
     * @param rows the rows; of copies of one row the first is asked
     * @return what can be asked; empty where the table is too large, or no task has labels enough
     */
    static Optional<RidgeTrial> of(FeatureLayout layout, TaskLayout tasks, Examples rows) {
        if (layout.width() > MOST_INPUTS) {
            return Optional.empty();
        }
        int[] asked = originals(rows);
        if (asked.length > MOST_ROWS) {
            return Optional.empty();
        }
        List<Group> groups = groups(tasks, rows, asked);
        return groups.isEmpty() ? Optional.empty() : Optional.of(new RidgeTrial(layout, tasks, rows, asked, groups));
    }

    /** The first of the copies of each row, of more than can be asked one too many. */
    private static int[] originals(Examples rows) {
        BitSet seen = new BitSet();
        return IntStream.range(0, rows.size()).filter(row -> {
            boolean first = !seen.get(rows.original(row));
            seen.set(rows.original(row));
            return first;
        }).limit(MOST_ROWS + 1).toArray();
    }

    /**
     * Tasks with the same labelled rows.
     *
     * @param labelled which of the rows that are asked
     * @param targets for each task, by its name, one or more targets, for each of these one number a labelled row
     */
    record Group(int[] labelled, Map<String, double[][]> targets) {

        /** The same with some of the labelled rows. */
        private Group of(int[] chosen) {
            Map<String, double[][]> some = new LinkedHashMap<>();
            targets.forEach((task, of) -> some.put(task, Arrays.stream(of).map(target -> pick(target, chosen))
                    .toArray(double[][]::new)));
            return new Group(Arrays.stream(chosen).map(i -> labelled[i]).toArray(), some);
        }

        private double[][] all() {
            return targets.values().stream().flatMap(Arrays::stream).toArray(double[][]::new);
        }

        /** Some of the values. */
        static double[] pick(double[] values, int[] chosen) {
            double[] picked = new double[chosen.length];
            for (int i = 0; i < picked.length; i++) {
                picked[i] = values[chosen[i]];
            }
            return picked;
        }
    }

    private static List<Group> groups(TaskLayout tasks, Examples rows, int[] asked) {
        Map<BitSet, Group> groups = new LinkedHashMap<>();
        double cubes = 0;
        for (int t = 0; t < tasks.size(); t++) {
            int task = t;
            BitSet labelled = new BitSet();
            IntStream.range(0, asked.length).filter(i -> Task.isLabelled(rows.label(asked[i], task)))
                    .forEach(labelled::set);
            double cube = groups.containsKey(labelled) ? 0 : Math.pow(labelled.cardinality(), 3);
            if (tasks.task(t).weight() > 0 && labelled.cardinality() >= LEAST_LABELS && cubes + cube <= MOST_CUBES) {
                cubes += cube;
                double[] labels = labelled.stream().mapToDouble(i -> rows.label(asked[i], task)).toArray();
                groups.computeIfAbsent(labelled, key -> new Group(key.stream().toArray(), new LinkedHashMap<>())).targets
                        .put(tasks.task(t).name(), targets(tasks.task(t), labels));
            }
        }
        return List.copyOf(groups.values());
    }

    /** A number as it is, and each class as a number that says whether it is this one. */
    private static double[][] targets(Task task, double[] labels) {
        return task instanceof CategoricalTask categorical
                ? IntStream.range(0, categorical.classes()).mapToObj(c -> Arrays.stream(labels)
                        .map(label -> label == c ? 1 : 0).toArray()).toArray(double[][]::new)
                : new double[][] {labels};
    }

    /**
     * The same with fewer rows.
     *
     * @param most how many there may be
     * @return every k-th row, of the least k that leaves no more; this, where that is each
     */
    RidgeTrial thinned(int most) {
        if (asked.length <= most) {
            return this;
        }
        int step = (asked.length + most - 1) / most;
        int[] thinned = IntStream.range(0, asked.length).filter(i -> i % step == 0).map(i -> asked[i]).toArray();
        return new RidgeTrial(layout, tasks, rows, thinned, groups(tasks, rows, thinned));
    }

    /** The tasks that are asked. */
    List<Group> groups() {
        return groups;
    }

    /**
     * Encodes the rows that are asked, with the statistics of all.
     *
     * @param numberEncoding how numbers enter
     * @return the rows
     */
    EncodedRows encoded(NumberEncoding numberEncoding) {
        return encoded(numberEncoding, rows);
    }

    /**
     * Encodes the rows that are asked, once for each part that is predicted, with the statistics of the rows that are
     * no copies of those of the part.
     *
     * @param numberEncoding how numbers enter
     * @return for each part all rows
     */
    List<EncodedRows> encodedForParts(NumberEncoding numberEncoding) {
        return IntStream.range(0, PARTS).parallel().mapToObj(held -> {
            BitSet without = new BitSet();
            IntStream.range(0, asked.length).filter(i -> part[i] == held)
                    .forEach(i -> without.set(rows.original(asked[i])));
            return encoded(numberEncoding, new RowSubset(rows, IntStream.range(0, rows.size())
                    .filter(row -> !without.get(rows.original(row))).toArray()));
        }).toList();
    }

    private EncodedRows encoded(NumberEncoding numberEncoding, Examples known) {
        GraphBuilder graph = new GraphBuilder();
        Value input = graph.input("input", ElementType.FLOAT, Shape.BATCH, layout.width());
        FeatureEncoding encoding = FeatureEncoding.write(graph, input, layout, known, Optional.of(tasks), numberEncoding);
        graph.output("encoded", encoding.values());
        FloatBuffer raw = FloatBuffer.allocate(asked.length * layout.width());
        for (int row : asked) {
            rows.inputs(row, raw);
        }
        ByteString model = OnnxFile.toModel(graph.build(), "encoding").toByteString();
        try (DensePredictor encoder = new DensePredictor(model, 1)) {
            float[] encoded = encoder.predict(raw.flip(), asked.length);
            int width = encoded.length / asked.length;
            double[][] numbers = new double[width][asked.length];
            for (int row = 0; row < asked.length; row++) {
                for (int j = 0; j < width; j++) {
                    numbers[j][row] = encoded[row * width + j];
                }
            }
            return new EncodedRows(numbers, encoding.columns());
        }
    }

    /**
     * Rows with values and bins, as other encodings have them.
     *
     * @param encoded with values and bins
     * @param numbers how numbers enter
     * @return the rows
     */
    EncodedRows as(EncodedRows encoded, NumberEncoding numbers) {
        return encoded.keeping(IntStream.range(0, layout.columns().size()).mapToObj(c -> {
            int[] all = encoded.columns().get(c);
            int last = all.length - 1;
            return layout.columns().get(c).kind() != FeatureColumn.Kind.NUMERIC ? all
                    : numbers.bins() == 0 ? new int[] {all[0], all[last]}
                    : Arrays.copyOfRange(all, numbers.value() ? 0 : 1, all.length);
        }).toList());
    }

    /** What is compared: several encodings of the same rows, by what some of them say. */
    interface Candidates {

        /**
         * The candidates.
         *
         * @param encoded all rows
         * @param known the tasks, with the labels of those rows that may tell
         * @return encodings of all rows, always as many, each made when it is asked for
         */
        Stream<EncodedRows> of(EncodedRows encoded, List<Group> known);
    }

    /**
     * How well each task's labels are predicted, each part of the rows from the others by the mean or with the penalty
     * that does it best.
     *
     * @param encoded for each part all rows
     * @param candidates makes what is compared of them
     * @param ridge makes the regression
     * @return for each candidate by the names of the tasks the root of the mean squared error in the deviation, in the mean
     *     over their targets that are not constant, if there is one, rounded to thousandths
     */
    List<Map<String, Double>> errors(List<EncodedRows> encoded, Candidates candidates,
                                     Function<double[][], KernelRidge> ridge) {
        List<List<double[][]>> parts = IntStream.range(0, PARTS).parallel()
                .mapToObj(held -> squares(held, encoded.get(held), candidates, ridge)).toList();
        return IntStream.range(0, parts.get(0).size())
                .mapToObj(candidate -> errors(parts.stream().map(squares -> squares.get(candidate)).toList())).toList();
    }

    /** For each candidate and each target of the groups the squared errors of a part. */
    private List<double[][]> squares(int held, EncodedRows encoded, Candidates candidates,
                                     Function<double[][], KernelRidge> ridge) {
        List<Group> known = groups(row -> part[row] != held);
        List<Group> wanted = groups(row -> part[row] == held);
        return candidates.of(encoded, known).map(candidate -> {
            KernelRidge regression = ridge.apply(candidate.numbers());
            return IntStream.range(0, groups.size()).boxed().flatMap(g -> Arrays.stream(regression.squares(
                    known.get(g).labelled, known.get(g).all(), wanted.get(g).labelled, wanted.get(g).all())))
                    .toArray(double[][]::new);
        }).toList();
    }

    /** The groups, with the labelled ones of some rows. */
    private List<Group> groups(IntPredicate chosen) {
        return groups.stream().map(group -> group.of(IntStream.range(0, group.labelled.length)
                .filter(i -> chosen.test(group.labelled[i])).toArray())).toList();
    }

    /** By the squared errors of each part. */
    private Map<String, Double> errors(List<double[][]> parts) {
        Map<String, Double> ofTasks = new LinkedHashMap<>();
        int first = 0;
        for (Group group : groups) {
            for (Map.Entry<String, double[][]> task : group.targets.entrySet()) {
                double[][] targets = task.getValue();
                int start = first;
                IntStream.range(0, targets.length).filter(t -> variance(targets[t]) > 0).mapToDouble(t ->
                        Math.sqrt(least(parts, start + t) / variance(targets[t]))).average()
                        .ifPresent(error -> ofTasks.put(task.getKey(), Math.round(1000 * error) / 1000.0));
                first += targets.length;
            }
        }
        return ofTasks;
    }

    /** The squared errors of a target by the fit with the least ones, added in the order of the parts. */
    private static double least(List<double[][]> parts, int target) {
        return IntStream.range(0, KernelRidge.FITS).mapToDouble(fit -> {
            double sum = 0;
            for (double[][] squares : parts) {
                sum += squares[target][fit];
            }
            return sum;
        }).min().orElseThrow();
    }

    private static double variance(double[] target) {
        double mean = Arrays.stream(target).average().orElseThrow();
        return Arrays.stream(target).map(value -> (value - mean) * (value - mean)).sum();
    }
}
