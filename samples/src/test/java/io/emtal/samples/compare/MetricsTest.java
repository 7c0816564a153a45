package io.emtal.samples.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.emtal.samples.table.Split;
import io.emtal.samples.table.Table;
import io.emtal.samples.table.TableFolder;
import io.emtal.tribuo.multitask.MultiTask;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.impl.ArrayExample;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.regression.Regressor;

class MetricsTest {
    private static final List<String> LABELS = List.of("a", "b", "c");

    @TempDir
    Path temp;

    @Test
    void multiLabelMetricsAreOfAllLabelsOfTheSchema() {
        // Truth a,b | c; predicted a | b,c; a never occurs in training.
        Table table = new TableFolder(temp).with("schema.json", """
                {"name": "m", "files": {"train": "train.csv", "test": "test.csv"},
                 "features": [{"name": "x", "type": "numeric"}],
                 "targets": [{"name": "a", "type": "nominal", "values": ["0", "1"]},
                             {"name": "b", "type": "nominal", "values": ["0", "1"]},
                             {"name": "c", "type": "nominal", "values": ["1", "0"]}]}
                """).with("train.csv", "x,a,b,c\n1,0,0,0\n").with("test.csv", "x,a,b,c\n1,1,1,0\n2,0,0,1\n").read();
        Map<String, Double> metrics = new MultiLabelMetrics().evaluate(table, List.of(
                new Outcome<>(table.splits().get(0),
                        List.of(labels("a", 0.9, 0.4, 0.1), labels("b c", 0.3, 0.6, 0.9)))));
        assertEquals(2 / 6.0, metrics.get("hamming"), 1e-12);
        assertEquals((1 + 0 + 1) / 3.0, metrics.get("macro_f1"), 1e-12);
        assertEquals((1 + 0 + 1) / 3.0, metrics.get("macro_auc"), 1e-12);
    }

    @Test
    void errorsOfMixedTargetsAreRelativeToAConstantsOverTheRowsThatHaveThem() {
        Table table = new TableFolder(temp).with("schema.json", """
                {"name": "x", "files": {"data": "data.csv", "fold_column": "fold", "folds": 2},
                 "features": [{"name": "x", "type": "numeric"}],
                 "targets": [{"name": "n", "type": "numeric"}, {"name": "b", "type": "nominal", "values": ["1", "0"]},
                             {"name": "k", "type": "nominal", "values": ["u", "v", "w"]},
                             {"name": "same", "type": "nominal", "values": ["u", "v"]}]}
                """).with("data.csv", """
                fold,x,n,b,k,same
                0,1,3,1,u,u
                0,2,,0,v,u
                0,3,5,1,,u
                1,4,9,0,w,u
                1,5,7,0,w,u
                1,6,,1,u,u
                """).read();
        List<Outcome<MultiTask>> outcomes = List.of(
                new Outcome<>(table.splits().get(0), List.of(mixed(4, true, "u"), mixed(0, true, "w"), mixed(5, true, "u"))),
                new Outcome<>(table.splits().get(1), List.of(mixed(9, false, "w"), mixed(9, true, "u"), mixed(0, true, "v"))));
        Map<String, Double> metrics = new MixedMetrics().evaluate(table, outcomes);
        // n: off by 1, 0, 0, 2; the training means are 8 and 4. b: row 2 and 5 wrong; a constant says 0, then 1, and is
        // wrong in rows 1, 3, 4, 5. k: rows 2, 5 and 6 wrong; a constant says w, then u (the first of two), wrong in 1, 2, 4, 5.
        double n = Math.sqrt(5.0 / (25 + 9 + 25 + 9));
        assertEquals(Map.of("mean_error", (n + 0.5 + 0.75) / 3, "error:n", n, "error:b", 0.5, "error:k", 0.75), metrics);
    }

    private static Prediction<MultiTask> mixed(double n, boolean b, String k) {
        MultiTask output = MultiTask.builder().real("n", n).binary("b", b).categorical("k", k).categorical("same", "u")
                .build();
        return new Prediction<>(output, 1, new ArrayExample<>(output));
    }

