package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.autodiff.BackwardRules;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class OperatorTableTest {

    /** Operators that a graph does not have: they are computed, or written as others, while a model is read. */
    private static final Set<String> READ_ONLY = Set.of("Constant", "ConstantOfShape", "Dropout", "Gelu",
            "GlobalAveragePool", "Range", "ReduceL2", "Shape", "Size", "Sum", Node.CONTRIB + ".Attention",
            Node.CONTRIB + ".BiasGelu", Node.CONTRIB + ".MultiHeadAttention",
            Node.CONTRIB + ".SkipLayerNormalization");

    @Test
    void everyKnownOperatorHasAShapeRule() {
        Set<String> without = new TreeSet<>(OperatorTable.operators());
        without.removeIf(op -> ShapeRules.knows(op.substring(op.lastIndexOf('.') + 1)));
        without.add("Gelu");
        assertEquals(new TreeSet<>(READ_ONLY), without);
    }

    @Test
    void everyBackwardRuleIsOfAKnownOperator() {
        for (String op : BackwardRules.operators()) {
            assertTrue(OperatorTable.find(op, op.startsWith(Node.CONTRIB) ? 1 : OnnxFile.OPSET).isPresent(), op);
        }
    }

    /** In every operator set an operator has one signature at most, and once known it stays. */
    @Test
    void versionsFollowEachOther() {
        for (String op : OperatorTable.operators()) {
            long first = op.startsWith(Node.CONTRIB) ? 1 : OnnxFile.OLDEST_OPSET;
            long last = op.startsWith(Node.CONTRIB) ? 1 : OnnxFile.NEWEST_OPSET;
            boolean known = false;
            for (long version = first; version <= last; version++) {
                boolean here = OperatorTable.find(op, version).isPresent();
                assertTrue(here || !known, op + " in operator set " + version);
                known = here;
            }
            assertTrue(known, op);
        }
    }

    @Test
    void whatTheBuilderAddsIsChecked() {
        GraphBuilder b = new GraphBuilder();
        Value x = b.input("x", ElementType.FLOAT, 2, 3);
        Value ids = b.input("ids", ElementType.INT64, 2, 3);
        assertRefused("found 1 operands, allowed are 2", () -> b.apply("Add", Map.of(), x));
        assertRefused("operand 1 has type INT64, allowed is FLOAT", () -> b.add(x, ids));
        assertRefused("operand 0 has type INT64, allowed are [FLOAT, DOUBLE]", () -> b.exp(ids));
        assertRefused("found attribute 'slope'", () -> b.apply("Relu", Map.of("slope", 1f), x));
        assertRefused("attribute 'axis' is of kind FLOAT, allowed is INT",
                () -> b.apply("Softmax", Map.of("axis", 1f), x));
        assertRefused("attribute 'axis' is missing", () -> b.apply("Concat", Map.of(), x));
        assertRefused("found 2 outputs, allowed are 1", () -> b.add("", "Relu", Map.of(), 2, x));
        assertRefused("operand 1 is left out", () -> b.apply("MatMul", Map.of(), x, null));
        assertRefused("not supported", () -> b.apply("Loop", Map.of(), x));
        assertRefused("axis 2 of shape [2, 3]", () -> b.softmax(x, 2));
        assertRefused("found pads", () -> b.apply("Pad", Map.of(), x, b.integers(0, 0, -3, 0)));
        assertRefused("found pads 0 and 3 of mode reflect",
                () -> b.apply("Pad", Map.of("mode", "reflect"), x, b.integers(0, 0, 0, 3)));
        assertRefused("found epsilon -1.0", () -> b.layerNorm(x, b.constant(1), b.constant(0), -1));
        assertRefused("sizes [1, 1]", () -> b.split(x, 1, 1, 1));
        assertRefused("found index 3 for axis 1", () -> b.gather(x, 1, 3));
        assertRefused("is named twice", () -> b.transpose(x, 1, 1));
    }

    private static void assertRefused(String part, Runnable addition) {
        String message = assertThrows(EmtalException.class, addition::run).getMessage();
        assertTrue(message.startsWith("node '") && message.contains(part), message);
    }

    @Test
    void signaturesReadAsWritten() {
        OperatorTable.Signature gemm = OperatorTable.find("Gemm", 17).orElseThrow();
        assertEquals(List.of(false, false, true), gemm.operands().stream().map(OperatorTable.Operand::optional)
                .toList());
        assertEquals(Set.of("alpha", "beta", "transA", "transB"), gemm.attributes().keySet());
        assertEquals(Integer.MAX_VALUE, OperatorTable.find("Split", 17).orElseThrow().maxOutputs());
        assertEquals(3, OperatorTable.find("LayerNormalization", 17).orElseThrow().maxOutputs());
        assertTrue(OperatorTable.find("Concat", 17).orElseThrow().variadic());
        assertTrue(OperatorTable.find("Gelu", 19).isEmpty());
    }
}
