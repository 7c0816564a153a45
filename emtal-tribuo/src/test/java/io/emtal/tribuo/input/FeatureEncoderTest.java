package io.emtal.tribuo.input;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureColumn.Kind;
import io.emtal.tribuo.TestData;
import io.emtal.tribuo.Warnings;
import io.emtal.tribuo.protos.EmtalModelProto;
import io.emtal.tribuo.protos.FeatureEncoderProto;
import org.junit.jupiter.api.Test;
import org.tribuo.Example;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.impl.ArrayExample;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

class FeatureEncoderTest {

    private static final float NAN = Float.NaN;

    /** An example of names, each followed by its value. */
    private static Example<Label> example(Object... features) {
        ArrayExample<Label> example = new ArrayExample<>(new Label("a"));
        for (int i = 0; i < features.length; i += 2) {
            example.add((String) features[i], ((Number) features[i + 1]).doubleValue());
        }
        return example;
    }

    private static ImmutableFeatureMap map(List<Example<Label>> examples) {
        return TestData.dataset(new LabelFactory(), examples).getFeatureIDMap();
    }

    private static FeatureEncoder encoder(List<Example<Label>> examples) {
        return FeatureEncoder.of(map(examples), examples);
    }

    private static FeatureEncoderProto written(FeatureEncoder encoder) {
        EmtalModelProto.Builder model = EmtalModelProto.newBuilder();
        encoder.serialize(model);
        return model.getFeatures();
    }

    private static float[] row(FeatureEncoder encoder, Example<Label> example) {
        float[] row = new float[encoder.layout().width()];
        encoder.encode("example", example, row, 0);
        return row;
    }

    /** Epoch milliseconds, a second apart. Whole numbers that single precision has are fine, and so is a constant. */
    @Test
    void valuesThatSinglePrecisionTakesForTheSameAreWarnedOf() {
        List<Example<Label>> examples = IntStream.range(0, 50).mapToObj(i -> example("time", 1.7e12 + 1000 * i,
                "count", 16_000_000 + i, "same", 1.7e12, "share", 0.1 + 0.01 * i)).toList();
        try (Warnings warnings = new Warnings(RoundingCheck.class)) {
            encoder(examples);
            assertEquals(1, warnings.messages().size());
            String message = warnings.messages().get(0);
            assertTrue(message.startsWith("Found 1 features") && message.endsWith(": ['time']"), message);
        }
    }

    @Test
    void numbersStandInTheOrderOfTheirIdsAndGapsAreNotANumber() {
        List<Example<Label>> examples = List.of(example("b", 2, "a", 1), example("c", 0));
        FeatureEncoder encoder = encoder(examples);
        assertEquals(List.of(new FeatureColumn("a", Kind.NUMERIC, 0, 1), new FeatureColumn("b", Kind.NUMERIC, 1, 1),
                new FeatureColumn("c", Kind.NUMERIC, 2, 1)), encoder.layout().columns());
        assertArrayEquals(new float[] {1, 2, NAN}, row(encoder, examples.get(0)));
        assertArrayEquals(new float[] {NAN, NAN, 0}, row(encoder, examples.get(1)));
    }

    @Test
    void indicatorsOfOneColumnAreNominal() {
        List<Example<Label>> examples = List.of(example("c@red", 1, "x@value", 3), example("c@blue", 1, "x@value", 4),
                example("x@value", 5));
        FeatureEncoder encoder = encoder(examples);
        assertEquals(List.of(new FeatureColumn("c", Kind.NOMINAL, 0, 2),
                new FeatureColumn("x@value", Kind.NUMERIC, 2, 1)), encoder.layout().columns());
        assertArrayEquals(new float[] {0, 1, 3}, row(encoder, examples.get(0)));
        assertArrayEquals(new float[] {1, 0, 4}, row(encoder, examples.get(1)));
        assertArrayEquals(new float[] {NAN, NAN, 5}, row(encoder, examples.get(2)));
    }

    @Test
    void fault17_anUnseenCategoryIsMissingAndTwoCategoriesAreBothOn() {
        FeatureEncoder encoder = encoder(List.of(example("c@red", 1, "x", 3), example("c@blue", 1, "x", 4)));
        assertArrayEquals(new float[] {NAN, NAN, 1}, row(encoder, example("c@green", 1, "x", 1)));
        assertArrayEquals(new float[] {1, 1, NAN}, row(encoder, example("c@red", 1, "c@blue", 1)));
    }

    @Test
    void aColumnWithTwoIndicatorsInAnExampleIsNotNominal() {
        FeatureEncoder encoder = encoder(List.of(example("w@one", 1, "w@two", 1), example("w@one", 1)));
        assertEquals(List.of(Kind.NUMERIC, Kind.NUMERIC),
                encoder.layout().columns().stream().map(FeatureColumn::kind).toList());
    }

    @Test
    void aColumnWithOtherValuesThanOneIsNotNominal() {
        for (double other : new double[] {0, 2, -1, 1.0000001}) {
            FeatureEncoder encoder = encoder(List.of(example("w@one", 1), example("w@two", other)));
            assertEquals(List.of(Kind.NUMERIC, Kind.NUMERIC),
                    encoder.layout().columns().stream().map(FeatureColumn::kind).toList(), "value " + other);
        }
    }

