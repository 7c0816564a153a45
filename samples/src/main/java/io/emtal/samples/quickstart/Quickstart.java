package io.emtal.samples.quickstart;

import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.train.CosineSchedule;
import io.emtal.onnx.train.Recipe;
import io.emtal.onnx.train.TrainingListener;
import io.emtal.samples.output.HistoryFile;
import io.emtal.samples.output.WholeFile;
import io.emtal.samples.shapes.ShapeImages;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.output.MultiLabelTasks;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Trainer;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.sgd.fm.FMMultiLabelTrainer;
import org.tribuo.multilabel.sgd.linear.LinearSGDTrainer;
import org.tribuo.multilabel.sgd.objectives.BinaryCrossEntropy;

/** Draws images, trains EMTAL and two trainers of Tribuo's own on them, reports on the test images, writes the model. */
final class Quickstart {
    private static final int SIDE = ShapeImages.DEFAULT_SIDE;
    private static final int TEST_IMAGES = 1000;
    private static final String ONNX_DOMAIN = "io.emtal.samples";
    private static final int NO_LOGGING = Integer.MAX_VALUE;

    private final int images;
    private final long seed;
    private final Path folder;
    private final TrainingListener progress;
    private final PrintWriter screen;

    /**
     * @param images how many images to train on
     * @param seed of the training images and everything random; the test images have the next
     * @param folder where files go
     * @param progress hears of EMTAL's training
     * @param screen gets the report
     */
    Quickstart(int images, long seed, Path folder, TrainingListener progress, PrintWriter screen) {
        this.images = images;
        this.seed = seed;
        this.folder = folder;
        this.progress = progress;
        this.screen = screen;
    }

    /** Runs. */
    void run() {
        Path modelFile = folder.resolve("model.tribuo");
        WholeFile.check(modelFile);
        Report report = new Report(screen);
        Stopwatch watch = new Stopwatch();
        MutableDataset<MultiLabel> train = new MutableDataset<>(new ShapeImages(images, SIDE, seed));
        MutableDataset<MultiLabel> test = new MutableDataset<>(new ShapeImages(TEST_IMAGES, SIDE, seed + 1));
        report.data(train, test, SIDE, watch.seconds());

        report.begin("EMTAL", "a vision transformer, first trained dense, then adapted with MoEfied LoRA");
        try (EmtalModel<MultiLabel> model = emtal(seed, progress).train(train)) {
            report.end(watch.seconds());
            List<Contender> contenders = new ArrayList<>();
            contenders.add(baseline("linear", linear(seed), train, test, report));
            contenders.add(baseline("FM", factorised(seed), train, test, report));
            contenders.add(Contender.of("EMTAL", model, test));
            report.accuracies(contenders, model.getOutputIDInfo().getDomain());
            report.evaluations(contenders);
            report.progress(model.training());
            report.parameters(model.training());
            report.agreement(model.training());
            report.speed(model, test);
            report.provenance(model.getProvenance());
            write(model, modelFile, test, report);
        }
    }

    /** The trainer, as anyone may configure it. */
    static EmtalTrainer<MultiLabel> emtal(long seed, TrainingListener progress) {
        return EmtalTrainer.<MultiLabel>builder()
                .backbone(VisionTransformer.builder().image(SIDE, SIDE, 3).patch(8).width(64).depth(3).heads(4)
                        .hidden(128).build())
                .method(Emtal.builder().experts(8).rank(4).build())
                .recipe(Recipe.builder().pretrainEpochs(14).epochs(4).batchSize(32).dropout(0)
                        .pretrainSchedule(new CosineSchedule(2e-3, 2e-3, 0.02))
                        .schedule(new CosineSchedule(3e-3, 3e-5, 0.1)).build())
                .outputs(MultiLabelTasks.separatedBy("="))
                .seed(seed)
                .listener(progress)
                .build();
    }

    private static Trainer<MultiLabel> linear(long seed) {
        return new LinearSGDTrainer(new BinaryCrossEntropy(), new AdaGrad(0.01), 3, NO_LOGGING, 1, seed);
    }

    private static Trainer<MultiLabel> factorised(long seed) {
        return new FMMultiLabelTrainer(new BinaryCrossEntropy(), new AdaGrad(0.02), 3, NO_LOGGING, 1, seed, 2, 0.01);
    }

    private static Contender baseline(String name, Trainer<MultiLabel> trainer, MutableDataset<MultiLabel> train,
            MutableDataset<MultiLabel> test, Report report) {
        report.begin(name, "Tribuo's " + trainer);
        Stopwatch watch = new Stopwatch();
        Model<MultiLabel> model = trainer.train(train);
        report.end(watch.seconds());
        return Contender.of(name, model, test);
    }

    private void write(EmtalModel<MultiLabel> model, Path modelFile, MutableDataset<MultiLabel> test, Report report) {
        Path onnxFile = folder.resolve("dense.onnx");
        Path historyFile = folder.resolve("history.csv");
        WholeFile.write(modelFile, model::serializeToFile);
        WholeFile.write(onnxFile, file -> model.saveONNXModel(ONNX_DOMAIN, 1, file));
        HistoryFile.write(historyFile, model.training());
        try {
            Model<MultiLabel> read = Model.deserializeFromFile(modelFile).castModel(MultiLabel.class);
            Model<MultiLabel> external = EmtalModel.loadONNX(onnxFile, MultiLabel.class);
            report.files(model, read, external, test, modelFile, onnxFile, historyFile);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
