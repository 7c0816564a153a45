package io.emtal.samples.compare;

import io.emtal.samples.table.MultiLabelTargets;
import io.emtal.samples.table.RegressorTargets;
import io.emtal.samples.table.Table;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.table.Column;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.ToLongFunction;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.dtree.CARTClassificationTrainer;
import org.tribuo.classification.dtree.impurity.GiniIndex;
import org.tribuo.classification.ensemble.VotingCombiner;
import org.tribuo.classification.sgd.fm.FMClassificationTrainer;
import org.tribuo.classification.sgd.objectives.LogMulticlass;
import org.tribuo.classification.xgboost.XGBoostClassificationTrainer;
import org.tribuo.common.nearest.KNNModel;
import org.tribuo.common.nearest.KNNTrainer;
import org.tribuo.common.tree.RandomForestTrainer;
import org.tribuo.ensemble.EnsembleCombiner;
import org.tribuo.impl.ArrayExample;
import org.tribuo.math.distance.L2Distance;
import org.tribuo.math.neighbour.NeighboursQueryFactoryType;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.baseline.IndependentMultiLabelModel;
import org.tribuo.multilabel.baseline.IndependentMultiLabelTrainer;
import org.tribuo.multilabel.ensemble.CCEnsembleTrainer;
import org.tribuo.multilabel.ensemble.MultiLabelVotingCombiner;
import org.tribuo.multilabel.sgd.fm.FMMultiLabelTrainer;
import org.tribuo.multilabel.sgd.linear.LinearSGDTrainer;
import org.tribuo.multilabel.sgd.objectives.BinaryCrossEntropy;
import org.tribuo.regression.Regressor;
import org.tribuo.regression.ensemble.AveragingCombiner;
import org.tribuo.regression.rtree.CARTJointRegressionTrainer;
import org.tribuo.regression.rtree.impurity.MeanSquaredError;
import org.tribuo.regression.sgd.fm.FMRegressionTrainer;
import org.tribuo.regression.sgd.objectives.SquaredLoss;
import org.tribuo.regression.xgboost.XGBoostRegressionTrainer;

/**
 * Tribuo's own trainers with the hyper-parameters of the baselines in the shared tables' {@code schema.json}. Gradient
 * descent uses AdaGrad, since Adam of Tribuo 4.3.2 multiplies by the second moment.
 */
final class TribuoPeers {
    private static final double[] CLASSIFICATION_RATES = {0.01, 0.03, 0.1, 0.5};
    private static final double[] REGRESSION_RATES = {0.003, 0.01, 0.03, 0.1};
    private static final double[] FM_RATES = {0.01, 0.05, 0.2};
    private static final double[] NEIGHBOURS = {1, 3, 5, 10, 20, 40};
    private static final int CLASSIFICATION_NEIGHBOURS = 10;
    private static final int CLASSIFICATION_EPOCHS = 20;
    private static final int REGRESSION_EPOCHS = 50;
    private static final int FM_EPOCHS = 20;
    private static final int FACTORS = 6;
    private static final double FACTOR_DEVIATION = 0.05;
    private static final int TREES = 200;
    private static final int TREES_OF_LARGE_SETS = 100;
    private static final int CHAINS = 10;
    /** Several OpenMP threads gain little on small tables, and stall where other programs want the cores. */
    private static final int BOOSTING_THREADS = 1;
    private static final int NO_LOGGING = -1;

    /** Above this many rows times inputs a forest of classification trees is of the smaller size. */
    private static final long LARGE = 100_000;

    /** Above this many inputs times targets a joint regression tree looks at sqrt(p) inputs per split, not p/3. */
    private static final long WIDE = 4000;

    private static final ToLongFunction<Shape> LINEAR = shape -> (long) shape.outputs() * (shape.inputs() + 1);
    private static final ToLongFunction<Shape> FACTORISED =
            shape -> shape.outputs() * (1 + (1L + FACTORS) * shape.inputs());

    private TribuoPeers() {
    }

