package io.emtal.samples.finetune;

import io.emtal.samples.output.Measurement;
import io.emtal.samples.output.TextColumns;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.tribuo.util.MeanVarianceAccumulator;

/** What {@code finetune} prints. */
final class FinetuneReport {
    private final PrintWriter screen;
    private final List<ImageSet> sets;

    FinetuneReport(PrintWriter screen, List<ImageSet> sets) {
        this.screen = screen;
        this.sets = List.copyOf(sets);
    }

    void data() {
        for (ImageSet set : sets) {
            screen.printf("%s: %d images to train on, %d to test with; %s%n", set.name(), set.train().size(),
                    set.test().size(), set.classes().entrySet().stream()
                            .map(task -> task.getKey() + " (" + task.getValue() + " classes)")
                            .collect(Collectors.joining(", ")));
        }
        screen.flush();
    }

    /** A line a trainer, a column a task and a cost; means over seeds, with deviations where there are several. */
    void table(List<Measurement> measurements) {
        Map<String, List<Measurement>> byTrainer = measurements.stream().collect(
                Collectors.groupingBy(Measurement::trainer, LinkedHashMap::new, Collectors.toList()));
        List<List<Measurement>> rows = List.copyOf(byTrainer.values());
        List<List<String>> columns = new ArrayList<>();
        columns.add(column("mean", "accuracy", rows, "%.4f", m -> m.metrics().get(FineTuning.MEAN)));
        for (ImageSet set : sets) {
            set.classes().forEach((task, classes) -> columns.add(column(task, classes + " classes", rows, "%.4f",
                    m -> m.metrics().getOrDefault(FineTuning.ACCURACY + task, Double.NaN))));
        }
        columns.add(column("trainable", "parameters", rows, "%.0f", m -> m.trainableParameters().orElseThrow()));
        columns.add(column("deployed", "parameters", rows, "%.0f", m -> m.metrics().get(FineTuning.DEPLOYED)));
        columns.add(column("network", "ms an image", rows, "%.3f", m -> m.metrics().get(FineTuning.NETWORK_MILLIS)));
        columns.add(column("original", "ms an image", rows, "%.3f", m -> m.metrics().get(FineTuning.ORIGINAL_MILLIS)));
        columns.add(column("agreement", "of logits", rows, "%.1e", m -> m.metrics().get(FineTuning.AGREEMENT)));
        columns.add(column("waiting", "for images", rows, "%.1f %%", m -> 100 * m.metrics().get(FineTuning.WAITING)));
        columns.add(column("training", "seconds", rows, "%.0f", Measurement::trainSeconds));
        List<String> heads = new ArrayList<>(List.of("trainer", ""));
        heads.addAll(byTrainer.keySet());
        TextColumns.print(screen, heads, columns);
        screen.println();
        screen.flush();
    }

    private static List<String> column(String head, String unit, List<List<Measurement>> rows, String format,
            ToDoubleFunction<Measurement> value) {
        List<String> cells = new ArrayList<>(List.of(head, unit));
        boolean spread = head.equals("mean") || unit.endsWith("classes");
        for (List<Measurement> row : rows) {
            MeanVarianceAccumulator seeds = new MeanVarianceAccumulator();
            row.forEach(measurement -> seeds.observe(value.applyAsDouble(measurement)));
            String mean = Double.isNaN(seeds.getMean()) ? "-" : String.format(Locale.ROOT, format, seeds.getMean());
            cells.add(spread && seeds.getCount() > 1
                    ? mean + String.format(Locale.ROOT, " (%.4f)", seeds.getStdDev()) : mean);
        }
        return cells;
    }
}
