package io.emtal.tribuo.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.train.Checkpoints;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.Phase;
import io.emtal.onnx.train.Recipe;
import io.emtal.onnx.train.StepEvent;
import io.emtal.onnx.train.Stop;
import io.emtal.onnx.train.TrainingListener;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.image.ImageTable.ImageTableProvenance;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskEvaluation;
import io.emtal.tribuo.multitask.MultiTaskEvaluator;
import io.emtal.tribuo.multitask.MultiTaskMetrics;
import io.emtal.tribuo.output.MultiLabelTasks;
import io.emtal.tribuo.search.SearchTrainer;
import io.emtal.tribuo.search.Setting;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.evaluation.CrossValidation;
import org.tribuo.impl.ArrayExample;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.multilabel.evaluation.MultiLabelEvaluator;
import org.tribuo.provenance.SimpleDataSourceProvenance;

import javax.imageio.ImageIO;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** From a table of image files to a model, and what a user does with it. */
class ImageTrainingTest {

    private static final List<String> COLOURS = List.of("red", "green", "blue");
    private static final MultiLabel UNKNOWN = MultiLabelFactory.UNKNOWN_MULTILABEL;

    @TempDir
    private static Path folder;
    private static Path table;

    @AfterEach
    void clearInterrupt() {
        Thread.interrupted();
    }

    /** Squares of three colours, on the left or the right; every fifth label is missing. */
    @BeforeAll
    static void draw() throws IOException {
        SplittableRandom random = new SplittableRandom(8);
        List<String> lines = new ArrayList<>(List.of("path,colour,left,split"));
        for (int i = 0; i < 120; i++) {
            int colour = random.nextInt(3);
            boolean left = random.nextBoolean();
            String name = i + (i % 2 == 0 ? ".png" : ".jpg");
            BufferedImage image = square(colour, left, random);
            Files.write(folder.resolve(name), i % 2 == 0 ? Drawings.encode(image, "png") : Drawings.jpeg(image));
            lines.add(name + "," + (i % 5 == 1 ? "" : COLOURS.get(colour)) + "," + (i % 5 == 2 ? "" : left ? 1 : 0)
                    + "," + (i < 90 ? "train" : "test"));
        }
        table = Files.write(folder.resolve("index.csv"), lines);
    }

    private static BufferedImage square(int colour, boolean left, SplittableRandom random) {
        BufferedImage image = new BufferedImage(24, 24, BufferedImage.TYPE_INT_RGB);
        Color drawn = List.of(Color.RED, Color.GREEN, Color.BLUE).get(colour);
        int top = 2 + random.nextInt(10);
        int start = (left ? 1 : 12) + random.nextInt(3);
        for (int y = 0; y < 24; y++) {
            for (int x = 0; x < 24; x++) {
                boolean inside = y >= top && y < top + 9 && x >= start && x < start + 8;
                image.setRGB(x, y, inside ? drawn.getRGB() : 0x202020);
            }
        }
        return image;
    }

    private static Dataset<MultiLabel> data(String split) {
        return new MutableDataset<>(ImageTable.builder(table).filter("split", split).build());
    }

    private static EmtalTrainer.Builder<MultiLabel> trainer(int epochs) {
        return EmtalTrainer.<MultiLabel>builder()
                .backbone(VisionTransformer.builder().image(12, 12, 3).patch(4).width(16).heads(2).depth(1).hidden(32)
                        .build())
                .method(Emtal.builder().experts(4).rank(2).build())
                .outputs(MultiLabelTasks.separatedBy(ImageTable.SEPARATOR))
                .recipe(Recipe.builder().pretrainEpochs(epochs).epochs(Math.max(2, epochs / 4)).batchSize(16).build());
    }

    private static double[] scores(Prediction<MultiLabel> prediction) {
        return prediction.getOutputScores().values().stream()
                .mapToDouble(label -> label.getLabelSet().iterator().next().getScore()).toArray();
    }

