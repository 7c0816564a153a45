package io.emtal.samples.quickstart;

import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.util.Pair;
import io.emtal.onnx.train.Learner;
import io.emtal.onnx.train.ParameterReport;
import io.emtal.onnx.train.Phase;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.TaskProgress;
import io.emtal.tribuo.TrainingReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.evaluation.MultiLabelEvaluation;
import org.tribuo.provenance.ModelProvenance;

/** What the quickstart prints. */
final class Report {
    /** What of the provenance is worth a line here: the way to it. */
    private static final List<String> EXCERPT = List.of("dataset/datasource/description", "trainer/class-name",
            "trainer/method/class-name", "trainer/method/experts", "trainer/method/rank", "trainer/recipe/epochs",
            "trainer/seed", "instance-values/emtal-onnxruntime-version", "instance-values/emtal-workers",
            "instance-values/emtal-agreement", "instance-values/emtal-model-sha256");

    private final PrintWriter screen;

    Report(PrintWriter screen) {
        this.screen = screen;
    }

    private void print(String format, Object... arguments) {
        screen.printf(Locale.ROOT, format + "%n", arguments);
        screen.flush();
    }

    void data(MutableDataset<MultiLabel> train, MutableDataset<MultiLabel> test, int side, double seconds) {
        print("Drew %d images to train on and %d to test with, %d x %d pixels in colour, in %.1f s.", train.size(),
                test.size(), side, side, seconds);
        print("Five tasks: the kind, the colour, the size, the position and the rotation of a figure before clutter.");
    }

    void begin(String name, String what) {
        print("%nTraining %s: %s", name, what);
    }

    void end(double seconds) {
        print("... took %.1f s.", seconds);
    }

    /** The table of the tasks, and whether the last contender is ahead of all others. */
    void accuracies(List<Contender> contenders, Iterable<MultiLabel> labels) {
        Map<String, Integer> classes = new TreeMap<>();
        labels.forEach(label -> classes.merge(TaskAccuracy.task(label.getLabelString()), 1, Integer::sum));
        print("%nAccuracy on the test images");
        row("task", "chance", contenders.stream().map(Contender::name).toList());
        classes.forEach((task, count) -> row(task, number(1.0 / count),
                numbers(contenders, contender -> contender.accuracy().get(task))));
        row("mean", number(classes.values().stream().mapToDouble(count -> 1.0 / count).average().orElse(Double.NaN)),
                numbers(contenders, Contender::meanAccuracy));
        Contender emtal = contenders.get(contenders.size() - 1);
        List<Contender> others = contenders.subList(0, contenders.size() - 1);
        List<String> lost = new ArrayList<>();
        emtal.accuracy().forEach((task, accuracy) -> others.stream()
                .filter(other -> other.accuracy().get(task) >= accuracy)
                .forEach(other -> lost.add(task + " (" + other.name() + ")")));
        print(lost.isEmpty() ? "%s is ahead on every task." : "%s is NOT ahead on: %s", emtal.name(),
                String.join(", ", lost));
    }

    void evaluations(List<Contender> contenders) {
        print("%nTribuo's MultiLabelEvaluator on the same images, each label for itself");
        row("", "", contenders.stream().map(Contender::name).toList());
        evaluation("micro precision", contenders, MultiLabelEvaluation::microAveragedPrecision);
        evaluation("micro recall", contenders, MultiLabelEvaluation::microAveragedRecall);
        evaluation("micro F1", contenders, MultiLabelEvaluation::microAveragedF1);
        evaluation("macro F1", contenders, MultiLabelEvaluation::macroAveragedF1);
        evaluation("Jaccard", contenders, MultiLabelEvaluation::jaccardScore);
    }

    private void evaluation(String metric, List<Contender> contenders, ToDoubleFunction<MultiLabelEvaluation> value) {
        row(metric, "", numbers(contenders, contender -> value.applyAsDouble(contender.evaluation())));
    }

    private static List<String> numbers(List<Contender> contenders, ToDoubleFunction<Contender> value) {
        return contenders.stream().map(contender -> number(value.applyAsDouble(contender))).toList();
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }

    private void row(String name, String reference, List<String> cells) {
        StringBuilder line = new StringBuilder(String.format("  %-15s %6s", name, reference));
        cells.forEach(cell -> line.append(String.format(" %8s", cell)));
        print("%s", line);
    }

