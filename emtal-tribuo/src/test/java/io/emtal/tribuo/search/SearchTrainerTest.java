package io.emtal.tribuo.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.train.Checkpoints;
import io.emtal.onnx.train.CosineSchedule;
import io.emtal.onnx.train.Recipe;
import io.emtal.onnx.train.StepEvent;
import io.emtal.onnx.train.TrainingListener;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.TestData;
import io.emtal.tribuo.image.ImagePreprocessing;
import io.emtal.tribuo.output.MultiLabelTasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Model;
import org.tribuo.classification.Label;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.provenance.ModelProvenance;
import org.tribuo.provenance.TrainerProvenance;
import org.tribuo.regression.Regressor;
import org.tribuo.test.Helpers;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

class SearchTrainerTest {

    private static final Setting RATE = new Setting(
            List.of("recipe.pretrainSchedule.peak", "recipe.pretrainSchedule.minimum"), List.of("1e-6", "1e-5", "5e-3"));

    @TempDir
    Path folder;

    /** Learns next to nothing at its own rate. */
    private static <T extends org.tribuo.Output<T>> EmtalTrainer<T> slow(long seed) {
        return EmtalTrainer.<T>builder()
                .backbone(FeatureEnsemble.builder().members(3).width(16).depth(1).hidden(32).bins(4).build())
                .method(Emtal.builder().experts(4).rank(2).build())
                .recipe(Recipe.builder().pretrainEpochs(4).epochs(2).batchSize(16).workers(2)
                        .pretrainSchedule(new CosineSchedule(1e-6, 1e-6, 0)).schedule(new CosineSchedule(1e-6, 1e-6, 0)).build())
                .seed(seed).build();
    }

    private static OnnxMl.GraphProto graph(EmtalModel<?> model) {
        return model.exportONNXModel("com.example", 1).getGraph();
    }

    private static final class Heard implements SearchListener {

        private final List<Trial> trials = new ArrayList<>();
        private final List<Integer> rungs = new ArrayList<>();

        @Override
        public void rung(int rung, int count, int expected) {
            assertEquals(rungs.size(), rung);
            assertEquals(2, count);
            rungs.add(expected);
        }

        @Override
        public void trial(Trial trial) {
            trials.add(trial);
        }
    }

    @Test
    void theModelIsThatOfTheBestConfiguration() {
        Dataset<Regressor> data = TestData.regressors(60, 1);
        Heard heard = new Heard();
        SearchTrainer<Regressor> search = SearchTrainer.<Regressor>builder().trainer(slow(5)).space(List.of(RATE))
                .rungs(2).splits(2).budget(20).reduction(2).networks(1).listener(heard).build();
        search.setInvocationCount(2);
        EmtalModel<Regressor> model = search.train(data);
        // The trainer's own rate is one of the three, so there are three to try, of which two go on.
        assertEquals(List.of(3, 2), heard.rungs);
        // The trainer's own goes on whatever it comes to, and the best other one.
        assertEquals(List.of("1.0E-6", "1.0E-6", "5e-3"), Stream.of(0, 3, 4).map(trial ->
                heard.trials.get(trial).configuration().get(RATE.name())).toList(), heard.trials::toString);
        assertTrue(heard.trials.get(4).score() < heard.trials.get(3).score(), heard.trials::toString);
        EmtalTrainer<Regressor> same = slow(5);
        EmtalModel<Regressor> alone = same.toBuilder().recipe(Recipe.builder().pretrainEpochs(4).epochs(2).batchSize(16)
                .workers(2).pretrainSchedule(new CosineSchedule(5e-3, 5e-3, 0)).schedule(new CosineSchedule(1e-6, 1e-6, 0))
                .build()).build().train(data, Map.of(), 2);
        assertEquals(graph(alone), graph(model));
        assertEquals(List.of(alone.getProvenance().getTrainerProvenance()), trainers(model));
    }

    private static List<?> trainers(EmtalModel<?> model) {
        var facts = model.getProvenance().getInstanceProvenance().getMap();
        return IntStream.iterate(0, i -> facts.containsKey(EmtalModel.NETWORK + i), i -> i + 1)
                .mapToObj(i -> ((ModelProvenance) facts.get(EmtalModel.NETWORK + i)).getTrainerProvenance()).toList();
    }