    static List<Competitor<MultiLabel>> multiLabel() {
        return List.of(
                labels("linear-sgd", true, LINEAR, Recipe.choosing(CLASSIFICATION_RATES, (rate, shape, seed) ->
                        new LinearSGDTrainer(new BinaryCrossEntropy(), new AdaGrad(rate), CLASSIFICATION_EPOCHS,
                                NO_LOGGING, 1, seed))),
                labels("fm", true, FACTORISED, Recipe.choosing(FM_RATES, (rate, shape, seed) ->
                        new FMMultiLabelTrainer(new BinaryCrossEntropy(), new AdaGrad(rate), FM_EPOCHS,
                                NO_LOGGING, 1, seed, FACTORS, FACTOR_DEVIATION))),
                labels("knn", false, TribuoCompetitor.NO_VECTOR, Recipe.of((shape, seed) ->
                        neighbours(CLASSIFICATION_NEIGHBOURS, shape, new MultiLabelVotingCombiner()))),
                labels("random-forest", true, TribuoCompetitor.NO_VECTOR, independent(TribuoPeers::forest)),
                labels("xgboost", true, TribuoCompetitor.NO_VECTOR, independent((shape, seed) -> boosted(200, seed))),
                labels("chains", true, TribuoCompetitor.NO_VECTOR, Recipe.of((shape, seed) ->
                        new CCEnsembleTrainer(boosted(100, seed), CHAINS, seed))));
    }

    static List<TribuoCompetitor<Regressor>> regression() {
        return List.of(
                numbers("linear-sgd", true, LINEAR, Recipe.choosing(REGRESSION_RATES, (rate, shape, seed) ->
                        new org.tribuo.regression.sgd.linear.LinearSGDTrainer(new SquaredLoss(), new AdaGrad(rate),
                                REGRESSION_EPOCHS, NO_LOGGING, 1, seed))),
                numbers("fm", true, FACTORISED, Recipe.choosing(FM_RATES, (rate, shape, seed) ->
                        new FMRegressionTrainer(new SquaredLoss(), new AdaGrad(rate), FM_EPOCHS, NO_LOGGING, 1, seed,
                                FACTORS, FACTOR_DEVIATION, false))),
                numbers("knn", true, TribuoCompetitor.NO_VECTOR, Recipe.choosing(NEIGHBOURS, (k, shape, seed) ->
                        neighbours((int) k, shape, new MeanCombiner()))),
                numbers("random-forest", true, TribuoCompetitor.NO_VECTOR, Recipe.of((shape, seed) -> {
                    boolean wide = (long) shape.inputs() * shape.outputs() > WIDE;
                    float fraction = fraction(shape, wide ? Math.sqrt(shape.inputs()) : shape.inputs() / 3.0);
                    // An ensemble of Tribuo combines with weights, so its own combiner does what it should.
                    return new RandomForestTrainer<>(new CARTJointRegressionTrainer(Integer.MAX_VALUE, 2, 0, fraction,
                            false, new MeanSquaredError(), false, seed), new AveragingCombiner(), TREES, seed);
                })),
                numbers("xgboost", true, TribuoCompetitor.NO_VECTOR, Recipe.of((shape, seed) ->
                        new XGBoostRegressionTrainer(XGBoostRegressionTrainer.RegressionType.LINEAR, 300, 0.05, 0, 4,
                                1, 0.8, 0.8, 1, 0, BOOSTING_THREADS, true, seed))));
    }

    static List<PerTargetCompetitor> categorical() {
        return List.of(
                new PerTargetCompetitor("linear-sgd", true, Recipe.choosing(CLASSIFICATION_RATES,
                        (rate, shape, seed) -> new org.tribuo.classification.sgd.linear.LinearSGDTrainer(
                                new LogMulticlass(), new AdaGrad(rate), CLASSIFICATION_EPOCHS, NO_LOGGING, 1, seed)),
                        LINEAR),
                new PerTargetCompetitor("fm", true, Recipe.choosing(FM_RATES, (rate, shape, seed) ->
                        new FMClassificationTrainer(new LogMulticlass(), new AdaGrad(rate), FM_EPOCHS,
                                NO_LOGGING, 1, seed, FACTORS, FACTOR_DEVIATION)), FACTORISED),
                new PerTargetCompetitor("knn", false, Recipe.of((shape, seed) ->
                        neighbours(CLASSIFICATION_NEIGHBOURS, shape, new VotingCombiner())),
                        TribuoCompetitor.NO_VECTOR),
                new PerTargetCompetitor("random-forest", true, Recipe.of(TribuoPeers::forest),
                        TribuoCompetitor.NO_VECTOR),
                new PerTargetCompetitor("xgboost", true, Recipe.of((shape, seed) -> boosted(200, seed)),
                        TribuoCompetitor.NO_VECTOR));
    }

