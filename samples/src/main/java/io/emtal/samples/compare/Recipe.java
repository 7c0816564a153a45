package io.emtal.samples.compare;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.table.Split;
import io.emtal.samples.table.StandardisedFeatures;
import io.emtal.samples.table.Table;
import io.emtal.samples.table.TargetView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.tribuo.Dataset;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.Trainer;

/**
 * How one of Tribuo's trainers is made and used: on standardised features, with hyper-parameters chosen by three inner
 * folds of the training rows where there is a choice.
 *
 * @param <T> the type of the outputs
 * @param candidates the trainers to choose from, each made from the size of the problem and a seed
 * @param prediction how a model predicts a data set
 */
record Recipe<T extends Output<T>>(List<BiFunction<Shape, Long, Trainer<T>>> candidates,
        BiFunction<Model<T>, Dataset<T>, List<Prediction<T>>> prediction) {
    private static final int INNER_FOLDS = 3;

    Recipe {
        candidates = List.copyOf(candidates);
    }

    /** A trainer without a choice. */
    static <T extends Output<T>> Recipe<T> of(BiFunction<Shape, Long, Trainer<T>> trainer) {
        return new Recipe<>(List.of(trainer), Model::predict);
    }

    /** One seeded trainer for each value of a hyper-parameter. */
    static <T extends Output<T>> Recipe<T> choosing(double[] values, Parametric<T> trainer) {
        List<BiFunction<Shape, Long, Trainer<T>>> candidates = new ArrayList<>();
        for (double value : values) {
            candidates.add((shape, seed) -> trainer.make(value, shape, seed));
        }
        return new Recipe<>(candidates, Model::predict);
    }

    /** Makes a trainer from a hyper-parameter, the size of the problem and a seed. */
    interface Parametric<T extends Output<T>> {
        Trainer<T> make(double value, Shape shape, long seed);
    }

    /** What there is to learn, apart from the rows. */
    record Problem<T extends Output<T>>(Table table, int outputs, Function<int[], TargetView<T>> targets,
            ToDoubleFunction<List<Outcome<T>>> loss) {
    }

    /** A model with the views that belong to it. */
    record Trained<T extends Output<T>>(Model<T> model, StandardisedFeatures features, TargetView<T> targets,
            BiFunction<Model<T>, Dataset<T>, List<Prediction<T>>> prediction) {
        List<Prediction<T>> predict(Dataset<T> examples) {
            return prediction.apply(model, examples).stream().map(targets::restore).toList();
        }
    }

    /** Chooses a candidate by the mean loss over inner folds, then trains it on all rows. */
    Trained<T> train(Problem<T> problem, int[] rows, long seed) {
        return train(problem, candidates.size() == 1 ? candidates.get(0) : choose(problem, rows, seed), rows, seed);
    }

    private BiFunction<Shape, Long, Trainer<T>> choose(Problem<T> problem, int[] rows, long seed) {
        EmtalException.check(rows.length >= INNER_FOLDS, "%d training rows; at least %d are needed", rows.length,
                INNER_FOLDS);
        List<Split> folds = innerFolds(rows, seed);
        return Collections.min(candidates, Comparator.comparingDouble(candidate -> {
            List<Outcome<T>> outcomes = new ArrayList<>();
            for (Split fold : folds) {
                Trained<T> trained = train(problem, candidate, fold.train(), seed);
                Dataset<T> tested = problem.table.dataset(trained.features, trained.targets, fold.test());
                outcomes.add(new Outcome<>(fold, trained.predict(tested)));
            }
            return problem.loss.applyAsDouble(outcomes);
        }));
    }

    private static List<Split> innerFolds(int[] rows, long seed) {
        List<Integer> shuffled = new ArrayList<>(Arrays.stream(rows).boxed().toList());
        Collections.shuffle(shuffled, new Random(seed));
        return IntStream.range(0, INNER_FOLDS).mapToObj(fold -> new Split("inner fold " + fold,
                every(shuffled, i -> i % INNER_FOLDS != fold), every(shuffled, i -> i % INNER_FOLDS == fold))).toList();
    }

    private static int[] every(List<Integer> rows, IntPredicate chosen) {
        return IntStream.range(0, rows.size()).filter(chosen).map(rows::get).toArray();
    }

    private Trained<T> train(Problem<T> problem, BiFunction<Shape, Long, Trainer<T>> candidate, int[] rows,
            long seed) {
        StandardisedFeatures features = StandardisedFeatures.fit(problem.table, rows);
        TargetView<T> targets = problem.targets.apply(rows);
        MutableDataset<T> examples = problem.table.dataset(features, targets, rows);
        Shape shape = new Shape(rows.length, features.width(), problem.outputs);
        return new Trained<>(candidate.apply(shape, seed).train(examples), features, targets, prediction);
    }
}
