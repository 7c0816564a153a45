package io.emtal.tribuo.multitask;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.protos.MultiTaskProto;
import io.emtal.tribuo.protos.TaskValueProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.impl.ArrayExample;
import org.tribuo.protos.core.OutputProto;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

class MultiTaskTest {

    private static final long SEED = 20261125;

    private static final MultiTask ALL = MultiTask.builder().real("weight", 3.5).categorical("colour", "red")
            .binary("round", true).build();

    @Test
    void valuesAreFoundByTaskAndSorted() {
        assertEquals(List.of("colour", "round", "weight"), ALL.values().stream().map(TaskValue::task).toList());
        assertEquals(Optional.of(new TaskValue.Real("weight", 3.5)), ALL.value("weight"));
        assertEquals(Optional.empty(), ALL.value("size"));
        assertFalse(ALL.isEmpty());
        assertTrue(MultiTask.builder().build().isEmpty());
    }

    @Test
    void tenThousandRandomOutputsSurviveTextAndProtobuf() {
        Random random = new Random(SEED);
        for (int i = 0; i < 10_000; i++) {
            MultiTask output = RandomMultiTasks.draw(random);
            String message = "seed " + SEED + ", output " + i + ": " + output;
            MultiTask parsed = MultiTask.parse(output.toString());
            assertTrue(output.fullEquals(parsed), message);
            assertEquals(output.toString(), parsed.toString());
            assertEquals(output.getSerializableForm(true), output.toString());
            MultiTask plain = MultiTask.parse(output.getSerializableForm(false));
            assertEquals(output, plain, message);
            assertEquals(output.hashCode(), plain.hashCode(), message);
            Output<?> read = Output.deserialize(output.serialize());
            assertTrue(output.fullEquals((MultiTask) read), message);
        }
    }

    @Test
    void equalityIsOfValuesAndFullEqualityOfScoresToo() {
        MultiTask scored = MultiTask.of(List.of(new TaskValue.Category("a", "x", 0.75), new TaskValue.Real("b", 1)));
        MultiTask truth = MultiTask.builder().categorical("a", "x").real("b", 1).build();
        assertEquals(truth, scored);
        assertEquals(truth.hashCode(), scored.hashCode());
        assertFalse(truth.fullEquals(scored));
        assertFalse(scored.fullEquals(truth, 1));
        assertTrue(truth.fullEquals(truth.copy()));
        MultiTask near = MultiTask.of(List.of(new TaskValue.Category("a", "x", 0.5), new TaskValue.Real("b", 1.125)));
        assertFalse(scored.fullEquals(near, 0.125));
        assertTrue(scored.fullEquals(near, 0.25));
        assertNotEquals(scored, near);
        assertNotEquals(MultiTask.builder().binary("a", true).build(), MultiTask.builder().categorical("a", "true")
                .build());
        assertFalse(MultiTask.builder().build().fullEquals(truth));
        assertEquals(MultiTask.builder().real("b", 0).build(), MultiTask.builder().real("b", -0.0).build());
    }

