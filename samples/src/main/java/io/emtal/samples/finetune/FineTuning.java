package io.emtal.samples.finetune;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.OnnxBackbone;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.predict.Optimise;
import io.emtal.onnx.train.Checkpoints;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.Recipe;
import io.emtal.onnx.train.TrainingListener;
import io.emtal.samples.output.HistoryFile;
import io.emtal.samples.output.Measurement;
import io.emtal.samples.output.WholeFile;
import io.emtal.samples.quickstart.TaskAccuracy;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.TrainingReport;
import io.emtal.tribuo.image.ImageAugmentation;
import io.emtal.tribuo.image.ImagePreprocessing;
import io.emtal.tribuo.image.ImageTable;
import io.emtal.tribuo.output.MultiLabelTasks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tribuo.Dataset;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.multilabel.MultiLabel;

/** Fine-tunes a backbone on sets of images, evaluates what comes of it on their test rows, and writes it. */
final class FineTuning {
    static final String MEAN = "mean_accuracy";
    static final String ACCURACY = "accuracy:";
    static final String NETWORK_MILLIS = "network_millis_per_image";
    static final String ORIGINAL_MILLIS = "original_millis_per_image";
    static final String AGREEMENT = "agreement";
    static final String WAITING = "input_wait_fraction";
    static final String DEPLOYED = "deployed_parameters";

    private static final String ONNX_DOMAIN = "io.emtal.samples";
    private static final String MODEL = "model.tribuo";
    private static final String NETWORK = "dense.onnx";
    private static final String HISTORY = "history.csv";

    private final OnnxBackbone backbone;
    private final ImagePreprocessing preprocessing;
    private final ImageAugmentation augmentation;
    private final List<ImageSet> sets;
    private final Path folder;
    private final Optimise form;
    private final Optional<Checkpoints> checkpoints;
    private final TrainingListener progress;
    private final ImageInput images;
    private final int width;
    private final byte[] original;

    /**
     * @param backbone where the backbone comes from
     * @param images what it says of its images
     * @param preprocessing what differs from what the backbone says of its images
     * @param augmentation what is drawn anew of training images in every epoch
     * @param sets the images, with no task in common
     * @param folder where files go, into a folder for each approach and seed
     * @param form how the dense networks are written as ONNX files
     * @param checkpoints where the trainings are saved on their way, in a folder for each; empty for nowhere
     * @param progress hears of the trainings
     * @throws EmtalException if the backbone is not understood
     */
    FineTuning(OnnxBackbone backbone, ImageInput images, ImagePreprocessing preprocessing,
            ImageAugmentation augmentation, List<ImageSet> sets, Path folder, Optimise form,
            Optional<Checkpoints> checkpoints, TrainingListener progress) {
        this.backbone = backbone;
        this.preprocessing = preprocessing;
        this.augmentation = augmentation;
        this.sets = List.copyOf(sets);
        this.folder = folder;
        this.form = form;
        this.checkpoints = checkpoints;
        this.progress = progress;
        this.images = images;
        Backbone read = backbone.read();
        this.width = read.pooledWidth();
        this.original = read.imported().orElseThrow().original().toByteArray();
    }

    /**
     * The files that {@link #run} writes.
     *
     * @param folder where files go
     * @param approach how
     * @param seed the seed
     * @param sets the images
     */
    static List<Path> files(Path folder, Approach approach, long seed, List<ImageSet> sets) {
        return parts(folder, approach, seed, sets).keySet().stream()
                .flatMap(part -> Stream.of(MODEL, NETWORK, HISTORY).map(part::resolve)).toList();
    }

    /** The sets of each network of an approach, by the folder that it is written to. */
    private static Map<Path, List<ImageSet>> parts(Path folder, Approach approach, long seed, List<ImageSet> sets) {
        Path own = folder.resolve(approach.name() + "-seed" + seed);
        Map<Path, List<ImageSet>> parts = new LinkedHashMap<>();
        if (approach.separate()) {
            sets.forEach(set -> parts.put(own.resolve(set.name()), List.of(set)));
        } else {
            parts.put(own, sets);
        }
        return parts;
    }

    /** The width of what the backbone's heads read. */
    int width() {
        return width;
    }

    /** One network's data: all sets, or one of them. */
    private record Part(Path folder, Dataset<MultiLabel> train, Dataset<MultiLabel> test) {
        static Part of(Path folder, List<ImageSet> sets) {
            return new Part(folder,
                    new MutableDataset<>(ImageTable.union(sets.stream().map(ImageSet::train).toList())),
                    new MutableDataset<>(ImageTable.union(sets.stream().map(ImageSet::test).toList())));
        }
    }