    /** One network has one way to prepare images. */
    @Test
    void networksThatPrepareImagesOtherwiseHaveNoMean() {
        Dataset<MultiLabel> data = data("test");
        EmtalTrainer<MultiLabel> own = trainer(2).build();
        EmtalTrainer<MultiLabel> other = own.toBuilder()
                .imagePreprocessing(ImagePreprocessing.builder().maxPixels(1000).build()).build();
        try (EmtalModel<MultiLabel> first = own.train(data); EmtalModel<MultiLabel> second = other.train(data);
             EmtalModel<MultiLabel> found = SearchTrainer.<MultiLabel>builder().trainer(own).rungs(2).networks(2)
                     .space(List.of(Setting.of("imagePreprocessing.maxPixels", "1000"))).build().train(data)) {
            assertEquals(Optional.of("inputs"), first.difference(second));
            assertThrows(EmtalException.class, () -> EmtalModel.mean(List.of(first, second)));
            IntProvenance candidate = new IntProvenance("candidate", 0);
            assertEquals(List.of(candidate, candidate), ((ListProvenance<?>) found.getProvenance()
                    .getInstanceProvenance().getMap().get(SearchTrainer.NETWORKS)).getList());
            assertEquals(data.size(), found.predict(data).size());
        }
    }

    /** In the middle of an epoch of augmented images. */
    @Test
    void anInterruptedTrainingGoesOnToTheSameBits(@TempDir Path checkpoints) {
        Dataset<MultiLabel> data = data("train");
        EmtalTrainer.Builder<MultiLabel> saving = trainer(3)
                .imageAugmentation(ImageAugmentation.builder().randomResizedCrop(0.5).horizontalFlip(0.5).build())
                .checkpoints(Checkpoints.in(checkpoints));
        int[] seen = {0};
        try (EmtalModel<MultiLabel> stopped = saving.listener(new TrainingListener() {
            @Override
            public void step(StepEvent event) {
                if (++seen[0] == 9) {
                    Thread.currentThread().interrupt();
                }
            }
        }).build().train(data)) {
            assertTrue(Thread.interrupted());
            assertEquals(9, stopped.training().stop().orElseThrow().step());
        }
        assertEquals(9, seen[0]);
        EmtalTrainer.Builder<MultiLabel> plain = trainer(3)
                .imageAugmentation(ImageAugmentation.builder().randomResizedCrop(0.5).horizontalFlip(0.5).build());
        try (EmtalModel<MultiLabel> resumed = saving.build().train(data);
             EmtalModel<MultiLabel> whole = plain.build().train(data)) {
            assertEquals(whole.exportONNXModel("com.example", 1).getGraph(),
                    resumed.exportONNXModel("com.example", 1).getGraph());
        }
        assertTrue(seen[0] > 9);
    }

    /** Interrupts the thread that made it, once armed, while that waits for an image that another thread decodes. */
    private static final class Interruption implements Runnable {

        private final Thread training = Thread.currentThread();
        private final AtomicBoolean armed = new AtomicBoolean();

        @Override
        public void run() {
            boolean reads = Thread.currentThread() == training;
            boolean decodes = !reads && armed.compareAndSet(true, false);
            while (decodes && training.getState() != Thread.State.WAITING || reads && armed.get()) {
                LockSupport.parkNanos(1_000_000);
            }
            if (decodes) {
                training.interrupt();
            }
        }
    }