    @Test
    void theTextTellsTheKinds() {
        assertEquals("colour=\"red\",round=true,weight=3.5", ALL.toString());
        assertEquals("\"a b\"=\"x\\ny\"@0.25", MultiTask.of(List.of(new TaskValue.Category("a b", "x\ny", 0.25)))
                .toString());
        assertEquals("", MultiTask.builder().build().toString());
        assertEquals(MultiTask.builder().categorical("a", "/A").real("b", -1e-5).build(),
                MultiTask.parse("\"\\u0061\"=\"\\/A\",b=-1e-5"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "a=red|3|a class stands in quotation marks", "a|2|'='", "a=|3|a class in quotation marks", "=1|1|the name",
        "a=1,|5|the name", "a=1;|4|','", "a=\"x|5|ends the text", "a=\"\\x\"|5|behind a backslash",
        "a=\"\\u00g1\"|6|hexadecimal", "a=NaN|3|a finite number", "a=1e5d|3|number", "a=1.2.3|3|a number",
        "a=true@x|8|number", "a=\"x\"@|7|a number", "a=\"x\\|6|behind a backslash"})
    void faultyTextsAreRejectedByTheirFirstOddCharacter(String text, int character, String allowed) {
        var e = assertThrows(EmtalException.class, () -> MultiTask.parse(text));
        assertTrue(e.getMessage().startsWith("output, character " + character + " of ")
                && e.getMessage().substring(e.getMessage().indexOf(", allowed")).contains(allowed), e.getMessage());
    }

    @Test
    void anyTextIsAnOutputOrRejected() {
        Random random = new Random(SEED);
        String pieces = "ab\"\"\\\\u00e4==,,@@?true1.5e-/ \n";
        int outputs = 0;
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? "a=" : "");
            for (int length = random.nextInt(8); length > 0; length--) {
                text.append(pieces.charAt(random.nextInt(pieces.length())));
            }
            MultiTask output;
            try {
                output = MultiTask.parse(text.toString());
            } catch (EmtalException e) {
                continue;
            }
            outputs++;
            assertTrue(output.fullEquals(MultiTask.parse(output.toString())), "seed " + SEED + ": " + text);
        }
        assertTrue(outputs > 100, outputs + " outputs");
    }

    @Test
    void impossibleValuesAreRejectedWithTheirTask() {
        for (double value : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            refused(() -> new TaskValue.Real("speed", value), "'speed'");
        }
        refused(() -> new TaskValue.Category("kind", "x", -0.1), "'kind'");
        refused(() -> new TaskValue.Category("kind", "x", 1.1), "'kind'");
        refused(() -> new TaskValue.Binary("kind", true, Double.POSITIVE_INFINITY), "'kind'");
        refused(() -> new TaskValue.Category("kind", null, 1), "'kind'");
        refused(() -> new TaskValue.Real("a\uD800", 1), "\\ud800");
        refused(() -> new TaskValue.Real(null, 1), "null");
        refused(() -> MultiTask.builder().real("twice", 1).binary("twice", true).build(), "'twice'");
        refused(() -> MultiTask.parse("a=1e999"), "'a'");
    }

    private static void refused(Runnable construction, String where) {
        var e = assertThrows(EmtalException.class, construction::run);
        assertTrue(e.getMessage().contains(where) && e.getMessage().contains("allowed"), e.getMessage());
    }

    @Test
    void theUnknownOutputKeepsItsIdentity() throws Exception {
        MultiTask unknown = MultiTaskFactory.UNKNOWN_MULTITASK;
        assertNotEquals(unknown, MultiTask.builder().build());
        assertFalse(unknown.fullEquals(MultiTask.builder().build()));
        assertSame(unknown, unknown.copy());
        assertSame(unknown, MultiTask.parse(unknown.toString()));
        assertSame(unknown, MultiTask.parse(unknown.getSerializableForm(false)));
        assertSame(unknown, Output.deserialize(unknown.serialize()));
        assertSame(unknown, javaCopy(unknown));
        assertTrue(ALL.fullEquals(javaCopy(ALL)));
    }

    /** What Java serialisation reads of what it wrote. */
    static <T> T javaCopy(T object) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream stream = new ObjectOutputStream(bytes)) {
            stream.writeObject(object);
        }
        try (ObjectInputStream stream = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            @SuppressWarnings("unchecked") // it was one
            T copy = (T) stream.readObject();
            return copy;
        }
    }

    @Test
    void distributionsAreReadFromPredictions() {
        MultiTask red = MultiTask.of(List.of(new TaskValue.Category("colour", "red", 0.75)));
        MultiTask blue = MultiTask.of(List.of(new TaskValue.Category("colour", "blue", 0.25)));
        MultiTask round = MultiTask.of(List.of(new TaskValue.Binary("round", true, 0.125)));
        MultiTask weight = MultiTask.of(List.of(new TaskValue.Real("weight", 2)));
        Prediction<MultiTask> prediction = new Prediction<>(ALL,
                Map.of("b", blue, "r", red, "o", round, "w", weight), 1,
                new ArrayExample<>(ALL, new String[] {"x"}, new double[] {1}), true);
        assertEquals(Map.of("red", 0.75, "blue", 0.25), MultiTask.distribution(prediction, "colour"));
        assertEquals(Map.of("true", 0.125, "false", 0.875), MultiTask.distribution(prediction, "round"));
        for (String task : List.of("weight", "size")) {
            var e = assertThrows(EmtalException.class, () -> MultiTask.distribution(prediction, task));
            assertTrue(e.getMessage().contains("'" + task + "'"), e.getMessage());
        }
    }

    @Test
    void newerAndFaultyProtobufsAreRefused() throws Exception {
        OutputProto good = ALL.serialize();
        MultiTaskProto content = good.getSerializedData().unpack(MultiTaskProto.class);
        for (OutputProto bad : List.of(good.toBuilder().setVersion(1).build(),
                with(good, content.toBuilder().setUnknown(true).build()),
                with(good, content.toBuilder().addValue(content.getValue(0)).build()),
                with(good, content.toBuilder().addValue(TaskValueProto.newBuilder().setTask("none")).build()))) {
            var e = assertThrows(IllegalStateException.class, () -> Output.deserialize(bad), bad::toString);
            assertTrue(e.getCause().getCause() instanceof EmtalException,
                    () -> String.valueOf(e.getCause().getCause()));
        }
    }

    private static OutputProto with(OutputProto proto, MultiTaskProto content) {
        return proto.toBuilder().setSerializedData(Any.pack(content)).build();
    }
}
