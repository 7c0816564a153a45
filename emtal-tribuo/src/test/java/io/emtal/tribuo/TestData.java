package io.emtal.tribuo;

import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.train.Recipe;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.impl.ArrayExample;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.provenance.SimpleDataSourceProvenance;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;

import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Stream;

/** Small data sets with numbers, a nominal column and gaps, and a trainer that is quick on them. */
public final class TestData {

    private static final String[] COLOURS = {"blue", "green", "red"};

    private TestData() {
    }

    /** Two numbers of which the second may be missing, and a colour that may be missing. */
    public record Row(double x, double y, int colour) {

        static Row draw(SplittableRandom random, boolean gaps) {
            return new Row(random.nextDouble(-2, 2),
                    gaps && random.nextInt(5) == 0 ? Double.NaN : random.nextDouble(-2, 2),
                    gaps && random.nextInt(5) == 0 ? -1 : random.nextInt(3));
        }

        public <T extends Output<T>> Example<T> example(T output) {
            ArrayExample<T> example = new ArrayExample<>(output);
            example.add("x@value", x);
            if (!Double.isNaN(y)) {
                example.add("y@value", y);
            }
            if (colour >= 0) {
                example.add("colour@" + COLOURS[colour], 1);
            }
            return example;
        }

        MultiLabel labels() {
            Set<Label> labels = new LinkedHashSet<>();
            if (x > 0) {
                labels.add(new Label("right"));
            }
            if (x + (colour == 1 ? 1 : -1) > 0) {
                labels.add(new Label("lifted"));
            }
            labels.add(new Label("kind=" + (x < -0.7 ? "low" : x < 0.7 ? "mid" : "high")));
            return new MultiLabel(labels);
        }

        Regressor targets() {
            return new Regressor(new String[] {"sum", "area"},
                    new double[] {100 + 10 * x + (Double.isNaN(y) ? 0 : y), x * x + (colour == 2 ? 3 : 0)});
        }

        /** Each task is missing in a fifth of the rows, all are in a twentieth. */
        MultiTask tasks() {
            int draw = Math.floorMod(Double.hashCode(x), 20);
            MultiTask.Builder tasks = MultiTask.builder();
            if (draw % 5 != 0 && draw != 19) {
                tasks.categorical("kind", label().getLabel());
            }
            if (draw % 5 != 1 && draw != 19) {
                tasks.binary("lifted", x + (colour == 1 ? 1 : -1) > 0);
            }
            if (draw % 5 != 2 && draw != 19) {
                tasks.real("sum", targets().getValues()[1]);
            }
            return tasks.build();
        }

        Label label() {
            return new Label(x < -0.7 ? "low" : x < 0.7 ? "mid" : "high");
        }
    }

    public static Dataset<MultiLabel> multiLabels(int size, long seed) {
        return dataset(new MultiLabelFactory(), size, seed, true, Row::labels);
    }

    public static Dataset<Regressor> regressors(int size, long seed) {
        return dataset(new RegressionFactory(), size, seed, true, Row::targets);
    }

    public static Dataset<MultiTask> multiTasks(int size, long seed) {
        return dataset(new MultiTaskFactory(), size, seed, true, Row::tasks);
    }

    public static Dataset<Label> labels(int size, long seed) {
        return dataset(new LabelFactory(), size, seed, true, Row::label);
    }

    public static <T extends Output<T>> Dataset<T> dataset(OutputFactory<T> factory, int size, long seed, boolean gaps,
                                                           Function<Row, T> output) {
        return dataset(factory, rows(size, seed, gaps).stream().map(row -> row.example(output.apply(row))).toList());
    }

    public static List<Row> rows(int size, long seed, boolean gaps) {
        SplittableRandom random = new SplittableRandom(seed);
        return Stream.generate(() -> Row.draw(random, gaps)).limit(size).toList();
    }

    public static <T extends Output<T>> Dataset<T> dataset(OutputFactory<T> factory, List<Example<T>> examples) {
        MutableDataset<T> dataset = new MutableDataset<>(new SimpleDataSourceProvenance("synthetic",
                OffsetDateTime.of(2026, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC), factory), factory);
        dataset.addAll(examples);
        return dataset;
    }

    /** A trainer of a few seconds. */
    public static <T extends Output<T>> EmtalTrainer.Builder<T> trainer() {
        return EmtalTrainer.<T>builder()
                .backbone(FeatureEnsemble.builder().members(4).width(16).depth(1).hidden(32).bins(4).build())
                .method(Emtal.builder().experts(4).rank(2).build())
                .recipe(Recipe.builder().pretrainEpochs(25).epochs(6).batchSize(16).workers(2).build());
    }

    /** A trainer of a fraction of a second, for tests in which nothing needs to be learnt. */
    public static <T extends Output<T>> EmtalTrainer.Builder<T> quickTrainer() {
        return TestData.<T>trainer()
                .recipe(Recipe.builder().pretrainEpochs(2).epochs(2).batchSize(16).workers(2).build());
    }
}
