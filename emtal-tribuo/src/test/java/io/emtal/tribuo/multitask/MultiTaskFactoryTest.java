package io.emtal.tribuo.multitask;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.tribuo.OutputFactory;
import org.tribuo.test.Helpers;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

class MultiTaskFactoryTest {

    private static final MultiTask OUTPUT = MultiTask.builder().categorical("kind", "star").binary("filled", true)
            .real("area", 2).build();

    private final MultiTaskFactory factory = new MultiTaskFactory();

    @Test
    void outputsAreMadeOfWhatATableHolds() {
        assertSame(OUTPUT, factory.generateOutput(OUTPUT));
        assertEquals(OUTPUT, factory.generateOutput("kind=\"star\",filled=true,area=2"));
        assertEquals(OUTPUT, factory.generateOutput(OUTPUT.values()));
        assertEquals(OUTPUT, factory.generateOutput(Arrays.asList("kind=\"star\"", "", "filled=true,area=2")));
        Map<String, Object> map = new HashMap<>(Map.of("kind", "star", "filled", true, "area", 2));
        map.put("missing", null);
        assertEquals(OUTPUT, factory.generateOutput(map));
        assertEquals(List.of(OUTPUT, MultiTask.builder().build()), factory.generateOutputs(List.of(OUTPUT, "")));
        assertSame(MultiTaskFactory.UNKNOWN_MULTITASK, factory.getUnknownOutput());
        assertSame(MultiTaskFactory.UNKNOWN_MULTITASK, factory.generateOutput(List.of("?")));
        assertSame(MultiTaskFactory.UNKNOWN_MULTITASK, factory.generateOutput(List.of(factory.getUnknownOutput())));
    }

    @Test
    void valuesOfOtherTypesAreRejectedWithTheirTask() {
        var e = assertThrows(EmtalException.class, () -> factory.generateOutput(Map.of("kind", List.of("star"))));
        assertTrue(e.getMessage().contains("'kind'"), e.getMessage());
        assertThrows(EmtalException.class, () -> factory.generateOutput(List.of("area=1", "area=2")));
        assertThrows(EmtalException.class, () -> factory.generateOutput(List.of("area=1", "?")));
    }

    @Test
    void protobufAndProvenanceRoundTrips() {
        assertEquals(factory, OutputFactory.deserialize(factory.serialize()));
        assertEquals(factory.hashCode(), new MultiTaskFactory().hashCode());
        assertEquals(MultiTask.class, factory.getTypeWitness());
        Helpers.testProvenanceMarshalling(factory.getProvenance());
        Helpers.testConfigurableRoundtrip(factory);
    }
}
