package io.emtal.onnx.backbone;

import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.adapt.Lora;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Which constants of a transformer are trained. */
class FixedConstantsTest extends RandomGraph {

    private static final int CHANNELS = 3;
    private static final int N = 4;
    private static final int D = 6;

    private Backbone read(UnaryOperator<Value> pixels, UnaryOperator<Value> scores) {
        Value image = pixels.apply(b.input("x", ElementType.FLOAT, Shape.BATCH, CHANNELS, 2, 2));
        Value patches = linear("stem", b.transpose(b.reshape(image, 0, CHANNELS, N), 0, 2, 1), D);
        Value tokens = b.add(patches, constant("positions", N, D));
        Value product = b.matMul(linear("q", tokens, D), b.transpose(linear("k", tokens, D), 0, 2, 1));
        Value mixed = b.matMul(b.softmax(scores.apply(product), -1), linear("v", tokens, D));
        Value attended = b.add(tokens, linear("o", mixed, D));
        b.output("y", b.add(attended, linear("fc2", b.relu(linear("fc1", attended, 2 * D)), D)));
        return OnnxBackbone.read(OnnxFile.toModel(b.build(), "test"));
    }

    /** What all weights, and what all outside the layers are, without those of the layers. */
    private static List<Set<String>> trained(Backbone backbone) {
        Set<String> layers = backbone.layers().flatMap(l -> Stream.concat(Stream.of(l.weight()), l.bias().stream()))
                .collect(Collectors.toSet());
        return Stream.of(new FullDense(), Lora.builder().embeddingRate(0.5).build())
                .map(method -> method.adapt(backbone, 1).parameters().stream().filter(p -> p.part().equals("backbone"))
                        .map(Parameter::name).filter(name -> !layers.contains(name)).collect(Collectors.toSet()))
                .toList();
    }

    private Value mask(float masked) {
        float[] elements = new float[N * N];
        for (int i = 0; i < N; i++) {
            for (int j = i + 1; j < N; j++) {
                elements[i * N + j] = masked;
            }
        }
        return b.initializer("mask", Tensor.of(elements, 1, N, N));
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NEGATIVE_INFINITY, -Float.MAX_VALUE, -1e4f, -100, 0})
    void masksStayAsTheyAre(float masked) {
        Set<String> weights = Set.of("stem.weight", "stem.bias", "positions");
        assertEquals(List.of(weights, weights), trained(read(v -> v, v -> b.add(b.mul(v, 0.5), mask(masked)))));
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NEGATIVE_INFINITY, -1e9f})
    void masksWithPositionsInThemStayAsTheyAre(float masked) {
        float[] elements = new float[N * N];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = i % N > i / N ? masked : (float) random.nextGaussian();
        }
        Value mask = b.initializer("mask", Tensor.of(elements, N, N));
        assertTrue(read(v -> v, v -> b.add(v, mask)).frozen().contains("mask"));
    }

    @Test
    void positionsInTheScoresAreTrained() {
        Backbone backbone = read(v -> v, v -> b.add(v, constant("scores.positions", 1, N, N)));
        assertTrue(trained(backbone).stream().allMatch(names -> names.contains("scores.positions")));
    }

    @Test
    void statisticsOfImagesStayAsTheyAre() {
        Backbone backbone = read(v -> b.div(b.sub(v, constant("mean", 1, CHANNELS, 1, 1)),
                constant("deviation", CHANNELS, 1, 1)), v -> v);
        Set<String> weights = Set.of("stem.weight", "stem.bias", "positions");
        assertEquals(List.of(weights, weights), trained(backbone));
    }

    @Test
    void positionsOfPixelsAreTrained() {
        Backbone backbone = read(v -> b.add(v, constant("pixels", CHANNELS, 2, 2)), v -> v);
        assertFalse(backbone.frozen().contains("pixels"));
    }
}