    @Test
    void namesBetweenTheMembersOfAColumnDoNotExist() {
        FeatureEncoder encoder = encoder(List.of(example("a", 2, "a@1", 1, "aa@1", 1, "a@@", 4), example("a@z@1", 1),
                example("A@1", 1, "a\uffff", 1)));
        assertEquals(List.of("A", "a", "a@1", "a@@", "a@z@1", "aa", "a\uffff"),
                encoder.layout().columns().stream().map(FeatureColumn::name).toList());
    }

    @Test
    void featuresThatNoTrainingExampleHasAreLeftOut() {
        List<Example<Label>> examples = List.of(example("a", 1, "c@x", 1), example("b", 1, "c@y", 1), example("d", 1));
        FeatureEncoder encoder = FeatureEncoder.of(map(examples), examples.subList(0, 1));
        assertEquals(List.of(new FeatureColumn("a", Kind.NUMERIC, 0, 1), new FeatureColumn("c", Kind.NOMINAL, 1, 1)),
                encoder.layout().columns());
        assertArrayEquals(new int[] {0, 2}, encoder.featureIds().orElseThrow());
        assertArrayEquals(new float[] {5, NAN}, row(encoder, example("a", 5, "b", 6, "c@y", 1)));
    }

    @Test
    void fault10_whatIsNoFiniteNumberIsRejectedWithRowAndFeature() {
        FeatureEncoder encoder = encoder(List.of(example("a", 1, "b", 2)));
        for (double value : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e39}) {
            var e = assertThrows(EmtalException.class,
                    () -> encoder.encode("row 17", example("a", 1, "b", value), new float[2], 0));
            assertTrue(e.getMessage().contains("row 17") && e.getMessage().contains("'b'"), e.getMessage());
        }
    }

    @Test
    void anExampleWithoutKnownFeatureIsRejected() {
        FeatureEncoder encoder = encoder(List.of(example("a", 1, "b", 2)));
        assertThrows(IllegalArgumentException.class, () -> row(encoder, example("c", 1)));
        assertEquals(1, encoder.encode("row 0", example("c", 1, "a", 1), new float[2], 0));
    }

    @Test
    void examplesWithoutFeaturesAreRejected() {
        List<Example<Label>> examples = List.of(example("a", 1));
        assertThrows(EmtalException.class, () -> FeatureEncoder.of(map(examples), List.of(example("b", 1))));
    }

    @Test
    void protobufRoundTripKeepsEverything() {
        List<Example<Label>> examples = List.of(example("a", 1, "c@x", 1), example("b", 1, "c@y", 1), example("d", 1));
        ImmutableFeatureMap map = map(examples);
        FeatureEncoder encoder = FeatureEncoder.of(map, examples.subList(0, 2));
        FeatureEncoder read = FeatureEncoder.of(map, written(encoder));
        assertEquals(encoder.layout(), read.layout());
        for (Example<Label> example : examples.subList(0, 2)) {
            assertArrayEquals(row(encoder, example), row(read, example));
        }
    }

    @Test
    void protobufsThatContradictTheFeaturesAreRejected() {
        List<Example<Label>> examples = List.of(example("a", 1, "b", 1));
        ImmutableFeatureMap map = map(examples);
        FeatureEncoderProto good = written(FeatureEncoder.of(map, examples));
        for (FeatureEncoderProto bad : List.of(good.toBuilder().setPosition(0, 1).build(),
                good.toBuilder().setPosition(0, 2).build(), good.toBuilder().setPosition(0, -2).build(),
                good.toBuilder().setPosition(0, -1).build(), good.toBuilder().addPosition(-1).build(),
                good.toBuilder().removeColumn(0).build())) {
            assertThrows(EmtalException.class, () -> FeatureEncoder.of(map, bad));
        }
    }

    @Test
    void everyKnownFeatureOfARandomExampleStandsAtItsPosition() {
        long seed = 77;
        SplittableRandom random = new SplittableRandom(seed);
        String[] columns = {"a", "b", "ab", "a.b", "A"};
        List<Example<Label>> examples = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            Map<String, Double> features = new HashMap<>();
            for (String column : columns) {
                if (random.nextBoolean()) {
                    boolean nominal = column.length() > 1;
                    features.put(nominal ? column + "@" + (char) ('0' + random.nextInt(20)) : column,
                            nominal ? 1 : random.nextDouble());
                }
            }
            features.put("z@value", random.nextDouble());
            ArrayExample<Label> example = new ArrayExample<>(new Label("l"));
            features.forEach(example::add);
            examples.add(example);
        }
        FeatureEncoder encoder = encoder(examples);
        ImmutableFeatureMap map = map(examples);
        int[] ids = encoder.featureIds().orElseThrow();
        assertEquals(6, encoder.layout().columns().size());
        for (Example<Label> example : examples) {
            float[] row = row(encoder, example);
            Map<String, Float> found = new HashMap<>();
            for (int i = 0; i < row.length; i++) {
                if (!Float.isNaN(row[i]) && row[i] != 0) {
                    found.put(map.get(ids[i]).getName(), row[i]);
                }
            }
            Map<String, Float> expected = new HashMap<>();
            example.forEach(feature -> expected.put(feature.getName(), (float) feature.getValue()));
            assertEquals(expected, found, "seed " + seed);
        }
    }
}
