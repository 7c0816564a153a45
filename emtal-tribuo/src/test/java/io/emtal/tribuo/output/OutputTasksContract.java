package io.emtal.tribuo.output;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.tribuo.TestData;
import org.junit.jupiter.api.Test;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.impl.ArrayExample;
import org.tribuo.interop.onnx.OutputTransformer;
import org.tribuo.protos.ProtoUtil;
import org.tribuo.test.Helpers;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What every implementation of {@link OutputTasks} does.
 *
 * @param <T> the type of output
 */
abstract class OutputTasksContract<T extends Output<T>> {

    private static final long SEED = 20261101;

    /** The tasks to test, without options for faulty data. */
    abstract OutputTasks<T> tasks();

    /** Outputs in which every task has every class and none is missing. */
    abstract List<T> complete(Random random);

    /** An output that no domain of {@link #complete} has. */
    abstract T unknown();

    /** Outputs of which one task has a single class, if that can be, and that task. */
    abstract Optional<Fault<T>> singleClass();

    /** The tasks with the option for a single class. */
    abstract OutputTasks<T> tasksForConstants();

    /** Outputs of which one task has no label, if that can be, and that task. */
    abstract Optional<Fault<T>> absentTask();

    /** An output without a label for any task, if there is one. */
    abstract Optional<T> unlabelled();

    /** Outputs of which one has the given name. */
    abstract List<T> named(String name);

    /** What the codec calls the column of a name. */
    String columnName(String name) {
        return name;
    }

    /** The same output with other names, in another order. */
    abstract T renamed(T output);

    /** Another name, of which an earlier one is a later. */
    static String renamed(String name) {
        return (char) (0x200 - name.charAt(0)) + name;
    }

    /** An output that lacks a task, if outputs can; equal to the given one in all others. */
    abstract Optional<T> without(T output, String task);

    record Fault<T>(List<T> outputs, String task) {
    }

    static <T extends Output<T>> List<Example<T>> examples(List<T> outputs) {
        List<Example<T>> examples = new ArrayList<>();
        for (T output : outputs) {
            ArrayExample<T> example = new ArrayExample<>(output);
            example.add("x", 1);
            examples.add(example);
        }
        return examples;
    }

    ImmutableOutputInfo<T> domain(List<T> outputs) {
        Dataset<T> dataset = TestData.dataset(tasks().factory(), examples(outputs));
        return dataset.getOutputIDInfo();
    }

    EncodedOutputs encode(OutputTasks<T> tasks, List<T> outputs) {
        return tasks.codec(domain(outputs)).encode(examples(outputs));
    }

    private static float[] labels(EncodedOutputs encoded, int row) {
        float[] labels = new float[encoded.tasks().size()];
        encoded.labels(row, labels);
        return labels;
    }

    @Test
    void columnsAreTheDomainsOutputs() {
        List<T> outputs = complete(new Random(SEED));
        ImmutableOutputInfo<T> domain = domain(outputs);
        OutputCodec<T> codec = tasks().codec(domain);
        assertEquals(domain.size(), codec.columns());
        Set<Integer> columns = new HashSet<>();
        for (int id = 0; id < domain.size(); id++) {
            assertTrue(codec.column(id) >= 0 && codec.column(id) < codec.columns() && columns.add(codec.column(id)),
                    "column " + codec.column(id));
            assertEquals(id, domain.getID(tasks().output(codec.name(id))), codec.name(id));
        }
        assertEquals(codec.columns(), codec.encode(examples(outputs)).tasks().columns());
    }

    @Test
    void labelsAreAllowedByTheirTasks() {
        EncodedOutputs encoded = encode(tasks(), complete(new Random(SEED)));
        for (int row = 0; row < encoded.size(); row++) {
            encoded.tasks().checkLabels("row " + row, labels(encoded, row), 0);
        }
        assertEquals(0, encoded.rowsWithoutLabel());
    }

    @Test
    void aNetworkThatKnowsTheLabelsPredictsTheOutputs() {
        List<T> outputs = complete(new Random(SEED));
        ImmutableOutputInfo<T> domain = domain(outputs);
        OutputCodec<T> codec = tasks().codec(domain);
        List<Example<T>> examples = examples(outputs);
        EncodedOutputs encoded = codec.encode(examples);
        for (int row = 0; row < encoded.size(); row++) {
            float[] columns = new float[codec.columns() + 3];
            perfect(encoded.tasks(), labels(encoded, row), columns, 3);
            Prediction<T> prediction = codec.prediction(columns, 3, 1, examples.get(row));
            assertTrue(near(outputs.get(row), prediction.getOutput()),
                    "row " + row + ": " + outputs.get(row) + " became " + prediction.getOutput());
            assertEquals(codec.probabilities(), prediction.hasProbabilities());
            assertEquals(1, prediction.getNumActiveFeatures());
            if (codec.probabilities()) {
                assertEquals(domain.size(), prediction.getOutputScores().size());
            }
        }
    }