    /** While the first epoch is judged on held-out images, and while the dense network is compared. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void anInterruptWhileImagesAreReadLeavesTheBestModel(boolean compared) {
        Interruption interruption = new Interruption();
        MutableDataset<Label> data = new MutableDataset<>(new SimpleDataSourceProvenance("drawn", new LabelFactory()),
                new LabelFactory());
        // Too large to be kept: every look decodes.
        for (Color colour : List.of(Color.RED, Color.GREEN, Color.BLUE, Color.GRAY)) {
            BufferedImage image = new BufferedImage(600, 600, BufferedImage.TYPE_INT_RGB);
            for (int i = 0; i < 360_000; i++) {
                image.setRGB(i % 600, i / 600, colour.getRGB());
            }
            BufferedImage watched = Drawings.watched(image, interruption);
            for (int i = 0; i < 10; i++) {
                data.add(ImageExample.of(new Label(colour.toString()), watched));
            }
        }
        EmtalTrainer<Label> trainer = EmtalTrainer.<Label>builder()
                .backbone(VisionTransformer.builder().image(12, 12, 3).patch(4).width(16).heads(2).depth(1).hidden(32)
                        .build())
                .method(Emtal.builder().experts(4).rank(2).build())
                .recipe(Recipe.builder().pretrainEpochs(2).epochs(2).batchSize(16).build())
                .imageAugmentation(ImageAugmentation.builder().randomResizedCrop(0.5).build())
                .listener(new TrainingListener() {
                    @Override
                    public void step(StepEvent event) {
                        if (!compared && event.phase() == Phase.PRETRAIN && event.step() == event.steps() / 2) {
                            interruption.armed.set(true);
                        }
                    }

                    @Override
                    public void epoch(EpochRecord epoch) {
                        if (compared && epoch.phase() == Phase.ADAPT && epoch.epoch() == 2) {
                            interruption.armed.set(true);
                        }
                    }
                }).build();
        try (EmtalModel<Label> model = trainer.train(data)) {
            assertTrue(Thread.interrupted());
            assertEquals(compared ? Optional.empty() : Optional.of(Phase.PRETRAIN),
                    model.training().stop().map(Stop::phase));
            assertEquals(40, model.predict(data).size());
        }
    }

    @Test
    void learnsPredictsAndSurvivesItsProtobuf() throws IOException {
        Dataset<MultiLabel> test = data("test");
        try (EmtalModel<MultiLabel> model = trainer(60).build().train(data("train"))) {
            assertTrue(new MultiLabelEvaluator().evaluate(model, test).microAveragedRecall() > 0.9,
                    () -> new MultiLabelEvaluator().evaluate(model, test).toString());
            for (EpochRecord epoch : model.training().history()) {
                assertTrue(epoch.epoch() == 0 || epoch.inputSeconds() > 0 && epoch.inputSeconds() < epoch.seconds(),
                        epoch.toString());
            }
            assertInstanceOf(ImageTableProvenance.class,
                    model.getProvenance().getDatasetProvenance().getSourceProvenance());

            List<Prediction<MultiLabel>> expected = model.predict(test);
            @SuppressWarnings("unchecked") // what was written is read
            Model<MultiLabel> read = (Model<MultiLabel>) Model.deserialize(model.serialize());
            List<Prediction<MultiLabel>> again = read.predict(test);
            for (int i = 0; i < expected.size(); i++) {
                assertArrayEquals(scores(expected.get(i)), scores(again.get(i)), "row " + i);
            }

            byte[] file = Files.readAllBytes(folder.resolve("90.png"));
            double[] first = scores(expected.get(0));
            assertArrayEquals(first, scores(model.predict(ImageExample.of(UNKNOWN, folder.resolve("90.png")))), 1e-6);
            assertArrayEquals(first, scores(model.predict(ImageExample.of(UNKNOWN, file))), 1e-6);
            BufferedImage image = ImageIO.read(new ByteArrayInputStream(file));
            assertArrayEquals(first, scores(model.predict(ImageExample.of(UNKNOWN, image))), 1e-6);
            assertEquals(1, model.predict(ImageExample.of(UNKNOWN, image)).getNumActiveFeatures());
            assertThrows(EmtalException.class, () -> model.predict(new ArrayExample<>(UNKNOWN, new String[] {"image"},
                    new double[] {1})));
        }
    }

    @Test
    void tasksOfMixedKindsAreLearntFromImages() throws IOException {
        Path mixed = Files.write(folder.resolve("mixed.csv"), Files.readAllLines(table).stream().map(line -> line + ","
                + (line.startsWith("path") ? "half" : line.contains(",1,") ? "0.5" : line.contains(",0,") ? "-0.5"
                : "")).toList());
        EmtalTrainer<MultiTask> trainer = EmtalTrainer.<MultiTask>builder()
                .backbone(VisionTransformer.builder().image(12, 12, 3).patch(4).width(16).heads(2).depth(1).hidden(32)
                        .build())
                .method(Emtal.builder().experts(4).rank(2).build())
                .recipe(Recipe.builder().pretrainEpochs(60).epochs(15).batchSize(16).build()).build();
        try (EmtalModel<MultiTask> model = trainer.train(tasks(mixed, "train"))) {
            MultiTaskEvaluation evaluation = new MultiTaskEvaluator().evaluate(model, tasks(mixed, "test"));
            assertTrue(evaluation.value(MultiTaskMetrics.ACCURACY, "colour").orElseThrow() > 0.85
                    && evaluation.value(MultiTaskMetrics.ACCURACY, "left").orElseThrow() > 0.85
                    && evaluation.value(MultiTaskMetrics.R2, "half").orElseThrow() > 0.5, evaluation::toString);
        }
    }

    private static Dataset<MultiTask> tasks(Path file, String split) {
        return new MutableDataset<>(ImageTasks.builder(ImageTable.builder(file).filter("split", split).build())
                .binary("left").real("half").build());
    }

    @Test
    void theExportIsTheNetworkAsItIs() throws IOException {
        try (EmtalModel<MultiLabel> model = trainer(2).build().train(data("train"))) {
            OnnxMl.ModelProto export = model.exportONNXModel("test", 1);
            assertEquals(1, export.getGraph().getInputCount());
            OnnxMl.TensorShapeProto shape = export.getGraph().getInput(0).getType().getTensorType().getShape();
            assertEquals(432, shape.getDim(1).getDimValue());
            Path file = folder.resolve("export.onnx");
            model.saveONNXModel("test", 1, file);
            String message = assertThrows(EmtalException.class, () -> EmtalModel.loadONNX(file, MultiLabel.class))
                    .getMessage();
            assertTrue(message.contains("images"), message);
        }
    }

    @Test
    void augmentationRepeatsBitByBitAndMatters() {
        ImageAugmentation augmentation = ImageAugmentation.builder().randomResizedCrop(0.5).horizontalFlip(0.5)
                .colourJitter(0.2, 0.2, 0.2).build();
        Dataset<MultiLabel> train = data("train");
        List<Prediction<MultiLabel>> plain = trainer(2).build().train(train).predict(train);
        EmtalModel<MultiLabel> first = trainer(2).imageAugmentation(augmentation).build().train(train);
        EmtalModel<MultiLabel> second = trainer(2).imageAugmentation(augmentation).build().train(train);
        assertEquals(first.exportONNXModel("", 1).getGraph(), second.exportONNXModel("", 1).getGraph());
        assertNotEquals(scores(plain.get(0))[0], scores(first.predict(train).get(0))[0]);
        assertTrue(first.getProvenance().toString().contains("ImageAugmentation"));
    }

    @Test
    void crossValidates() {
        Dataset<MultiLabel> train = data("train");
        var folds = new CrossValidation<>(trainer(2).build(), train, new MultiLabelEvaluator(), 3, 1).evaluate();
        assertEquals(3, folds.size());
    }

    @Test
    void tablesTogetherAreOneDataSet() throws IOException {
        Path other = Files.write(folder.resolve("other.csv"), List.of("path,shade", "0.png,dark", "1.jpg,light",
                "2.png,light", "3.jpg,dark"));
        Dataset<MultiLabel> both = new MutableDataset<>(ImageTable.union(List.of(
                ImageTable.builder(table).filter("split", "train").build(), ImageTable.of(other))));
        try (EmtalModel<MultiLabel> model = trainer(2).build().train(both)) {
            assertEquals(3, model.training().tasks().size());
            assertEquals(0, model.training().rowsWithoutLabel());
            assertEquals(3, model.predict(both.getExample(0)).getOutput().getLabelSet().size());
        }
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Dataset<MultiLabel> train = data("train");
        String tables = assertThrows(EmtalException.class,
                () -> trainer(2).backbone(FeatureTransformer.builder().build()).build().train(train)).getMessage();
        assertTrue(tables.contains("FeatureTransformer reads no images"), tables);
        MutableDataset<MultiLabel> mixed = new MutableDataset<>(train.getSourceProvenance(), train.getOutputFactory());
        train.forEach(mixed::add);
        Example<MultiLabel> plain = new ArrayExample<>(train.getExample(0).getOutput(), new String[] {"f"},
                new double[] {1});
        mixed.add(plain);
        String message = assertThrows(EmtalException.class, () -> trainer(2).build().train(mixed)).getMessage();
        assertTrue(message.contains("row 90"), message);
    }
}