    /** Of its own one where none is better; the seeds follow each other. */
    @Test
    void theModelIsTheMeanOfNetworksOfTheBestConfigurations() {
        Dataset<Regressor> data = TestData.regressors(60, 1);
        EmtalTrainer<Regressor> own = slow(5);
        EmtalModel<Regressor> alone = SearchTrainer.<Regressor>builder().trainer(own).budget(1).networks(2).build()
                .train(data);
        EmtalModel<Regressor> expected = EmtalModel.mean(List.of(own.train(data),
                own.toBuilder().seed(6).build().train(data)));
        assertEquals(graph(expected), graph(alone));
        assertEquals(trainers(expected), trainers(alone));
        // What is done to images changes nothing for a table, so that none is better.
        EmtalModel<Regressor> alike = SearchTrainer.<Regressor>builder().trainer(own).rungs(2).networks(2)
                .space(List.of(Setting.of("imagePreprocessing.maxPixels", "1000"))).build().train(data);
        assertEquals(List.of(0, 0), candidates(alike));
        assertEquals(graph(expected), graph(alike));
        EmtalModel<Regressor> better = SearchTrainer.<Regressor>builder().trainer(own).rungs(2).splits(2).networks(2)
                .space(List.of(RATE)).build().train(data);
        int best = candidates(better).get(0);
        assertNotEquals(0, best);
        assertEquals(List.of(best, best), candidates(better));
        assertNotEquals(trainers(better).get(0), trainers(better).get(1));
    }

    private static List<Integer> candidates(EmtalModel<?> model) {
        return ((ListProvenance<?>) model.getProvenance().getInstanceProvenance().getMap().get(SearchTrainer.NETWORKS))
                .getList().stream().map(candidate -> ((IntProvenance) candidate).getValue()).toList();
    }

    @Test
    void provenanceHasEveryTrialAndGivesATrainerThatTrainsTheSameBits() {
        Dataset<MultiLabel> data = TestData.multiLabels(50, 1);
        Heard heard = new Heard();
        SearchTrainer<MultiLabel> search = SearchTrainer.<MultiLabel>builder().trainer(slow(1)).seed(9)
                .space(List.of(RATE, Setting.of("recipe.dropout", "0", "0.2"))).rungs(2).budget(4)
                .listener(heard).build();
        search.train(data).close();
        heard.rungs.clear();
        heard.trials.clear();
        EmtalModel<MultiLabel> model = search.train(data);
        ListProvenance<?> trials = (ListProvenance<?>) model.getProvenance().getInstanceProvenance().getMap()
                .get(SearchTrainer.TRIALS);
        assertEquals(heard.trials.stream().map(Trial::provenance).toList(), trials.getList());
        assertEquals(4 + 2, trials.getList().size());
        var configuration = ProvenanceUtil.extractConfiguration(model.getProvenance().getTrainerProvenance());
        ConfigurationManager manager = new ConfigurationManager();
        manager.addConfiguration(configuration);
        @SuppressWarnings("unchecked")
        SearchTrainer<MultiLabel> again = (SearchTrainer<MultiLabel>) manager.lookup(configuration.get(0).getName());
        int run = (Integer) model.getProvenance().getTrainerProvenance().getInstanceValues()
                .get(TrainerProvenance.TRAIN_INVOCATION_COUNT).getValue();
        assertEquals(1, run);
        EmtalModel<MultiLabel> repeated = again.train(data, Map.of(), run);
        assertEquals(graph(model), graph(repeated));
        assertEquals(model.getProvenance().getTrainerProvenance(), repeated.getProvenance().getTrainerProvenance());
        Helpers.testProvenanceMarshalling(model.getProvenance());
        assertEquals(model.getProvenance(), Model.deserialize(model.serialize()).getProvenance());
    }