    @Test
    void relativeErrorsPoolTheFoldsAgainstTheirOwnTrainingMeans() {
        Table table = new TableFolder(temp).with("schema.json", """
                {"name": "r", "files": {"data": "data.csv", "fold_column": "fold", "folds": 2},
                 "features": [{"name": "x", "type": "numeric"}],
                 "targets": [{"name": "s", "type": "numeric"}, {"name": "t", "type": "numeric"},
                             {"name": "constant", "type": "numeric"}]}
                """).with("data.csv", "fold,x,s,t,constant\n0,1,1,10,5\n0,2,3,20,5\n1,3,5,30,5\n1,4,9,50,5\n").read();
        List<Split> splits = table.splits();
        // Fold 0 is predicted exactly; in fold 1, s is off by 1 and -2, t by 0 and 10.
        Map<String, Double> metrics = new RegressionMetrics().evaluate(table, List.of(
                new Outcome<>(splits.get(0), List.of(numbers(1, 10), numbers(3, 20))),
                new Outcome<>(splits.get(1), List.of(numbers(6, 30), numbers(7, 60)))));
        // Training means: s 7 and 2, t 40 and 15.
        double s = Math.sqrt(5.0 / (36 + 16 + 9 + 49));
        double t = Math.sqrt(100.0 / (900 + 400 + 225 + 1225));
        assertEquals(s, metrics.get("rrmse:s"), 1e-12);
        assertEquals(t, metrics.get("rrmse:t"), 1e-12);
        assertFalse(metrics.containsKey("rrmse:constant"), "the training mean has no error");
        assertEquals((s + t) / 2, metrics.get("aRRMSE"), 1e-12);
    }

    @Test
    void accuraciesTakeTheClassWithTheHighestScore() {
        Table table = new TableFolder(temp).with("schema.json", """
                {"name": "c", "files": {"train": "train.csv", "test": "test.csv"},
                 "features": [{"name": "x", "type": "numeric"}],
                 "targets": [{"name": "k", "type": "nominal", "values": ["u", "v", "w"]},
                             {"name": "m", "type": "nominal", "values": ["yes", "no"]}]}
                """).with("train.csv", "x,k,m\n1,u,yes\n").with("test.csv", "x,k,m\n1,v,no\n2,w,yes\n").read();
        Map<String, Double> metrics = new CategoricalMetrics().evaluate(table, List.of(
                new Outcome<>(table.splits().get(0), List.of(
                        classes(Map.of("k=u", 0.2, "k=v", 0.5, "k=w", 0.3, "m=yes", 0.1, "m=no", 0.9)),
                        classes(Map.of("k=u", 0.4, "k=v", 0.3, "k=w", 0.3, "m=yes", 0.8, "m=no", 0.2))))));
        assertEquals(Map.of("mean_accuracy", 0.75, "accuracy:k", 0.5, "accuracy:m", 1.0), metrics);
    }

    private static Prediction<MultiLabel> labels(String present, double... scores) {
        Set<Label> labels = new HashSet<>();
        for (String label : present.split(" ")) {
            if (!label.isEmpty()) {
                labels.add(new Label(label));
            }
        }
        Map<String, MultiLabel> scored = new HashMap<>();
        for (int i = 0; i < scores.length; i++) {
            scored.put(LABELS.get(i), new MultiLabel(new Label(LABELS.get(i), scores[i])));
        }
        return new Prediction<>(new MultiLabel(labels), scored, 1, example(new MultiLabel(labels)), true);
    }

    private static Prediction<MultiLabel> classes(Map<String, Double> scores) {
        Map<String, MultiLabel> scored = new HashMap<>();
        scores.forEach((label, score) -> scored.put(label, new MultiLabel(new Label(label, score))));
        MultiLabel nothing = new MultiLabel(Set.of());
        return new Prediction<>(nothing, scored, 1, example(nothing), true);
    }

    private static Prediction<Regressor> numbers(double s, double t) {
        Regressor output = new Regressor(new String[] {"s", "t", "constant"}, new double[] {s, t, 5});
        return new Prediction<>(output, 1, example(output));
    }

    private static <T extends Output<T>> Example<T> example(T output) {
        return new ArrayExample<>(output, new String[] {"x"}, new double[] {1});
    }
}
