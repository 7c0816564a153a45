package io.emtal.tribuo.output;

import static io.emtal.tribuo.output.MultiLabelTasksTest.of;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import org.junit.jupiter.api.Test;
import org.tribuo.Prediction;
import org.tribuo.multilabel.MultiLabel;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/** Labels that share a prefix as classes of a categorical task. */
class SeparatedMultiLabelTasksTest extends OutputTasksContract<MultiLabel> {

    private static final String[] KINDS = {"circle", "square", "star"};

    @Override
    OutputTasks<MultiLabel> tasks() {
        return MultiLabelTasks.separatedBy("=");
    }

    @Override
    OutputTasks<MultiLabel> tasksForConstants() {
        return new MultiLabelTasks("=", true);
    }

    @Override
    List<MultiLabel> complete(Random random) {
        List<MultiLabel> outputs = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            String size = i % 4 < 2 ? "big" : "small";
            List<String> names = new ArrayList<>(List.of("kind=" + KINDS[i % 3], "size=" + size));
            if (random.nextBoolean() || i == 0) {
                names.add("filled");
            }
            if (random.nextBoolean() && i > 1 || i == 0) {
                names.add("=odd");
            }
            outputs.add(of(names.toArray(String[]::new)));
        }
        outputs.add(of("kind=star", "size=big"));
        return outputs;
    }

    @Override
    MultiLabel unknown() {
        return of("kind=hexagon");
    }

    @Override
    Optional<Fault<MultiLabel>> singleClass() {
        return Optional.of(new Fault<>(List.of(of("kind=star", "filled"), of("kind=star")), "kind=star"));
    }

    @Override
    Optional<Fault<MultiLabel>> absentTask() {
        return Optional.of(new Fault<>(List.of(of("kind=star", "filled"), of("kind=circle", "=odd")), "size"));
    }

    @Override
    Optional<MultiLabel> unlabelled() {
        return Optional.empty();
    }

    @Override
    List<MultiLabel> named(String name) {
        return List.of(of(name), of(), of("other"));
    }

    @Override
    MultiLabel renamed(MultiLabel output) {
        return of(output.getNameSet().stream().map(OutputTasksContract::renamed).toArray(String[]::new));
    }

    @Override
    Optional<MultiLabel> without(MultiLabel output, String task) {
        return Optional.of(of(output.getNameSet().stream().filter(name -> !name.startsWith(task + "="))
                .toArray(String[]::new))).filter(lacking -> !lacking.equals(output));
    }

    @Override
    boolean near(MultiLabel expected, MultiLabel actual) {
        return expected.equals(actual);
    }

    @Test
    void prefixesAreTasksAndOtherLabelsStayBinary() {
        EncodedOutputs encoded = encode(tasks(), complete(new Random(1)));
        assertEquals(Set.of(new CategoricalTask("kind", 3), new CategoricalTask("size", 2), new BinaryTask("filled"),
                new BinaryTask("=odd")), Set.copyOf(encoded.tasks().tasks()));
    }

    @Test
    void theMostProbableClassIsPredictedHoweverImprobable() {
        List<MultiLabel> outputs = complete(new Random(1));
        OutputCodec<MultiLabel> codec = tasks().codec(domain(outputs));
        Map<String, Float> probabilities = Map.of("kind=circle", 0.3f, "kind=square", 0.4f, "kind=star", 0.3f,
                "size=big", 0.1f, "size=small", 0.9f, "filled", 0.4f, "=odd", 0.6f);
        float[] columns = new float[codec.columns()];
        for (int id = 0; id < columns.length; id++) {
            columns[codec.column(id)] = probabilities.get(codec.name(id));
        }
        Prediction<MultiLabel> prediction = codec.prediction(columns, 0, 1, examples(outputs).get(0));
        assertEquals(of("kind=square", "size=small", "=odd"), prediction.getOutput());
        prediction.getOutputScores().forEach((name, output) -> assertEquals(probabilities.get(name).doubleValue(),
                output.getLabelSet().iterator().next().getScore(), name));
    }

    @Test
    void fault12_anExampleWithoutClassHasNoLabelForTheTask() {
        List<MultiLabel> outputs = new ArrayList<>(List.of(of("kind=star"), of("kind=circle"), of()));
        EncodedOutputs encoded = encode(tasks(), outputs);
        assertEquals(1, encoded.rowsWithoutLabel());
    }

    @Test
    void twoClassesOfOneTaskAreRejectedWithRowAndTask() {
        List<MultiLabel> outputs = List.of(of("kind=star"), of("kind=circle", "kind=star"));
        var e = assertThrows(EmtalException.class, () -> encode(tasks(), outputs));
        assertTrue(e.getMessage().contains("row 1") && e.getMessage().contains("'kind'"), e.getMessage());
    }

    @Test
    void fault18_aLabelThatIsCalledLikeATaskIsRejected() {
        List<MultiLabel> outputs = List.of(of("kind=star", "kind"), of("kind=circle"));
        var e = assertThrows(EmtalException.class, () -> encode(tasks(), outputs));
        assertTrue(e.getMessage().contains("label 'kind'") && e.getMessage().contains("'kind=…'"), e.getMessage());
    }
}