    /** What one network came to. */
    private record Trained(TrainingReport report, byte[] network, Map<String, Double> accuracies, int tested,
            double trainSeconds, double predictSeconds) {
    }

    /**
     * Trains, evaluates and writes.
     *
     * @param approach how
     * @param recipe how networks are trained
     * @param seed decides everything random
     * @return the measurement
     * @throws EmtalException if the training fails, or a file cannot be written
     */
    Measurement run(Approach approach, Recipe recipe, long seed) {
        List<Part> parts = parts(folder, approach, seed, sets).entrySet().stream()
                .map(part -> Part.of(part.getKey(), part.getValue())).toList();
        List<Trained> networks = new ArrayList<>();
        parts.forEach(part -> networks.add(train(part, approach, recipe, seed)));
        return new Measurement(sets.stream().map(ImageSet::name).collect(Collectors.joining("+")), approach.name(),
                seed, metrics(networks), sum(networks, Trained::trainSeconds),
                1e6 * sum(networks, Trained::predictSeconds) / sum(networks, Trained::tested),
                OptionalLong.of(networks.stream().mapToLong(n -> n.report.parameters().trainableTotal()).sum()));
    }

    private Trained train(Part part, Approach approach, Recipe recipe, long seed) {
        EmtalTrainer.Builder<MultiLabel> trainer = EmtalTrainer.<MultiLabel>builder().backbone(backbone)
                .method(approach.method()).recipe(recipe).imagePreprocessing(preprocessing)
                .imageAugmentation(augmentation)
                .outputs(MultiLabelTasks.separatedBy(ImageTable.SEPARATOR)).seed(seed).listener(progress);
        checkpoints.ifPresent(all -> trainer.checkpoints(all.below(folder.relativize(part.folder).toString())));
        long begun = System.nanoTime();
        try (EmtalModel<MultiLabel> model = trainer.build().train(part.train)) {
            long trained = System.nanoTime();
            // What was stopped is written all the same.
            Thread.interrupted();
            List<Prediction<MultiLabel>> predictions = model.predict(part.test);
            long predicted = System.nanoTime();
            WholeFile.write(part.folder.resolve(MODEL), model::serializeToFile);
            byte[] network = model.exportONNXModel(ONNX_DOMAIN, 1, form).toByteArray();
            WholeFile.write(part.folder.resolve(NETWORK), file -> Files.write(file, network));
            HistoryFile.write(part.folder.resolve(HISTORY), model.training());
            model.training().stop().ifPresent(stop -> {
                throw new EmtalException("stopped in phase " + stop + "; the best network so far is in " + part.folder);
            });
            return new Trained(model.training(), network, TaskAccuracy.of(predictions), predictions.size(),
                    (trained - begun) * 1e-9, (predicted - trained) * 1e-9);
        }
    }

    private Map<String, Double> metrics(List<Trained> networks) {
        Map<String, Double> accuracies = new HashMap<>();
        networks.forEach(network -> accuracies.putAll(network.accuracies));
        List<byte[]> timed = new ArrayList<>(List.of(original));
        networks.forEach(network -> timed.add(network.network));
        double[] millis = NetworkTiming.millisPerImage(timed, images);
        double seconds = sum(networks, network -> sum(network.report.history(), EpochRecord::seconds));
        double waiting = sum(networks, network -> sum(network.report.history(), EpochRecord::inputSeconds));

        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put(MEAN, accuracies.values().stream().mapToDouble(Double::doubleValue).average().orElseThrow());
        for (ImageSet set : sets) {
            set.classes().keySet().stream().filter(accuracies::containsKey)
                    .forEach(task -> metrics.put(ACCURACY + task, accuracies.get(task)));
        }
        // Whoever wants all tasks of an image needs all networks.
        metrics.put(NETWORK_MILLIS, Arrays.stream(millis).skip(1).sum());
        metrics.put(ORIGINAL_MILLIS, millis[0]);
        metrics.put(DEPLOYED, sum(networks, network -> network.report.parameters().deployed()));
        metrics.put(AGREEMENT, networks.stream().mapToDouble(n -> n.report.agreement()).max().orElseThrow());
        metrics.put(WAITING, waiting / seconds);
        return metrics;
    }

    private static <E> double sum(List<E> all, ToDoubleFunction<E> number) {
        return all.stream().mapToDouble(number).sum();
    }
}
