package io.emtal.samples.shapes;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.output.CsvOutput;
import io.emtal.samples.quickstart.TaskAccuracy;
import io.emtal.tribuo.image.ImageTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.imageio.ImageIO;

/** The images of {@link ShapeImages} as PNG files, with a table of their labels as {@link ImageTable} reads it. */
public final class ShapeFiles {
    private static final String FORMAT = "png";

    private ShapeFiles() {
    }

    /**
     * Draws images and writes them.
     *
     * @param folder where to; made if it is not there
     * @param train how many images have {@code train} in the column {@code split}: the first
     * @param test how many have {@code test}
     * @param side pixels per row and column
     * @param seed another seed gives other images
     * @return the table {@code index.csv} in the folder, a column a task
     * @throws EmtalException if that fails
     */
    public static Path write(Path folder, int train, int test, int side, long seed) {
        ShapeImages images = new ShapeImages(train + test, side, seed);
        List<List<Object>> rows = new ArrayList<>();
        List<String> header = new ArrayList<>();
        try {
            Files.createDirectories(folder);
            for (int i = 0; i < train + test; i++) {
                Map<String, String> classes = new TreeMap<>();
                for (String label : images.labels(i).getNameSet()) {
                    String task = TaskAccuracy.task(label);
                    classes.put(task, label.substring(task.length() + 1));
                }
                if (i == 0) {
                    header.addAll(List.of(ImageTable.PATH, ImageTable.SPLIT));
                    header.addAll(classes.keySet());
                }
                String name = i + "." + FORMAT;
                ImageIO.write(images.image(i), FORMAT, folder.resolve(name).toFile());
                List<Object> row = new ArrayList<>(List.of(name, i < train ? "train" : "test"));
                row.addAll(classes.values());
                rows.add(row);
            }
        } catch (IOException e) {
            throw new EmtalException(folder + " cannot be written: " + e, e);
        }
        Path index = folder.resolve("index.csv");
        CsvOutput.write(index, header, rows.stream());
        return index;
    }
}
