package io.emtal.tribuo.output;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import org.junit.jupiter.api.Test;
import org.tribuo.classification.Label;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

class LabelTasksTest extends OutputTasksContract<Label> {

    @Override
    OutputTasks<Label> tasks() {
        return new LabelTasks();
    }

    @Override
    OutputTasks<Label> tasksForConstants() {
        return new LabelTasks(true);
    }

    @Override
    List<Label> complete(Random random) {
        List<Label> outputs = new ArrayList<>(List.of(new Label("a"), new Label("b"), new Label("c")));
        for (int i = 0; i < 20; i++) {
            outputs.add(new Label("" + "abc".charAt(random.nextInt(3))));
        }
        return outputs;
    }

    @Override
    Label unknown() {
        return new Label("d");
    }

    @Override
    Optional<Fault<Label>> singleClass() {
        return Optional.of(new Fault<>(List.of(new Label("a"), new Label("a")), "label"));
    }

    @Override
    Optional<Fault<Label>> absentTask() {
        return Optional.empty();
    }

    @Override
    Optional<Label> unlabelled() {
        return Optional.empty();
    }

    @Override
    List<Label> named(String name) {
        return List.of(new Label(name), new Label("other"));
    }

    @Override
    Label renamed(Label output) {
        return new Label(renamed(output.getLabel()));
    }

    @Override
    Optional<Label> without(Label output, String task) {
        return Optional.empty();
    }

    @Override
    boolean near(Label expected, Label actual) {
        return expected.equals(actual);
    }

    @Test
    void aDomainOfOneLabelIsASigmoid() {
        EncodedOutputs encoded = encode(tasksForConstants(), List.of(new Label("a"), new Label("a")));
        assertEquals(List.of(new BinaryTask("label")), encoded.tasks().tasks());
    }

    @Test
    void aDomainOfSeveralLabelsIsASoftmaxEvenIfOneIsSeen() {
        OutputCodec<Label> codec = tasksForConstants().codec(domain(List.of(new Label("a"), new Label("b"))));
        assertEquals(List.of(new CategoricalTask("label", 2)),
                codec.encode(examples(List.of(new Label("a")))).tasks().tasks());
    }
}