    /** When each task was at its best, which is not when the others were. */
    void progress(TrainingReport training) {
        print("%nLosses on held-out images: each task's best epoch, and the epoch that was chosen for all");
        print("  %-15s %22s %22s", "", "dense phase", "adaptation");
        print("  %-15s %22s %22s", "task", "best  at   chosen", "best  at   chosen");
        Map<String, StringBuilder> lines = new LinkedHashMap<>();
        for (TaskProgress progress : training.taskProgress()) {
            lines.computeIfAbsent(progress.task(), task -> new StringBuilder(String.format("  %-15s", task)))
                    .append(String.format(Locale.ROOT, " %9.3f %3d %8.3f", progress.bestLoss(), progress.bestEpoch(),
                            progress.chosenLoss()));
        }
        lines.values().forEach(line -> print("%s", line));
        print("  %-15s %18d %22d", "chosen epoch", chosen(training, Phase.PRETRAIN), chosen(training, Phase.ADAPT));
    }

    private static int chosen(TrainingReport training, Phase phase) {
        return training.taskProgress().stream().filter(progress -> progress.phase() == phase)
                .mapToInt(TaskProgress::chosenEpoch).findFirst().orElse(0);
    }

    void parameters(TrainingReport training) {
        ParameterReport parameters = training.parameters();
        print("%nParameters");
        print("  %8d  backbone, all trained in the dense phase", parameters.backbone());
        parameters.trainable().forEach((part, count) -> print("  %8d  %s, trained in the adaptation", count, part));
        print("  %8d  in all trained in the adaptation", parameters.trainableTotal());
        print("  %8d  in the network that predicts: backbone and heads, no adapter, no router", parameters.deployed());
    }

    void agreement(TrainingReport training) {
        print("%nThe dense network's logits differ from the mixture of experts', at the end of the fade, by %.1e at"
                + " most; allowed are %.0e.", training.agreement(), Learner.TOLERANCE);
    }

    /** Times prediction, on a model that has predicted before. */
    void speed(Model<MultiLabel> model, Dataset<MultiLabel> test) {
        Stopwatch watch = new Stopwatch();
        model.predict(test);
        double together = watch.seconds();
        for (Example<MultiLabel> example : test) {
            model.predict(example);
        }
        double single = watch.seconds();
        print("Prediction takes %.2f ms an image in a batch, %.2f ms for an image alone.", 1e3 * together / test.size(),
                1e3 * single / test.size());
    }

    void provenance(ModelProvenance provenance) {
        print("%nFrom the model's provenance");
        EXCERPT.forEach(path -> print("  %-41s %s", path, at(provenance, path.split("/"))));
    }

    private static Object at(Provenance provenance, String... path) {
        Object found = provenance;
        for (String name : path) {
            Object next = "unknown";
            if (found instanceof Iterable<?> inner) {
                for (Object entry : inner) {
                    next = entry instanceof Pair<?, ?> pair && name.equals(pair.getA()) ? pair.getB() : next;
                }
            }
            found = next;
        }
        return found;
    }

    /** What was written, and whether it predicts as the model does. */
    void files(Model<MultiLabel> model, Model<MultiLabel> read, Model<MultiLabel> external, Dataset<MultiLabel> test,
            Path modelFile, Path onnxFile, Path historyFile) {
        List<Prediction<MultiLabel>> predictions = model.predict(test);
        print("%nWrote");
        print("  %s (%d kB), a Tribuo model; read back, its scores differ by %.1e", modelFile, kilobytes(modelFile),
                difference(predictions, read.predict(test)));
        print("  %s (%d kB), the dense network; in Tribuo's ONNXExternalModel its scores differ by %.1e", onnxFile,
                kilobytes(onnxFile), difference(predictions, external.predict(test)));
        print("  %s, the losses of each epoch", historyFile);
    }

    private static long kilobytes(Path file) {
        try {
            return (Files.size(file) + 999) / 1000;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double difference(List<Prediction<MultiLabel>> some, List<Prediction<MultiLabel>> others) {
        double most = 0;
        for (int i = 0; i < some.size(); i++) {
            Map<String, MultiLabel> scores = others.get(i).getOutputScores();
            for (Map.Entry<String, MultiLabel> scored : some.get(i).getOutputScores().entrySet()) {
                most = Math.max(most, Math.abs(TaskAccuracy.score(scored.getKey(), scored.getValue())
                        - TaskAccuracy.score(scored.getKey(), scores.get(scored.getKey()))));
            }
        }
        return most;
    }
}
