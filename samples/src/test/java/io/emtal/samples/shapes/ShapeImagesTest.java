package io.emtal.samples.shapes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.classification.sgd.linear.LogisticRegressionTrainer;
import org.tribuo.impl.ArrayExample;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.provenance.SimpleDataSourceProvenance;

class ShapeImagesTest {
    private static final Map<String, Integer> CLASSES =
            Map.of("kind", 6, "colour", 6, "size", 3, "position", 4, "rotation", 4);

    @BeforeAll
    static void withoutDisplay() {
        System.setProperty("java.awt.headless", "true");
    }

    @Test
    void theSameSeedDrawsTheSameImagesHoweverMany() {
        List<Example<MultiLabel>> few = examples(new ShapeImages(5, 24, 3));
        List<Example<MultiLabel>> many = examples(new ShapeImages(8, 24, 3));
        List<Example<MultiLabel>> others = examples(new ShapeImages(5, 24, 4));
        assertEquals(8, many.size());
        for (int i = 0; i < few.size(); i++) {
            assertEquals(few.get(i).getOutput(), many.get(i).getOutput());
            assertArrayEquals(values(few.get(i)), values(many.get(i)));
            assertFalse(Arrays.equals(values(few.get(i)), values(others.get(i))));
        }
    }

    @Test
    void everyChannelOfEveryPixelIsAFeatureInTheOrderOfTheNames() {
        ShapeImages images = new ShapeImages(2, 11, 1);
        BufferedImage image = images.image(1);
        Example<MultiLabel> example = examples(images).get(1);
        assertEquals(11 * 11 * 3, example.size());
        int i = 0;
        for (Feature feature : example) {
            int row = i / 33;
            int column = i / 3 % 11;
            int channel = i % 3;
            assertEquals("y%03dx%03dc%d".formatted(row, column, channel), feature.getName());
            int rgb = image.getRGB(column, row);
            assertEquals((rgb >> 8 * (2 - channel) & 0xff) / 255.0, feature.getValue());
            i++;
        }
    }

    @Test
    void everyImageHasOneClassOfEachTaskAndClassesAreEven() {
        int count = 1200;
        Map<String, Map<String, Integer>> seen = new TreeMap<>();
        for (Example<MultiLabel> example : new ShapeImages(count, 8, 7)) {
            assertEquals(CLASSES.size(), example.getOutput().getLabelSet().size());
            example.getOutput().getNameSet().forEach(name ->
                    seen.computeIfAbsent(name.split("=")[0], task -> new HashMap<>()).merge(name, 1, Integer::sum));
        }
        CLASSES.forEach((task, classes) -> {
            assertEquals(classes, seen.get(task).size(), task);
            double even = count / (double) classes;
            seen.get(task).forEach((name, times) ->
                    assertTrue(Math.abs(times - even) < 5 * Math.sqrt(even), name + ": " + times));
        });
    }

    @Test
    void aLinearModelCannotTellKindAndRotation() {
        ShapeImages train = new ShapeImages(400, 24, 1);
        ShapeImages test = new ShapeImages(200, 24, 2);
        for (String task : List.of("kind", "rotation")) {
            double accuracy = new LabelEvaluator().evaluate(
                    new LogisticRegressionTrainer().train(only(task, train)), only(task, test)).accuracy();
            assertTrue(accuracy < 0.4, task + ": " + accuracy);
        }
    }

    @Test
    void theFigureShowsItsColour() {
        // The channel that should be strongest or weakest is so on average around the middle of the image.
        double[] red = new double[3];
        double[] cyan = new double[3];
        ShapeImages images = new ShapeImages(300, 24, 5);
        int index = 0;
        for (Example<MultiLabel> example : images) {
            double[] sums = example.getOutput().contains("colour=red") ? red
                    : example.getOutput().contains("colour=cyan") ? cyan : new double[3];
            int[] middle = images.image(index++).getRaster().getPixels(6, 6, 12, 12, (int[]) null);
            for (int i = 0; i < middle.length; i++) {
                sums[i % 3] += middle[i];
            }
        }
        assertTrue(red[0] > red[1] && red[0] > red[2], Arrays.toString(red));
        assertTrue(cyan[0] < cyan[1] && cyan[0] < cyan[2], Arrays.toString(cyan));
    }

    @Test
    void wrongSizesAreRefused() {
        assertThrows(EmtalException.class, () -> new ShapeImages(0, 24, 1));
        assertThrows(EmtalException.class, () -> new ShapeImages(1, 7, 1));
        assertThrows(EmtalException.class, () -> new ShapeImages(1, 1001, 1));
        assertThrows(EmtalException.class, () -> new ShapeImages(1, 24, 1).image(1));
    }

    private static List<Example<MultiLabel>> examples(ShapeImages images) {
        List<Example<MultiLabel>> examples = new ArrayList<>();
        images.forEach(examples::add);
        return examples;
    }

    private static double[] values(Example<MultiLabel> example) {
        double[] values = new double[example.size()];
        int i = 0;
        for (Feature feature : example) {
            values[i++] = feature.getValue();
        }
        return values;
    }

    private static MutableDataset<Label> only(String task, ShapeImages images) {
        LabelFactory factory = new LabelFactory();
        MutableDataset<Label> dataset =
                new MutableDataset<>(new SimpleDataSourceProvenance(task, factory), factory);
        for (Example<MultiLabel> example : images) {
            String name = example.getOutput().getNameSet().stream().filter(label -> label.startsWith(task + "="))
                    .findFirst().orElseThrow();
            dataset.add(new ArrayExample<>(new Label(name), example, 1));
        }
        return dataset;
    }
}