    /** The methods that there are for classes and for numbers. */
    static List<Competitor<MultiTask>> mixed() {
        List<Competitor<MultiTask>> mixed = new ArrayList<>();
        for (PerTargetCompetitor classes : categorical()) {
            regression().stream().filter(numbers -> numbers.name().equals(classes.name())).forEach(numbers ->
                    mixed.add(new MixedPeer(classes.name(), classes.seeded() || numbers.seeded(), classes.recipe(), numbers.recipe(),
                            classes.parameters())));
        }
        return mixed;
    }

    private static Competitor<MultiLabel> labels(String name, boolean seeded, ToLongFunction<Shape> parameters,
            Recipe<MultiLabel> recipe) {
        return new TribuoCompetitor<>(name, seeded, recipe, table -> {
            List<String> labels = table.schema().targets().stream().map(Column::name).toList();
            MultiLabelTargets targets = new MultiLabelTargets(table);
            return new Recipe.Problem<>(table, labels.size(), rows -> targets,
                    outcomes -> Losses.logLoss(labels, outcomes));
        }, parameters);
    }

    private static TribuoCompetitor<Regressor> numbers(String name, boolean seeded, ToLongFunction<Shape> parameters,
            Recipe<Regressor> recipe) {
        RegressionMetrics metrics = new RegressionMetrics();
        return new TribuoCompetitor<>(name, seeded, recipe, table -> new Recipe.Problem<>(table,
                table.schema().targets().size(), rows -> RegressorTargets.standardised(table, rows),
                outcomes -> metrics.evaluate(table, outcomes).getOrDefault(metrics.main(), 0.0)), parameters);
    }

    private static <T extends Output<T>> Trainer<T> neighbours(int k, Shape shape, EnsembleCombiner<T> combiner) {
        return new KNNTrainer<>(Math.min(k, shape.rows()), new L2Distance(), 1, combiner,
                KNNModel.Backend.THREADPOOL, NeighboursQueryFactoryType.BRUTE_FORCE);
    }

    private static Trainer<Label> forest(Shape shape, long seed) {
        int trees = (long) shape.rows() * shape.inputs() > LARGE ? TREES_OF_LARGE_SETS : TREES;
        return new RandomForestTrainer<>(new CARTClassificationTrainer(Integer.MAX_VALUE, 2, 0,
                fraction(shape, Math.sqrt(shape.inputs())), new GiniIndex(), seed), new VotingCombiner(), trees, seed);
    }

    private static Trainer<Label> boosted(int rounds, long seed) {
        return new XGBoostClassificationTrainer(rounds, 0.1, 0, 4, 1, 0.8, 0.8, 1, 0, BOOSTING_THREADS, true, seed);
    }

    /** At least one input; not the fraction 1, which a random forest refuses even where there is only one input. */
    private static float fraction(Shape shape, double inputs) {
        return (float) Math.min(0.999, Math.max(1, inputs) / shape.inputs());
    }

    /** One binary model per label, asked for their scores, which the model that holds them leaves out. */
    private static Recipe<MultiLabel> independent(BiFunction<Shape, Long, Trainer<Label>> inner) {
        return new Recipe<>(List.of((shape, seed) -> new IndependentMultiLabelTrainer(inner.apply(shape, seed))),
                TribuoPeers::predictIndependently);
    }

    private static List<Prediction<MultiLabel>> predictIndependently(Model<MultiLabel> model,
            Dataset<MultiLabel> examples) {
        IndependentMultiLabelModel members = (IndependentMultiLabelModel) model;
        List<Example<Label>> inputs = new ArrayList<>();
        for (Example<MultiLabel> example : examples) {
            inputs.add(new ArrayExample<>(LabelFactory.UNKNOWN_LABEL, example, 1));
        }
        List<List<Prediction<Label>>> predicted =
                members.getModels().stream().map(member -> member.predict(inputs)).toList();
        List<Prediction<MultiLabel>> joined = new ArrayList<>();
        for (int row = 0; row < examples.size(); row++) {
            Set<Label> labels = new HashSet<>();
            Map<String, MultiLabel> scores = new HashMap<>();
            for (int i = 0; i < predicted.size(); i++) {
                String name = members.getLabelOrder().get(i).getLabel();
                Prediction<Label> prediction = predicted.get(i).get(row);
                Label scored = prediction.getOutputScores().get(name);
                scores.put(name, new MultiLabel(scored));
                // An even vote of a forest counts as present; its own output would depend on the order of the labels.
                if (scored.getScore() >= 0.5) {
                    labels.add(scored);
                }
            }
            Example<MultiLabel> example = examples.getExample(row);
            joined.add(new Prediction<>(new MultiLabel(labels), scores, example.size(), example, true));
        }
        return joined;
    }
}
