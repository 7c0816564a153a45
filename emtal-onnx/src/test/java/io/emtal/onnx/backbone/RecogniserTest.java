package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Blocks that exporters of vision transformers do not write: found by their structure, or refused by their node. */
class RecogniserTest extends RandomGraph {

    private static final int N = 4;
    private static final int D = 6;

    private final Value x = b.input("x", ElementType.FLOAT, Shape.BATCH, N, D);

    private Value norm(String name, Value input) {
        return b.layerNorm(input, constant(name + ".scale", D), constant(name + ".shift", D), 1e-5);
    }

    private Value attention(String name, Value tokens, UnaryOperator<Value> prepare, UnaryOperator<Value> soften) {
        Value query = prepare.apply(linear(name + ".q", tokens, D));
        Value key = prepare.apply(linear(name + ".k", tokens, D));
        Value weights = b.softmax(soften.apply(b.matMul(query, b.transpose(key, 0, 2, 1))), -1);
        return linear(name + ".o", b.matMul(weights, linear(name + ".v", tokens, D)), D);
    }

    private Value attention(String name, Value tokens) {
        return attention(name, tokens, v -> v, v -> b.mul(v, 0.5));
    }

    private Value network(String name, Value tokens, UnaryOperator<Value> activation) {
        return linear(name + ".fc2", activation.apply(linear(name + ".fc1", tokens, 2 * D)), D);
    }

    private Value block(String name, Value tokens) {
        Value attended = b.add(tokens, attention(name, norm(name + ".norm1", tokens)));
        return b.add(attended, network(name, norm(name + ".norm2", attended), b::relu));
    }

    private Backbone read(Value... outputs) {
        for (int i = 0; i < outputs.length; i++) {
            b.output("y" + i, outputs[i]);
        }
        return OnnxBackbone.read(OnnxFile.toModel(b.build(), "test"));
    }

    private void assertRefused(String found, Value output) {
        EmtalException e = assertThrows(EmtalException.class, () -> read(output));
        assertTrue(e.getMessage().startsWith("node '") && e.getMessage().contains(found)
                && e.getMessage().contains("expected "), e.getMessage());
    }

    @Test
    void rotatedAndNormedQueriesAndKeys() {
        UnaryOperator<Value> rotate = v -> {
            Value normed = b.div(v, b.sqrt(b.add(b.reduceMean(b.mul(v, v), true, -1), b.constant(1e-6))));
            List<Value> halves = b.split(normed, -1, D / 2, D / 2);
            Value turned = b.concat(2, List.of(b.neg(halves.get(1)), halves.get(0)));
            return b.add(b.mul(normed, b.constant(Tensor.filled(ElementType.FLOAT, Shape.of(N, D), 0.8))),
                    b.mul(turned, b.constant(Tensor.filled(ElementType.FLOAT, Shape.of(N, D), 0.6))));
        };
        Value attended = b.add(x, attention("a", norm("n", x), rotate, v -> v));
        Backbone backbone = read(b.add(attended, network("f", norm("m", attended), b::relu)));
        assertEquals(List.of("a.q.weight", "a.k.weight", "a.v.weight", "a.o.weight", "f.fc1.weight", "f.fc2.weight"),
                backbone.layers().map(LinearLayer::weight).toList());
    }

    /** Norms of squares alone, inside and behind the branches. */
    @Test
    void normsOfSquares() {
        UnaryOperator<Value> rms = v -> b.mul(v, b.reciprocal(b.sqrt(b.add(b.reduceMean(b.mul(v, v), true, -1),
                b.constant(1e-6)))));
        Value attended = b.add(rms.apply(attention("a", rms.apply(x))), x);
        Backbone backbone = read(b.add(rms.apply(network("f", rms.apply(attended), b::relu)), attended));
        assertEquals(BlockDescription.Norm.BEFORE, backbone.describe().blocks().get(0).norm());
    }

    @Test
    void windowsOfTokens() {
        Value windows = b.reshape(norm("n", x), 0, 2, N / 2, D);
        Value query = linear("a.q", windows, D);
        Value weights = b.softmax(b.add(b.matMul(query, b.transpose(linear("a.k", windows, D), 0, 1, 3, 2)),
                constant("a.positions", 1, 2, N / 2, N / 2)), -1);
        Value mixed = linear("a.o", b.matMul(weights, linear("a.v", windows, D)), D);
        Value attended = b.add(x, b.reshape(mixed, 0, N, D));
        Backbone backbone = read(b.add(attended, network("f", norm("m", attended), b::relu)));
        assertEquals(N / 2, backbone.describe().blocks().get(0).tokens());
    }

