package io.emtal.samples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.emtal.onnx.EmtalException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.impl.ArrayExample;
import org.tribuo.multilabel.MultiLabel;

class TaskAccuracyTest {
    @Test
    void theHighestScoreOfATaskCountsAndAMissingClassDoesNot() {
        Map<String, Double> scores = Map.of("a=x", 0.2, "a=y", 0.3, "b=x", -3.0, "b=y", -2.0);
        assertEquals(Map.of("a", 0.5, "b", 1.0), TaskAccuracy.of(List.of(
                prediction(scores, "a=y", "b=y"), prediction(scores, "a=x", "b=y"), prediction(scores, "b=y"),
                prediction(scores, "a=y", "b=y"), prediction(scores, "a=x"))));
    }

    @Test
    void aLabelWithoutTaskIsRefused() {
        assertThrows(EmtalException.class, () -> TaskAccuracy.of(List.of(prediction(Map.of("x", 1.0), "x"))));
    }

    private static Prediction<MultiLabel> prediction(Map<String, Double> scores, String... truth) {
        Map<String, MultiLabel> scored = new HashMap<>();
        scores.forEach((label, score) -> scored.put(label, new MultiLabel(new Label(label, score))));
        MultiLabel labels = new MultiLabel(Stream.of(truth).map(Label::new).collect(Collectors.toSet()));
        return new Prediction<>(new MultiLabel(Set.of()), scored, 1,
                new ArrayExample<>(labels, new String[] {"f"}, new double[] {1}), true);
    }
}
