package io.emtal.tribuo.output;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.multitask.TaskValue;
import org.junit.jupiter.api.Test;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Prediction;
import org.tribuo.interop.onnx.OutputTransformer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

class MultiTaskTasksTest extends OutputTasksContract<MultiTask> {

    private static final String[] KINDS = {"circle", "square", "star"};

    private static MultiTask of(String kind, boolean filled, double area) {
        return MultiTask.builder().categorical("kind", kind).binary("filled", filled).real("area", area).build();
    }

    private static MultiTask filled(boolean filled) {
        return MultiTask.builder().binary("filled", filled).build();
    }

    @Override
    OutputTasks<MultiTask> tasks() {
        return new MultiTaskTasks();
    }

    @Override
    OutputTasks<MultiTask> tasksForConstants() {
        return new MultiTaskTasks(true);
    }

    @Override
    List<MultiTask> complete(Random random) {
        List<MultiTask> outputs = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            outputs.add(of(KINDS[i % 3], i % 4 < 2, 100 + random.nextGaussian()));
        }
        return outputs;
    }

    @Override
    MultiTask unknown() {
        return MultiTask.builder().categorical("kind", "hexagon").build();
    }

    @Override
    Optional<Fault<MultiTask>> singleClass() {
        return Optional.of(new Fault<>(List.of(of("star", true, 1), of("star", false, 2)), "kind"));
    }

    @Override
    Optional<Fault<MultiTask>> absentTask() {
        return Optional.of(new Fault<>(List.of(filled(true), filled(false)), "area"));
    }

    @Override
    Optional<MultiTask> unlabelled() {
        return Optional.of(MultiTask.builder().build());
    }

    @Override
    List<MultiTask> named(String name) {
        return List.of(MultiTask.builder().binary(name, true).categorical("kind", name).build(),
                MultiTask.builder().binary(name, false).categorical("kind", "other").build());
    }

    @Override
    String columnName(String name) {
        return MultiTask.builder().binary(name, true).build().toString();
    }

    @Override
    MultiTask renamed(MultiTask output) {
        return MultiTask.of(output.values().stream().map(MultiTaskTasksTest::renamed).toList());
    }

    private static TaskValue renamed(TaskValue value) {
        String task = renamed(value.task());
        if (value instanceof TaskValue.Category category) {
            return new TaskValue.Category(task, renamed(category.value()), category.score());
        } else if (value instanceof TaskValue.Binary binary) {
            return new TaskValue.Binary(task, binary.value(), binary.score());
        }
        return new TaskValue.Real(task, ((TaskValue.Real) value).value());
    }

    @Override
    Optional<MultiTask> without(MultiTask output, String task) {
        return Optional.of(MultiTask.of(output.values().stream().filter(value -> !value.task().equals(task)).toList()));
    }

    @Override
    boolean near(MultiTask expected, MultiTask actual) {
        return withoutScores(expected).fullEquals(withoutScores(actual), 1e-4);
    }

    private static MultiTask withoutScores(MultiTask output) {
        return MultiTask.parse(output.getSerializableForm(false));
    }

    @Test
    void tasksKeepTheirKindsInTheOrderOfTheirNames() {
        EncodedOutputs encoded = encode(tasks(), List.of(of("star", true, 5), of("circle", false, 3),
                MultiTask.builder().real("area", 7).categorical("kind", "square").build()));
        double deviation = Math.sqrt(8 / 3.0);
        assertEquals(List.of(RealTask.of("area", new double[] {5, 3, 7}, 1), new BinaryTask("filled"),
                new CategoricalTask("kind", 3)), encoded.tasks().tasks());
        float[] labels = new float[3];
        encoded.labels(2, labels);
        assertEquals(2 / deviation, labels[0], 1e-6);
        assertTrue(!Task.isLabelled(labels[1]));
        assertEquals(1, labels[2]);
    }

    @Test
    void everyTaskIsPredictedWithTheProbabilityOfItsValue() {
        List<MultiTask> outputs = complete(new Random(1));
        OutputCodec<MultiTask> codec = tasks().codec(domain(outputs));
        Map<String, Float> columns = Map.of("area=0.0", 7.5f, "filled=true", 0.25f, "kind=\"circle\"", 0.125f,
                "kind=\"square\"", 0.5f, "kind=\"star\"", 0.375f);
        float[] row = new float[codec.columns()];
        for (int id = 0; id < row.length; id++) {
            row[codec.column(id)] = columns.get(codec.name(id));
        }
        Prediction<MultiTask> prediction = codec.prediction(row, 0, 1, examples(outputs).get(0));
        assertEquals("area=7.5,filled=false@0.75,kind=\"square\"@0.5", prediction.getOutput().toString());
        assertEquals(Map.of("true", 0.25, "false", 0.75), MultiTask.distribution(prediction, "filled"));
        assertEquals(Map.of("circle", 0.125, "square", 0.5, "star", 0.375), MultiTask.distribution(prediction, "kind"));
        assertEquals(columns.keySet(), prediction.getOutputScores().keySet());
        assertEquals("area=7.5", prediction.getOutputScores().get("area=0.0").toString());
        assertEquals("filled=true@0.25", prediction.getOutputScores().get("filled=true").toString());
    }

    @Test
    void aTaskOfOneClassIsASigmoid() {
        List<MultiTask> outputs = singleClass().orElseThrow().outputs();
        EncodedOutputs encoded = encode(tasksForConstants(), outputs);
        assertEquals(new BinaryTask("kind"), encoded.tasks().task(2));
        assertEquals(1, encoded.label(0, 2));
    }

    @Test
    void fault14_aBinaryTaskWithOneAnswerFailsEarlyOrIsConstantByOption() {
        List<MultiTask> outputs = List.of(filled(true), filled(true));
        var e = assertThrows(EmtalException.class, () -> encode(tasks(), outputs));
        assertTrue(e.getMessage().contains("'filled'") && e.getMessage().contains("'true'"), e.getMessage());
        assertEquals(2, encode(tasksForConstants(), outputs).size());
    }

    @Test
    void fault15_aConstantNumberIsLearntAsAConstant() {
        EncodedOutputs encoded = encode(tasks(), List.of(of("star", true, 7), of("circle", false, 7)));
        assertEquals(RealTask.of("area", new double[] {7, 7}, 1), encoded.tasks().task(0));
        assertEquals(0, encoded.label(1, 0));
    }

    @Test
    void fault17_unknownTasksKindsAndNumbersAreRejectedWithRowAndTask() {
        List<MultiTask> outputs = new ArrayList<>(complete(new Random(1)));
        ImmutableOutputInfo<MultiTask> domain = domain(outputs);
        for (MultiTask odd : List.of(MultiTask.builder().real("odd", 1).build(),
                MultiTask.builder().real("filled", 1).build(), MultiTask.builder().real("area", 1e39).build())) {
            outputs.set(3, odd);
            var e = assertThrows(EmtalException.class, () -> tasks().codec(domain).encode(examples(outputs)));
            assertTrue(e.getMessage().startsWith("row 3") && e.getMessage().contains("'" + odd.values().get(0).task()
                    + "'"), e.getMessage());
        }
    }

    @Test
    void fault18_namesOfTasksWithLineBreaksAreRejectedThoseOfClassesTaken() {
        List<MultiTask> odd = named("a\nb");
        var e = assertThrows(EmtalException.class, () -> encode(tasks(), odd));
        assertTrue(e.getMessage().contains("line breaks"), e.getMessage());
        List<MultiTask> classes = List.of(of("a\nb", true, 1), of("", false, 2));
        OutputCodec<MultiTask> codec = tasks().codec(domain(classes));
        assertEquals("kind=\"\"", codec.name(2));
        assertEquals("kind=\"a\\nb\"", codec.name(3));
    }

    @Test
    void outputsOfWhichAllAreMissingAreRejected() {
        List<MultiTask> none = List.of(MultiTask.builder().build());
        assertThrows(EmtalException.class, () -> encode(tasks(), none));
    }

    @Test
    void whatANetworkGivesThatIsNoNumberIsRejectedWithItsColumn() {
        List<MultiTask> outputs = complete(new Random(1));
        OutputCodec<MultiTask> codec = tasks().codec(domain(outputs));
        for (int id = 0; id < codec.columns(); id++) {
            float[] row = new float[codec.columns()];
            row[codec.column(id)] = Float.NaN;
            var e = assertThrows(EmtalException.class, () -> codec.prediction(row, 0, 1, examples(outputs).get(0)));
            assertTrue(e.getMessage().contains(codec.name(id)), e.getMessage());
        }
    }

    @Test
    void theTransformerRefusesOtherTensors() throws Exception {
        List<MultiTask> outputs = complete(new Random(1));
        ImmutableOutputInfo<MultiTask> domain = domain(outputs);
        OutputTransformer<MultiTask> transformer = tasks().transformer();
        OrtEnvironment ort = OrtEnvironment.getEnvironment();
        try (OnnxTensor narrow = OnnxTensor.createTensor(ort, new float[1][4]);
             OnnxTensor flat = OnnxTensor.createTensor(ort, new float[5]);
             OnnxTensor wide = OnnxTensor.createTensor(ort, new double[1][5]);
             OnnxTensor two = OnnxTensor.createTensor(ort, new float[2][5])) {
            for (OnnxTensor tensor : List.of(narrow, flat, wide, two)) {
                assertThrows(EmtalException.class, () -> transformer.transformToOutput(List.of(tensor), domain));
            }
            assertThrows(EmtalException.class, () -> transformer.transformToOutput(List.of(two, two), domain));
            assertThrows(EmtalException.class, () -> transformer.transformToBatchPrediction(List.of(two), domain,
                    new int[1], examples(outputs.subList(0, 1))));
        }
    }

    @Test
    void theUnknownOutputIsNoMissingOne() {
        List<MultiTask> outputs = new ArrayList<>(complete(new Random(1)));
        ImmutableOutputInfo<MultiTask> domain = domain(outputs);
        outputs.set(1, MultiTask.builder().build());
        assertEquals(1, tasks().codec(domain).encode(examples(outputs)).rowsWithoutLabel());
        outputs.set(1, MultiTaskFactory.UNKNOWN_MULTITASK);
        var e = assertThrows(EmtalException.class, () -> tasks().codec(domain).encode(examples(outputs)));
        assertTrue(e.getMessage().startsWith("row 1"), e.getMessage());
    }
}