    @ParameterizedTest
    @ValueSource(strings = {"HardSwish", "LeakyRelu", "Tanh"})
    void otherFunctionsAreNamedByTheirOperators(String op) {
        Value attended = b.add(x, attention("a", norm("n", x)));
        Backbone backbone = read(b.add(attended, network("f", norm("m", attended), v -> b.apply(op, Map.of(), v))));
        assertEquals(op, backbone.describe().blocks().get(0).activation());
    }

    @Test
    void logitsArePreferredToTokens() {
        Value tokens = block("0", x);
        Backbone backbone = read(tokens, linear("head", b.reduceMean(tokens, false, 1), 3));
        assertEquals(OptionalInt.of(3), backbone.describe().classes());
        assertEquals(D, backbone.pooledWidth());
    }

    @Test
    void logitsAndProbabilitiesAreOneHead() {
        Value logits = linear("head", b.reduceMean(block("0", x), false, 1), 3);
        Backbone backbone = read(logits, b.softmax(logits, -1));
        assertEquals(OptionalInt.of(3), backbone.describe().classes());
        assertEquals(Pooling.Kind.VALUE.text(), backbone.describe().pooling());
    }

    /** Heads would have three numbers to read of what the transformer knows. */
    @ParameterizedTest
    @ValueSource(strings = {"scaled", "shifted percentages", "probabilities of scaled", "flattened", "two scaled"})
    void headsAreFoundBehindWhatShowsTheirLogits(String form) {
        Value pooled = b.reduceMean(block("0", x), false, 1);
        Value logits = linear("head", pooled, 3);
        Backbone backbone = read(switch (form) {
            case "scaled" -> b.mul(logits, 10);
            case "shifted percentages" -> b.add(b.mul(b.softmax(logits, -1), 100), b.constant(1));
            case "probabilities of scaled" -> b.softmax(b.div(logits, b.constant(0.5)), -1);
            case "flattened" -> b.reshape(logits, 0, 3);
            default -> b.mul(b.mul(b.add(logits, linear("other", b.relu(pooled), 3)), 0.5), 10);
        });
        assertEquals(OptionalInt.of(3), backbone.describe().classes());
        assertEquals(form.equals("two scaled") ? 2 * D : D, backbone.pooledWidth());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void headsOfEveryTokenAreRefused(boolean first) {
        Value logits = linear("head", block("0", x), 3);
        Value zero = b.constant(new Tensor(ElementType.INT64, Shape.SCALAR, new long[1]));
        Value output = first ? b.apply("Gather", Map.of("axis", 1L), logits, zero) : b.reduceMean(logits, false, 1);
        assertRefused("[batch, 4, 6] to 3 numbers, of which '", output);
    }

    @Test
    void featuresOfAnotherWidthAreRead() {
        Value projected = b.tanh(linear("projection", b.reduceMean(block("0", x), false, 1), 3));
        Backbone backbone = read(b.mul(projected, 10));
        assertEquals(OptionalInt.empty(), backbone.describe().classes());
        assertEquals(3, backbone.pooledWidth());
    }

    @Test
    void featureMapsArePassedOverBesideLogits() {
        Value tokens = block("0", x);
        Backbone backbone = read(b.reshape(tokens, 0, 2, N / 2, D), linear("head", b.reduceMean(tokens, false, 1), 3));
        assertEquals(OptionalInt.of(3), backbone.describe().classes());
    }

    @Test
    void featureMapsAreRefusedWithoutAHead() {
        Value tokens = block("0", x);
        Value map = b.reshape(tokens, 0, 2, N / 2, D);
        EmtalException e = assertThrows(EmtalException.class, () -> read(tokens, map));
        assertTrue(e.getMessage().contains("output 'y1': found shape [batch, 2, 2, 6], expected [batch, outputs] or"
                + " tokens"), e.getMessage());
    }

    @Test
    void tokensArePreferredToAProjection() {
        Value tokens = block("0", x);
        Backbone backbone = read(tokens, b.tanh(linear("pooler", b.reduceMean(tokens, false, 1), D)));
        assertEquals(Pooling.Kind.MEAN.text(), backbone.describe().pooling());
    }

    @Test
    void severalOutputsAreRefused() {
        Value tokens = block("0", x);
        EmtalException e = assertThrows(EmtalException.class, () -> read(tokens, b.mul(tokens, 2)));
        assertTrue(e.getMessage().contains("[y0 [batch, 4, 6], y1 [batch, 4, 6]]"), e.getMessage());
    }

    @Test
    void gatedNetworksAreRefused() {
        Value attended = b.add(x, attention("a", norm("n", x)));
        Value normed = norm("m", attended);
        Value gated = b.mul(b.sigmoid(linear("f.gate", normed, D)), linear("f.up", normed, D));
        assertRefused("2 linear layers that read that sum", b.add(attended, linear("f.down", gated, D)));
    }

    @Test
    void channelsThatAreToldApartAreRefused() {
        Value attended = b.add(x, attention("a", norm("n", x)));
        Value factors = constant("f.factors", 2 * D);
        assertRefused("Mul behind the first layer with the weight 'f.fc1.weight'",
                b.add(attended, network("f", norm("m", attended), v -> b.mul(b.relu(v), factors))));
    }

    @Test
    void attentionsThatAreNotAddedAreRefused() {
        assertRefused("no sum with the tokens that went past", b.mul(x, attention("a", norm("n", x))));
    }

    @Test
    void attentionsThatAreAddedToOtherTokensAreRefused() {
        Value other = b.relu(x);
        Value attended = b.add(other, attention("a", norm("n", x)));
        assertRefused("the input '", b.add(attended, network("f", norm("m", attended), b::relu)));
    }

    @Test
    void limitedScoresInTheFirstBlockAreRefused() {
        Value attended = b.add(x, attention("a", norm("n", x), v -> v, b::tanh));
        Value first = b.add(attended, network("f", norm("m", attended), b::relu));
        assertRefused("before the last attention", block("1", first));
    }

    @Test
    void sharedWeightsAreRefused() {
        Value attended = b.add(x, attention("a", norm("n", x)));
        Value weight = constant("shared", D, D);
        Value inner = b.relu(b.matMul(norm("m", attended), weight));
        assertRefused("the weight 'shared'", b.add(attended, b.matMul(inner, weight)));
    }

    @Test
    void sharedBiasesAreRefusedUnlessUniform() {
        Value attended = b.add(x, attention("a", norm("n", x)));
        Value bias = constant("shared", D);
        Value inner = b.relu(b.add(b.matMul(norm("m", attended), constant("f.fc1", D, D)), bias));
        assertRefused("the bias 'shared'", b.add(attended, b.add(b.matMul(inner, constant("f.fc2", D, D)), bias)));
    }

    /** An update of the weight would change the other product, too. */
    @Test
    void weightsBehindASharedTransposeAreRefused() {
        Value attended = b.add(x, attention("a", norm("n", x)));
        Value weight = b.transpose(constant("shared", 2 * D, D), 1, 0);
        Value inner = b.relu(b.matMul(norm("m", attended), weight));
        Value tokens = b.add(attended, linear("f.fc2", inner, D));
        assertRefused("the weight 'shared'", b.add(tokens, linear("z", b.matMul(tokens, weight), D)));
    }

    /** Another reader would find the channels in another order. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void channelsWithASecondReaderAreRefused(boolean activated) {
        Value attended = b.add(x, attention("a", norm("n", x)));
        Value channels = linear("f.fc1", norm("m", attended), 2 * D);
        Value active = b.mul(channels, b.sigmoid(channels));
        Value tokens = b.add(attended, linear("f.fc2", active, D));
        Value mean = b.reduceMean(activated ? active : channels, true, 1);
        assertRefused("a second reader of the channels behind the weight 'f.fc1.weight'",
                b.add(tokens, linear("z", mean, D)));
    }

    @Test
    void keysFromOtherLayersThanValuesAreTold() {
        Value normed = norm("n", x);
        Value joint = linear("a.qk", normed, D);
        Value weights = b.softmax(b.matMul(joint, b.transpose(joint, 0, 2, 1)), -1);
        Value mixed = linear("a.o", b.matMul(weights, linear("a.v", normed, D)), D);
        assertRefused("from two linear layers", b.add(x, mixed));
    }
}