    /** An empty text is a value, too. */
    @Test
    void howOutputsBecomeTasksIsKept() {
        Dataset<MultiLabel> data = TestData.multiLabels(30, 1);
        for (MultiLabelTasks outputs : List.of(new MultiLabelTasks("", true), new MultiLabelTasks("=", true))) {
            EmtalTrainer<MultiLabel> trainer = SearchTrainerTest.<MultiLabel>slow(1).toBuilder().outputs(outputs).build();
            assertEquals(trainer.getProvenance(), TrainerConfiguration.of(trainer).<MultiLabel>make().getProvenance());
            EmtalModel<MultiLabel> model = SearchTrainer.<MultiLabel>builder().trainer(trainer).space(List.of(RATE))
                    .rungs(2).budget(1).networks(1).build().train(data);
            assertEquals(graph(trainer.train(data)), graph(model));
        }
    }

    @Test
    void eachInvocationTriesOthersAndNoneTwice() {
        Dataset<Label> data = TestData.labels(30, 1);
        Heard heard = new Heard();
        SearchTrainer<Label> search = SearchTrainer.<Label>builder().trainer(slow(1)).budget(5).rungs(2)
                .space(List.of(RATE, Setting.of("recipe.dropout", "0", "0.1", "0.2", "0.3"),
                        Setting.of("recipe.optimizer.weightDecay", "0", "0.1", "0.5")))
                .listener(heard).build();
        List<Set<Map<String, String>>> tried = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            search.train(data).close();
            tried.add(new HashSet<>(heard.trials.stream().map(Trial::configuration).toList()));
            assertEquals(5, tried.get(run).size());
            heard.trials.clear();
            heard.rungs.clear();
        }
        assertNotEquals(tried.get(0), tried.get(1));
        assertEquals(2, search.getInvocationCount());
    }

    @Test
    void whatIsBuiltIsNotChangedByItsBuilder() {
        SearchTrainer.Builder<Label> builder = SearchTrainer.<Label>builder().trainer(slow(1)).space(List.of(RATE))
                .seed(1);
        SearchTrainer<Label> first = builder.build();
        TrainerProvenance before = first.getProvenance();
        first.setInvocationCount(2);
        SearchTrainer<Label> second = builder.seed(2).build();
        assertEquals(0, second.getInvocationCount());
        first.setInvocationCount(0);
        assertEquals(before, first.getProvenance());
        assertNotEquals(before, second.getProvenance());
        assertEquals(before, builder.seed(1).build().getProvenance());
    }

    @Test
    void propertiesOfOneSettingThatDifferAreAConfigurationOfTheirOwn() {
        EmtalTrainer<Label> trainer = SearchTrainerTest.<Label>slow(1).toBuilder()
                .recipe(Recipe.builder().pretrainEpochs(1).epochs(1).batchSize(16).workers(2)
                        .schedule(new CosineSchedule(5e-3, 1e-5, 0.1)).build()).build();
        Setting rate = new Setting(List.of("recipe.schedule.peak", "recipe.schedule.minimum"), List.of("1e-3", "5e-3"));
        Heard heard = new Heard();
        SearchTrainer<Label> search = SearchTrainer.<Label>builder().trainer(trainer).space(List.of(rate))
                .rungs(2).listener(heard).build();
        assertTimeoutPreemptively(Duration.ofMinutes(2), () -> search.train(TestData.labels(30, 1)).close());
        // The trainer as it is has the peak 5e-3, too, but another minimum.
        assertEquals(List.of(3, 2), heard.rungs);
        assertEquals("0.005", heard.trials.get(0).configuration().get(rate.name()));
        assertEquals(Set.of("1e-3", "5e-3"), heard.trials.subList(1, 3).stream()
                .map(trial -> trial.configuration().get(rate.name())).collect(Collectors.toSet()));
    }

    @Test
    void equalNumbersAreOneValueHoweverTheyAreWritten() {
        for (String[] values : List.of(new String[] {"0.1", "0.10"}, new String[] {"1e-3", "2e-3", "0.001"},
                new String[] {"a", "a"})) {
            var e = assertThrows(EmtalException.class, () -> Setting.of("recipe.dropout", values));
            assertTrue(e.getMessage().contains("no value twice"), e.getMessage());
        }
        assertEquals(2, Setting.of("seed", "9007199254740992", "9007199254740993").values().size());
    }

    @Test
    void configurationRoundTrips() throws Exception {
        SearchTrainer<Label> search = SearchTrainer.<Label>builder().trainer(slow(3)).space(List.of(RATE)).rungs(2)
                .budget(7).reduction(4).networks(2).seed(8).build();
        Helpers.testConfigurableRoundtrip(search);
        Helpers.testConfigurableRoundtrip(new SearchTrainer<Label>());
        Helpers.testProvenanceMarshalling(search.getProvenance());
        ConfigurationManager manager = new ConfigurationManager();
        manager.importConfigurable(search, "search");
        Path file = folder.resolve("search.xml");
        manager.save(file.toFile());
        SearchTrainer<?> read = (SearchTrainer<?>) new ConfigurationManager(file.toString()).lookup("search");
        assertEquals(search.getProvenance(), read.getProvenance());
    }

    @Test
    void whatFailsIsRecordedAndTheOthersGoOn() {
        Dataset<Label> data = TestData.labels(30, 1);
        Heard heard = new Heard();
        SearchTrainer.Builder<Label> builder = SearchTrainer.<Label>builder().trainer(slow(1)).rungs(2);
        // 32 channels cannot be divided by 5.
        EmtalModel<Label> model = builder.space(List.of(Setting.of("method.experts", "5", "8", "-1"))).listener(heard)
                .build().train(data);
        assertEquals(2, heard.trials.stream().filter(trial -> trial.failure().isPresent()).count(), heard.trials::toString);
        assertTrue(heard.trials.stream().filter(trial -> trial.failure().isPresent())
                .allMatch(trial -> trial.rung() == 0 && Double.isNaN(trial.score())), heard.trials::toString);
        assertEquals(data.size(), model.predict(data).size());
        EmtalTrainer<Label> wrong = SearchTrainerTest.<Label>slow(1).toBuilder().method(Emtal.builder().experts(5).build())
                .build();
        SearchTrainer<Label> none = SearchTrainer.<Label>builder().trainer(wrong).space(List.of(RATE)).rungs(2).build();
        var e = assertThrows(EmtalException.class, () -> none.train(data));
        assertTrue(e.getMessage().contains("none of 3 configurations on rung 0"), e.getMessage());
    }

    @Test
    void anInterruptEndsTheSearchBetweenTrainingsAndWithinOne() {
        Dataset<Label> data = TestData.labels(30, 1);
        List<Trial> trials = new ArrayList<>();
        SearchListener between = new SearchListener() {
            @Override
            public void trial(Trial trial) {
                trials.add(trial);
                Thread.currentThread().interrupt();
            }
        };
        SearchListener within = new SearchListener() {
            @Override
            public TrainingListener training(int candidate, int rung) {
                return new TrainingListener() {
                    @Override
                    public void step(StepEvent event) {
                        // From the second epoch of the second training on there is a network that could be kept.
                        if (candidate == 1 && event.step() == 5) {
                            Thread.currentThread().interrupt();
                        }
                    }
                };
            }

            @Override
            public void trial(Trial trial) {
                trials.add(trial);
            }
        };
        for (SearchListener listener : List.of(between, within)) {
            SearchTrainer<Label> search = SearchTrainer.<Label>builder().trainer(slow(1)).space(List.of(RATE))
                    .rungs(2).listener(listener).build();
            assertThrows(EmtalException.class, () -> search.train(data));
            assertTrue(Thread.interrupted(), "the interrupt is still there");
            assertEquals(1, trials.size());
            trials.clear();
        }
    }

    /** The first one, as far as it came, or all that were done by then. */
    @Test
    void anInterruptWhileNetworksAreTrainedKeepsThoseThatAreDone() {
        Dataset<Label> data = TestData.labels(30, 1);
        for (int at = 0; at < 3; at++) {
            EmtalModel<Label> model = SearchTrainer.<Label>builder().trainer(slow(1)).budget(1)
                    .listener(atStepOf(at, () -> Thread.currentThread().interrupt())).build().train(data);
            assertTrue(Thread.interrupted(), "the interrupt is still there");
            assertEquals(Math.max(1, at), trainers(model).size());
            assertEquals(at == 0, model.training().stop().isPresent());
        }
    }

    /** Does something at a step of one of three networks. */
    private static SearchListener atStepOf(int which, Runnable action) {
        return new SearchListener() {
            @Override
            public TrainingListener network(int candidate, int network, int networks) {
                assertEquals(3, networks);
                return new TrainingListener() {
                    @Override
                    public void step(StepEvent event) {
                        if (network == which && event.step() == 5) {
                            action.run();
                        }
                    }
                };
            }
        };
    }

    @Test
    void aNetworkThatCannotBeTrainedIsMissing() {
        Dataset<Label> data = TestData.labels(30, 1);
        SearchTrainer.Builder<Label> builder = SearchTrainer.<Label>builder().trainer(slow(1)).budget(1);
        EmtalModel<Label> model = builder.listener(atStepOf(1, () -> {
            throw new EmtalException("the second network fails");
        })).build().train(data);
        assertEquals(graph(EmtalModel.mean(List.of(SearchTrainerTest.<Label>slow(1).train(data),
                SearchTrainerTest.<Label>slow(3).train(data)))), graph(model));
        SearchTrainer<Label> single = builder.networks(1).listener(new SearchListener() {
            @Override
            public TrainingListener network(int candidate, int network, int networks) {
                throw new EmtalException("the only network fails");
            }
        }).build();
        var e = assertThrows(EmtalException.class, () -> single.train(data));
        assertTrue(e.getMessage().contains("the only network fails"), e.getMessage());
        builder.networks(3);
        SearchTrainer<Label> broken = builder.listener(atStepOf(1, () -> {
            throw new Crash();
        })).build();
        assertThrows(Crash.class, () -> broken.train(data));
    }

    /** The recipe says how many workers each has. */
    @Test
    void trainingsBesideEachOtherFindTheSame() {
        Dataset<Regressor> data = TestData.regressors(60, 1);
        SearchTrainer.Builder<Regressor> builder = SearchTrainer.<Regressor>builder().trainer(slow(5)).networks(2)
                .space(List.of(RATE)).rungs(2).splits(2);
        Heard alone = new Heard();
        OnnxMl.GraphProto expected = graph(builder.listener(alone).build().train(data));
        for (int parallelism : new int[] {2, 5}) {
            Heard beside = new Heard();
            EmtalModel<Regressor> model = builder.parallelism(parallelism).listener(beside).build().train(data);
            assertEquals(expected, graph(model));
            assertEquals(scores(alone), scores(beside));
            assertEquals(alone.rungs, beside.rungs);
        }
        assertThrows(EmtalException.class, () -> builder.parallelism(-1).build());
    }

    /** In the order of rungs and candidates, whichever ended first. */
    private static List<String> scores(Heard heard) {
        return heard.trials.stream().sorted(Comparator.comparing(Trial::rung).thenComparing(Trial::candidate))
                .map(trial -> trial.rung() + " " + trial.configuration() + " " + trial.score()).toList();
    }

    @Test
    void trainingsBesideEachOtherShareTheProcessors() {
        Dataset<Label> data = TestData.labels(30, 1);
        EmtalTrainer<Label> open = SearchTrainerTest.<Label>slow(1).toBuilder()
                .recipe(Recipe.builder().pretrainEpochs(2).epochs(2).build()).build();
        int processors = Runtime.getRuntime().availableProcessors();
        Map.of(1, 0, 3, Math.max(1, processors / 3), 0, Math.max(1, processors / Math.min(3, processors)))
                .forEach((parallelism, workers) -> {
                    EmtalModel<Label> model = SearchTrainer.<Label>builder().trainer(open).budget(1)
                            .parallelism(parallelism).build().train(data);
                    assertEquals(Integer.toString(processors == 1 && parallelism == 0 ? 0 : workers),
                            trainers(model).get(0).toString().replaceAll("(?s).*workers=([0-9]+).*", "$1"));
                });
    }

    @Test
    void anInterruptEndsAllTrainingsBesideEachOther() {
        Dataset<Label> data = TestData.labels(30, 1);
        SearchTrainer.Builder<Label> builder = SearchTrainer.<Label>builder().trainer(slow(1)).space(List.of(RATE))
                .rungs(2).parallelism(3);
        Thread caller = Thread.currentThread();
        for (Runnable interrupt : List.<Runnable>of(caller::interrupt, () -> Thread.currentThread().interrupt())) {
            SearchTrainer<Label> rung = builder.listener(new SearchListener() {
                @Override
                public void trial(Trial trial) {
                    interrupt.run();
                }
            }).build();
            var e = assertThrows(EmtalException.class, () -> rung.train(data));
            assertTrue(e.getMessage().contains("interrupted"), e.getMessage());
            assertTrue(Thread.interrupted(), "the interrupt is still there");
            EmtalModel<Label> model = SearchTrainer.<Label>builder().trainer(slow(1)).budget(1).parallelism(3)
                    .listener(atStepOf(2, interrupt)).build().train(data);
            assertTrue(Thread.interrupted(), "the interrupt is still there");
            assertTrue(trainers(model).size() == 1 || model.training().stop().isEmpty());
        }
        SearchTrainer<Label> broken = builder.listener(steps(new CopyOnWriteArrayList<>(), "1 on rung 0")).build();
        assertThrows(Crash.class, () -> broken.train(data));
        assertFalse(Thread.currentThread().isInterrupted());
    }

    /** Ends a search as nothing in it expects. */
    private static final class Crash extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** The trials that did steps, of which one may crash. */
    private static SearchListener steps(List<String> done, String crash) {
        return new SearchListener() {
            @Override
            public TrainingListener training(int candidate, int rung) {
                return new TrainingListener() {
                    @Override
                    public void step(StepEvent event) {
                        String trial = candidate + " on rung " + rung;
                        if (!done.contains(trial)) {
                            done.add(trial);
                        }
                        if (trial.equals(crash) && event.step() == 5) {
                            throw new Crash();
                        }
                    }
                };
            }
        };
    }

    @Test
    void aSearchThatCrashedGoesOnInItsTrial() {
        Dataset<Label> data = TestData.labels(30, 1);
        EmtalTrainer<Label> saving = SearchTrainerTest.<Label>slow(1).toBuilder()
                .checkpoints(Checkpoints.builder(folder).everySteps(2).build()).build();
        SearchTrainer.Builder<Label> builder = SearchTrainer.<Label>builder().space(List.of(RATE)).rungs(2);
        List<String> all = new ArrayList<>();
        OnnxMl.GraphProto expected = graph(builder.trainer(slow(1)).listener(steps(all, "")).build().train(data));
        assertEquals(List.of("0 on rung 0", "1 on rung 0", "2 on rung 0"), all.subList(0, 3));
        assertEquals(5, all.size());
        List<String> crashed = new ArrayList<>();
        SearchTrainer<Label> crashing = builder.trainer(saving).listener(steps(crashed, all.get(1))).build();
        assertThrows(Crash.class, () -> crashing.train(data));
        assertEquals(all.subList(0, 2), crashed);
        List<String> resumed = new ArrayList<>();
        Heard heard = new Heard();
        assertEquals(expected, graph(builder.listener(steps(resumed, "")).build().train(data)));
        assertEquals(all.subList(1, 5), resumed);
        assertEquals(expected, graph(builder.listener(heard).build().train(data)));
        assertTrue(heard.trials.stream().allMatch(trial -> trial.failure().isEmpty()), heard.trials::toString);
        heard.trials.clear();
        heard.rungs.clear();
        builder.space(List.of(Setting.of("recipe.dropout", "0.1", "0.2"))).build().train(data).close();
        assertTrue(heard.trials.stream().allMatch(trial -> trial.failure().isEmpty()), heard.trials::toString);
    }

    /** The trainer's own trainings are tested on nothing, those that judge are; the networks' are its own again. */
    @Test
    void aScoreIsTheErrorOnRowsThatTheWholeNetworkHasNotSeen() {
        Dataset<Regressor> data = TestData.regressors(60, 1);
        Recipe.Builder recipe = Recipe.builder().pretrainEpochs(4).epochs(2).batchSize(16).workers(2);
        EmtalTrainer<Regressor> all = SearchTrainerTest.<Regressor>slow(5).toBuilder()
                .recipe(recipe.validationFraction(0).build()).build();
        Heard heard = new Heard();
        EmtalModel<Regressor> alone = SearchTrainer.<Regressor>builder().trainer(all).budget(1).networks(1)
                .listener(heard).build().train(data);
        assertTrue(heard.trials.isEmpty(), "a single configuration needs no judge");
        assertEquals(graph(all.train(data)), graph(alone));
        SearchTrainer.<Regressor>builder().trainer(all).space(List.of(RATE)).rungs(2)
                .budget(2).splits(2).listener(heard).build().train(data).close();
        double score = 0;
        for (int split = 0; split < 4; split++) {
            // The second rung has twice as many: seeds 6 and 7 were the first one's.
            EmtalModel<Regressor> judged = all.toBuilder().seed(8 + split)
                    .recipe(recipe.testFraction(0.25).build()).build().train(data);
            score += Arrays.stream(judged.training().heldOutErrors()).average().orElseThrow() / 4;
        }
        assertEquals(score, heard.trials.get(2).score(), 1e-12);
        assertThrows(EmtalException.class, () -> SearchTrainer.<Label>builder().splits(0).build());
        assertThrows(EmtalException.class, () -> SearchTrainer.<Label>builder().splits(1001).build());
        assertThrows(EmtalException.class, () -> SearchTrainer.<Label>builder().rungs(0).build());
        var single = assertThrows(EmtalException.class, () -> SearchTrainer.<Label>builder().rungs(1).build());
        assertTrue(single.getMessage().contains("two splits"), single.getMessage());
        SearchTrainer.<Label>builder().rungs(1).splits(2).build();
        assertThrows(EmtalException.class, () -> SearchTrainer.<Label>builder().rungs(11).build());
        for (int networks : new int[] {0, 101}) {
            var many = assertThrows(EmtalException.class, () -> SearchTrainer.<Label>builder().networks(networks).build());
            assertTrue(many.getMessage().contains("1 to 100 networks"), many.getMessage());
        }
    }

    @Test
    void pathsThatLeadNowhereAreNamed() {
        Dataset<Label> data = TestData.labels(30, 1);
        Map.of("recipe.weightDecay", "allowed are [averageDecay", "recipe.optimizer", "found an object", "seed.more",
                "found the value 1 for 'seed'", "recipe.dropout.", "found the value 0.0",
                "backbone.pooled.size", "'pooled' in io.emtal.onnx.backbone.FeatureEnsemble")
                .forEach((path, message) -> {
                    SearchTrainer<Label> search = SearchTrainer.<Label>builder().trainer(slow(1)).rungs(2)
                            .space(List.of(Setting.of(path, "1"))).build();
                    var e = assertThrows(EmtalException.class, () -> search.train(data));
                    assertTrue(e.getMessage().contains(path) && e.getMessage().contains(message), e.getMessage());
                });
        assertThrows(EmtalException.class, () -> SearchTrainer.<Label>builder().space(List.of(RATE, RATE)).build());
        assertThrows(EmtalException.class, () -> SearchTrainer.<Label>builder().budget(0).build());
        assertThrows(EmtalException.class, () -> Setting.of("recipe.dropout"));
    }

    @Test
    void aChangedPropertyIsChangedInOnePlaceOnly() {
        EmtalTrainer<Label> alike = EmtalTrainer.<Label>builder().recipe(Recipe.builder()
                .pretrainSchedule(new CosineSchedule(1e-3, 1e-5, 0)).schedule(new CosineSchedule(1e-3, 1e-5, 0)).build()).build();
        TrainerConfiguration changed = TrainerConfiguration.of(alike).with("recipe.schedule.peak", "0.5")
                .with("recipe.schedule.warmUp", "0.25").with("recipe.dropout", "0.125");
        assertEquals("0.5", changed.value("recipe.schedule.peak"));
        assertEquals("0.001", changed.value("recipe.pretrainSchedule.peak"));
        EmtalTrainer<Label> expected = EmtalTrainer.<Label>builder().recipe(Recipe.builder().dropout(0.125)
                .pretrainSchedule(new CosineSchedule(1e-3, 1e-5, 0)).schedule(new CosineSchedule(0.5, 1e-5, 0.25)).build())
                .build();
        assertEquals(expected.getProvenance(), changed.<Label>make().getProvenance());
    }
}