    /** Whether an output equals another up to scores and single precision. */
    abstract boolean near(T expected, T actual);

    private static void perfect(TaskLayout tasks, float[] labels, float[] columns, int offset) {
        for (int t = 0; t < tasks.size(); t++) {
            int column = offset + tasks.offset(t);
            Task task = tasks.task(t);
            if (task instanceof CategoricalTask) {
                columns[column + (int) labels[t]] = 1;
            } else if (task instanceof BinaryTask) {
                columns[column] = labels[t];
            } else if (task instanceof RealTask real) {
                columns[column] = (float) real.restore(labels[t]);
            }
        }
    }

    @Test
    void whatOverflowsIsNoPrediction() {
        List<T> outputs = complete(new Random(SEED));
        OutputCodec<T> codec = tasks().codec(domain(outputs));
        for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (int id = 0; id < codec.columns(); id++) {
                float[] columns = new float[codec.columns()];
                columns[codec.column(id)] = value;
                var e = assertThrows(EmtalException.class,
                        () -> codec.prediction(columns, 0, 1, examples(outputs).get(0)));
                assertEquals("output " + codec.name(id) + ": found " + value + " from the network, allowed is a finite"
                        + " number", e.getMessage());
            }
        }
    }

    @Test
    void permutedExamplesHavePermutedLabels() {
        List<T> outputs = complete(new Random(SEED));
        List<Integer> order = new ArrayList<>(IntStream.range(0, outputs.size()).boxed().toList());
        Collections.shuffle(order, new Random(SEED));
        OutputCodec<T> codec = tasks().codec(domain(outputs));
        EncodedOutputs plain = codec.encode(examples(outputs));
        EncodedOutputs permuted = codec.encode(examples(order.stream().map(outputs::get).toList()));
        for (int row = 0; row < outputs.size(); row++) {
            float[] expected = labels(plain, order.get(row));
            float[] actual = labels(permuted, row);
            for (int t = 0; t < expected.length; t++) {
                assertEquals(expected[t], actual[t], 1e-5, "seed " + SEED + ", row " + row);
            }
        }
    }

    @Test
    void permutedTasksHavePermutedColumns() {
        List<T> outputs = complete(new Random(SEED));
        List<T> others = outputs.stream().map(this::renamed).toList();
        ImmutableOutputInfo<T> domain = domain(outputs);
        ImmutableOutputInfo<T> other = domain(others);
        OutputCodec<T> codec = tasks().codec(domain);
        OutputCodec<T> permuted = tasks().codec(other);
        int[] columnOf = new int[codec.columns()];
        for (int id = 0; id < columnOf.length; id++) {
            columnOf[codec.column(id)] = permuted.column(other.getID(renamed(domain.getOutput(id))));
        }
        EncodedOutputs encoded = codec.encode(examples(outputs));
        EncodedOutputs expected = permuted.encode(examples(others));
        Random random = new Random(SEED);
        for (int row = 0; row < outputs.size(); row++) {
            float[] known = new float[columnOf.length];
            perfect(encoded.tasks(), labels(encoded, row), known, 0);
            float[] wanted = new float[columnOf.length];
            perfect(expected.tasks(), labels(expected, row), wanted, 0);
            float[] guess = new float[columnOf.length];
            float[] permutedGuess = new float[columnOf.length];
            for (int column = 0; column < columnOf.length; column++) {
                assertEquals(wanted[columnOf[column]], known[column], 1e-4, "seed " + SEED + ", row " + row);
                guess[column] = random.nextFloat();
                permutedGuess[columnOf[column]] = guess[column];
            }
            T plain = codec.prediction(guess, 0, 1, examples(outputs).get(row)).getOutput();
            assertTrue(near(renamed(plain), permuted.prediction(permutedGuess, 0, 1, examples(others).get(row))
                    .getOutput()), "seed " + SEED + ", row " + row + ": " + plain);
        }
    }

    @Test
    void aMissingLabelLeavesTheOthersAsTheyAre() {
        List<T> outputs = complete(new Random(SEED));
        OutputCodec<T> codec = tasks().codec(domain(outputs));
        EncodedOutputs full = codec.encode(examples(outputs));
        Random random = new Random(SEED);
        boolean[][] missing = new boolean[outputs.size()][full.tasks().size()];
        List<T> gaps = new ArrayList<>(outputs);
        for (int row = outputs.size() / 2; row < outputs.size(); row++) {
            for (int t = 0; t < full.tasks().size(); t++) {
                Optional<T> lacking = without(gaps.get(row), full.tasks().task(t).name());
                if (lacking.isPresent() && random.nextBoolean()) {
                    missing[row][t] = true;
                    gaps.set(row, lacking.get());
                }
            }
        }
        EncodedOutputs encoded = codec.encode(examples(gaps));
        int empty = 0;
        for (int row = 0; row < outputs.size(); row++) {
            boolean labelled = false;
            for (int t = 0; t < full.tasks().size(); t++) {
                String where = "seed " + SEED + ", row " + row + ", task " + full.tasks().task(t).name();
                assertEquals(!missing[row][t], Task.isLabelled(encoded.label(row, t)), where);
                labelled |= !missing[row][t];
                if (!missing[row][t]) {
                    assertEquals(target(full, row, t), target(encoded, row, t), 1e-4, where);
                }
            }
            empty += labelled ? 0 : 1;
        }
        assertEquals(empty, encoded.rowsWithoutLabel());
    }

    /** A class, or a number in its own unit. */
    private static double target(EncodedOutputs encoded, int row, int task) {
        float label = encoded.label(row, task);
        return encoded.tasks().task(task) instanceof RealTask real ? real.restore(label) : label;
    }

    @Test
    void domainsOfAnotherOrderAreFollowedAndReadBack() throws Exception {
        List<T> outputs = complete(new Random(SEED));
        List<T> elements = new ArrayList<>(domain(outputs).getDomain());
        Collections.shuffle(elements, new Random(SEED));
        Map<T, Integer> ids = new HashMap<>();
        elements.forEach(element -> ids.put(element, ids.size()));
        ImmutableOutputInfo<T> domain = tasks().factory().constructInfoForExternalModel(ids);
        OutputCodec<T> codec = tasks().codec(domain);
        EncodedOutputs encoded = codec.encode(examples(outputs));
        float[][] byIds = new float[outputs.size()][codec.columns()];
        for (int row = 0; row < byIds.length; row++) {
            float[] columns = new float[codec.columns()];
            perfect(encoded.tasks(), labels(encoded, row), columns, 0);
            assertTrue(near(outputs.get(row), codec.prediction(columns, 0, 1, examples(outputs).get(row)).getOutput()),
                    "seed " + SEED + ", row " + row);
            for (int id = 0; id < columns.length; id++) {
                byIds[row][id] = columns[codec.column(id)];
            }
        }
        OutputTransformer<T> transformer = tasks().transformer();
        Helpers.testProtoSerialization(transformer);
        Helpers.testConfigurableRoundtrip(transformer);
        Helpers.testProvenanceMarshalling(transformer.getProvenance());
        assertEquals(tasks().factory().getTypeWitness(), transformer.getTypeWitness());
        assertEquals(codec.probabilities(), transformer.generatesProbabilities());
        int[] used = new int[outputs.size()];
        try (OnnxTensor tensor = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), byIds);
             OnnxTensor one = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), new float[][] {byIds[0]})) {
            List<Prediction<T>> read = transformer.transformToBatchPrediction(List.of(tensor), domain, used,
                    examples(outputs));
            List<T> bare = transformer.transformToBatchOutput(List.of(tensor), domain);
            for (int row = 0; row < byIds.length; row++) {
                assertTrue(near(outputs.get(row), read.get(row).getOutput()), "seed " + SEED + ", row " + row);
                assertTrue(near(outputs.get(row), bare.get(row)), "seed " + SEED + ", row " + row);
            }
            assertTrue(near(outputs.get(0), transformer.transformToOutput(List.of(one), domain)));
            assertTrue(near(outputs.get(0), transformer.transformToPrediction(List.of(one), domain, 1,
                    examples(outputs).get(0)).getOutput()));
        }
    }

    @Test
    void theDomainsOtherExamplesLeaveNoTrace() {
        List<T> outputs = complete(new Random(SEED));
        List<T> more = new ArrayList<>(outputs);
        more.addAll(complete(new Random(SEED + 1)));
        EncodedOutputs alone = tasks().codec(domain(outputs)).encode(examples(outputs));
        EncodedOutputs withOthers = tasks().codec(domain(more)).encode(examples(outputs));
        assertEquals(alone.tasks(), withOthers.tasks());
    }

    @Test
    void fault12_examplesWithoutLabelAreCounted() {
        unlabelled().ifPresent(output -> {
            List<T> outputs = new ArrayList<>(complete(new Random(SEED)));
            ImmutableOutputInfo<T> domain = domain(outputs);
            outputs.add(1, output);
            EncodedOutputs encoded = tasks().codec(domain).encode(examples(outputs));
            assertEquals(1, encoded.rowsWithoutLabel());
            for (float label : labels(encoded, 1)) {
                assertFalse(Task.isLabelled(label));
            }
        });
    }

    @Test
    void fault13_aTaskWithoutLabelsFailsEarly() {
        absentTask().ifPresent(fault -> {
            ImmutableOutputInfo<T> domain = domain(complete(new Random(SEED)));
            List<Example<T>> examples = examples(fault.outputs());
            var e = assertThrows(EmtalException.class, () -> tasks().codec(domain).encode(examples));
            assertTrue(e.getMessage().contains("'" + fault.task() + "'"), e.getMessage());
        });
    }

    @Test
    void moreLabelsThanAnArrayHoldsAreRefused() {
        List<T> outputs = complete(new Random(SEED));
        int tasks = encode(tasks(), outputs).tasks().size();
        if (tasks > 1) {
            int rows = Integer.MAX_VALUE / tasks + 1;
            List<Example<T>> many = Collections.nCopies(rows, examples(outputs).get(0));
            var e = assertThrows(EmtalException.class, () -> tasks().codec(domain(outputs)).encode(many));
            assertTrue(e.getMessage().contains("found " + rows + " rows of " + tasks
                    + " tasks, allowed are 2147483647 labels"), e.getMessage());
        }
    }

    @Test
    void fault14_aTaskWithOneClassFailsEarlyOrIsConstantByOption() {
        singleClass().ifPresent(fault -> {
            var e = assertThrows(EmtalException.class, () -> encode(tasks(), fault.outputs()));
            assertTrue(e.getMessage().contains("'" + fault.task() + "'"), e.getMessage());
            EncodedOutputs encoded = encode(tasksForConstants(), fault.outputs());
            assertEquals(fault.outputs().size(), encoded.size());
        });
    }

    @Test
    void fault17_unknownOutputsAreRejectedWithTheirRow() {
        List<T> outputs = new ArrayList<>(complete(new Random(SEED)));
        ImmutableOutputInfo<T> domain = domain(outputs);
        for (T odd : List.of(unknown(), tasks().factory().getUnknownOutput())) {
            outputs.set(3, odd);
            List<Example<T>> examples = examples(outputs);
            var e = assertThrows(EmtalException.class, () -> tasks().codec(domain).encode(examples));
            assertTrue(e.getMessage().contains("row 3"), e.getMessage());
        }
    }

    @Test
    void fault18_oddNamesAreTakenAndLineBreaksRejected() {
        for (String name : List.of("a/b", "a=b", "<i>", "=1+1", "größe", "a b", "\"q\"")) {
            List<T> outputs = named(name);
            OutputCodec<T> codec = tasks().codec(domain(outputs));
            assertEquals(outputs.size(), codec.encode(examples(outputs)).size());
            assertTrue(IntStream.range(0, codec.columns()).anyMatch(id -> codec.name(id).equals(columnName(name))),
                    name);
        }
    }

    @Test
    void protobufAndConfigurationRoundTrips() {
        for (OutputTasks<T> tasks : List.of(tasks(), tasksForConstants())) {
            assertEquals(tasks, ProtoUtil.deserialize(tasks.serialize()));
            Helpers.testConfigurableRoundtrip(tasks);
            Helpers.testProvenanceMarshalling(tasks.getProvenance());
        }
    }

    @Test
    void newerProtobufsAreRefused() {
        var newer = tasks().serialize().toBuilder().setVersion(1).build();
        var e = assertThrows(IllegalStateException.class, () -> ProtoUtil.deserialize(newer));
        assertTrue(e.getCause().getCause() instanceof EmtalException, () -> String.valueOf(e.getCause().getCause()));
    }
}
