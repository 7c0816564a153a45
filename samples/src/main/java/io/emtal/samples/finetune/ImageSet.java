package io.emtal.samples.finetune;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.quickstart.TaskAccuracy;
import io.emtal.tribuo.image.ImageTable;
import io.emtal.tribuo.table.CsvReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tribuo.Example;
import org.tribuo.multilabel.MultiLabel;

/**
 * A table of images whose rows a column {@code split} divides.
 *
 * @param name its folder's name, numbered where another set has it
 * @param train the rows of the split {@code train}
 * @param test the rows of the split {@code test}
 * @param classes how many classes each task has among the training rows, in the order of the columns
 */
record ImageSet(String name, ImageTable train, ImageTable test, Map<String, Integer> classes) {
    private static final String TRAIN = "train";
    private static final String TEST = "test";

    /**
     * Reads tables. Columns of the same name in several of them become tasks {@code set.column}.
     *
     * @param files the CSV files
     * @param chosen the columns that are tasks, each as {@code column} or {@code set.column}; empty for all
     * @param ignored the columns that are none
     * @return one set a file
     * @throws EmtalException if a file is not as it must be, a name is that of no column, nothing can be learnt
     *     about a task, or no test row has a label
     */
    static List<ImageSet> read(List<Path> files, List<String> chosen, List<String> ignored) {
        Map<String, Path> named = name(files);
        Map<String, List<String>> columns = new LinkedHashMap<>();
        named.forEach((name, file) -> columns.put(name, columns(file)));
        Stream.concat(chosen.stream(), ignored.stream()).forEach(wanted -> EmtalException.check(
                columns.entrySet().stream().anyMatch(set -> set.getValue().stream()
                        .anyMatch(column -> names(wanted, set.getKey(), column))),
                "task '%s': found no such column, allowed are %s", wanted, columns));
        columns.replaceAll((set, all) -> all.stream().filter(column ->
                (chosen.isEmpty() || chosen.stream().anyMatch(wanted -> names(wanted, set, column)))
                        && ignored.stream().noneMatch(unwanted -> names(unwanted, set, column))).toList());
        Map<String, Long> uses = columns.values().stream().flatMap(List::stream)
                .collect(Collectors.groupingBy(column -> column, Collectors.counting()));
        List<ImageSet> sets = new ArrayList<>();
        named.forEach((name, file) -> {
            List<String> tasks = columns.get(name);
            EmtalException.check(!tasks.isEmpty(), "%s: found no column that is a chosen task, at least one is needed",
                    file);
            boolean clash = tasks.stream().anyMatch(task -> uses.get(task) > 1);
            sets.add(of(name, file, tasks, clash ? name : ""));
        });
        EmtalException.check(sets.stream().anyMatch(ImageSet::isTested),
                "%s: found no label of the tasks %s in rows of the split '%s', at least one is needed",
                files.stream().map(Path::toString).collect(Collectors.joining(", ")),
                sets.stream().flatMap(set -> set.classes.keySet().stream()).toList(), TEST);
        return sets;
    }

    private boolean isTested() {
        for (Example<MultiLabel> example : test) {
            if (!example.getOutput().getNameSet().isEmpty()) {
                return true;
            }
        }
        return false;
    }

    /** The columns that may be tasks. */
    private static List<String> columns(Path file) {
        try (CsvReader table = CsvReader.open(file)) {
            return table.header().stream()
                    .filter(column -> !column.equals(ImageTable.PATH) && !column.equals(ImageTable.SPLIT)).toList();
        }
    }

    private static ImageSet of(String name, Path file, List<String> tasks, String prefix) {
        ImageTable train = table(file, TRAIN).labels(tasks.toArray(String[]::new)).name(prefix).build();
        ImageTable test = table(file, TEST).labels(tasks.toArray(String[]::new)).name(prefix).build();
        Map<String, Set<String>> labels = new TreeMap<>();
        for (Example<MultiLabel> example : train) {
            for (String label : example.getOutput().getNameSet()) {
                labels.computeIfAbsent(TaskAccuracy.task(label), task -> new HashSet<>()).add(label);
            }
        }
        Map<String, Integer> classes = new LinkedHashMap<>();
        for (String task : train.tasks()) {
            classes.put(task, labels.getOrDefault(task, Set.of()).size());
            EmtalException.check(classes.get(task) > 1, "%s: found %d classes of the task '%s' in the training rows, at"
                    + " least two are needed; leave it out with --ignore", file, classes.get(task), task);
        }
        return new ImageSet(name, train, test, classes);
    }

    private static ImageTable.Builder table(Path file, String split) {
        return ImageTable.builder(file).filter(ImageTable.SPLIT, split);
    }

    private static Map<String, Path> name(List<Path> files) {
        Map<String, Path> named = new LinkedHashMap<>();
        for (Path file : files) {
            Path path = file.toAbsolutePath().normalize();
            EmtalException.check(!named.containsValue(path), "%s: found twice among the images, allowed is once", file);
            Path parent = path.getParent().getFileName();
            String folder = parent == null ? "images" : parent.toString();
            String name = folder;
            for (int number = 2; named.containsKey(name); number++) {
                name = folder + "-" + number;
            }
            named.put(name, path);
        }
        return named;
    }

    private static boolean names(String wanted, String set, String column) {
        return wanted.equals(column) || wanted.equals(set + "." + column);
    }
}
