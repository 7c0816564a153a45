package io.emtal.tribuo.output;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.BinaryTask;
import org.junit.jupiter.api.Test;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.multilabel.MultiLabel;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;

class MultiLabelTasksTest extends OutputTasksContract<MultiLabel> {

    static MultiLabel of(String... names) {
        return new MultiLabel(Stream.of(names).map(Label::new).collect(Collectors.toSet()));
    }

    @Override
    OutputTasks<MultiLabel> tasks() {
        return new MultiLabelTasks();
    }

    @Override
    OutputTasks<MultiLabel> tasksForConstants() {
        return new MultiLabelTasks("", true);
    }

    @Override
    List<MultiLabel> complete(Random random) {
        List<MultiLabel> outputs = new ArrayList<>(List.of(of("a", "b", "c", "x=1"), of(), of("a"), of("b"), of("c")));
        for (int i = 0; i < 20; i++) {
            outputs.add(random.nextBoolean() ? of("a", "c") : of("b", "x=1"));
        }
        return outputs;
    }

    @Override
    MultiLabel unknown() {
        return of("a", "d");
    }

    @Override
    Optional<Fault<MultiLabel>> singleClass() {
        return Optional.of(new Fault<>(List.of(of("a", "b"), of("b")), "b"));
    }

    @Override
    Optional<Fault<MultiLabel>> absentTask() {
        return Optional.empty();
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
        return Optional.empty();
    }

    @Override
    boolean near(MultiLabel expected, MultiLabel actual) {
        return expected.equals(actual);
    }

    @Test
    void everyLabelIsABinaryTaskInTheOrderOfTheIds() {
        List<MultiLabel> outputs = complete(new Random(1));
        var domain = domain(outputs);
        EncodedOutputs encoded = encode(tasks(), outputs);
        for (int id = 0; id < domain.size(); id++) {
            assertEquals(new BinaryTask(domain.getOutput(id).getLabelString()), encoded.tasks().task(id));
        }
    }

    @Test
    void allScoresArePredictedAndThoseAboveOneHalfHold() {
        List<MultiLabel> outputs = complete(new Random(1));
        OutputCodec<MultiLabel> codec = tasks().codec(domain(outputs));
        float[] columns = {0.2f, 0.5f, 0.500001f, 0.9f};
        Prediction<MultiLabel> prediction = codec.prediction(columns, 0, 1, examples(outputs).get(0));
        for (int id = 0; id < columns.length; id++) {
            String name = codec.name(id);
            MultiLabel scored = prediction.getOutputScores().get(name);
            assertEquals(columns[id], scored.getLabelSet().iterator().next().getScore());
            assertEquals(columns[id] > 0.5, prediction.getOutput().contains(name));
        }
    }

    @Test
    void fault18_namesWithLineBreaksAreRejected() {
        List<MultiLabel> outputs = named("a\nb");
        assertThrows(EmtalException.class, () -> encode(tasks(), outputs));
    }
}
