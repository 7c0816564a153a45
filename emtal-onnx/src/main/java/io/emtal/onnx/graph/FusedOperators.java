package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.OperatorSets.Operator;

import java.util.List;
import java.util.Map;

/**
 * Writes the operators of {@value Node#CONTRIB} that ONNX Runtime's optimiser makes of several as those several, so
 * that every linear layer, softmax and norm is to be seen, has a gradient and can be adapted.
 */
final class FusedOperators {

    private static final float SKIP_EPSILON = 1e-12f;

    private FusedOperators() {
    }

    /**
     * Attention of tokens to each other: one product for queries, keys and values. Operands: tokens [B, N, D], weight
     * [D, Dq + Dk + Dv], bias, mask, past, what is added to the scores, length of the past. (The bias is optional on
     * paper, but without one ONNX Runtime 1.20 reads from address 0 on CPUs.)
     */
    static Operator attention(GraphBuilder b, Operator o) {
        refuse(o, 3, "a mask");
        refuse(o, 4, "a past");
        refuse(o, 6, "a past");
        checkPlain(o);
        Value joint = b.add(b.matMul(o.operand(0), o.operand(1)), o.operand(2));
        long width = joint.extent(-1);
        List<?> given = (List<?>) o.attributes().getOrDefault("qkv_hidden_sizes", List.of());
        EmtalException.check(given.isEmpty() ? width % 3 == 0 : given.size() == 3,
                "found a weight of %d columns and qkv_hidden_sizes %s, allowed are three parts", width, given);
        long[] sizes = given.isEmpty() ? new long[] {width / 3, width / 3, width / 3}
                : given.stream().mapToLong(size -> (Long) size).toArray();
        List<Value> parts = b.split(joint, -1, sizes);
        return attention(b, o, parts.get(0), parts.get(1), parts.get(2), o.operand(5));
    }

    /**
     * Attention behind the products. Operands: queries [B, N, Dq], keys [B, M, Dq], values [B, M, Dv], their biases in
     * one row, mask, what is added to the scores, past.
     */
    static Operator multiHeadAttention(GraphBuilder b, Operator o) {
        refuse(o, 4, "a mask");
        refuse(o, 6, "a past");
        refuse(o, 7, "a past");
        checkPlain(o);
        Value query = tokens(o, 0);
        Value key = tokens(o, 1);
        Value value = tokens(o, 2);
        if (o.operand(3) != null) {
            List<Value> biases = b.split(o.operand(3), 0, query.extent(-1), key.extent(-1), value.extent(-1));
            query = b.add(query, biases.get(0));
            key = b.add(key, biases.get(1));
            value = b.add(value, biases.get(2));
        }
        return attention(b, o, query, key, value, o.operand(5));
    }

    private static Value tokens(Operator o, int operand) {
        Value tokens = o.operand(operand);
        EmtalException.check(tokens != null && tokens.rank() == 3, "operand %d is %s, allowed are queries, keys and"
                + " values apart, each [batch, tokens, width]", operand, tokens == null ? "left out" : tokens.shape());
        return tokens;
    }

    private static void refuse(Operator o, int operand, String what) {
        EmtalException.check(o.operand(operand) == null, "operand %d: found %s, allowed is attention of every token to"
                + " every token", operand, what);
    }

    private static void checkPlain(Operator o) {
        for (String attribute : List.of("unidirectional", "do_rotary")) {
            EmtalException.check((Long) o.attributes().getOrDefault(attribute, 0L) == 0,
                    "attribute '%s': found it switched on, allowed is attention of every token to every token",
                    attribute);
        }
    }

    /** softmax(scale · Q Kᵀ + added) V for each head, the heads side by side. */
    private static Operator attention(GraphBuilder b, Operator o, Value query, Value key, Value value, Value added) {
        long heads = (Long) o.attributes().get("num_heads");
        long width = query.extent(-1);
        boolean fits = heads > 0 && width % heads == 0 && value.extent(-1) % heads == 0 && key.extent(-1) == width;
        EmtalException.check(fits, "found %d heads for queries, keys and values of the widths %d, %d and %d; allowed are heads that divide"
                + " them, and queries as wide as keys", heads, width, key.extent(-1), value.extent(-1));
        float scale = (Float) o.attributes().getOrDefault("scale", 0f);
        Value scores = b.mul(b.matMul(split(b, query, heads, 0, 2, 1, 3), split(b, key, heads, 0, 2, 3, 1)),
                scale == 0 ? 1 / Math.sqrt((double) width / heads) : scale);
        scores = added == null ? scores : b.add(scores, added);
        Value mixed = b.matMul(b.softmax(scores, -1), split(b, value, heads, 0, 2, 1, 3));
        Value joined = b.transpose(mixed, 0, 2, 1, 3);
        Value extents = b.integers(0, query.extent(1), value.extent(-1));
        return new Operator("", "Reshape", Map.of(), List.of(joined, extents), 1);
    }

    /** Tokens [B, N, D] as [B, N, heads, D / heads], reordered. */
    private static Value split(GraphBuilder b, Value x, long heads, long... permutation) {
        return b.transpose(b.reshape(x, 0, x.extent(1), heads, x.extent(-1) / heads), permutation);
    }

    /**
     * The norm of a sum. Operands: two parts of the sum, scale, shift, bias. The fourth output is the sum. A bias is
     * that of a linear layer before it, so it goes to the part that is a product.
     */
    static Operator skipLayerNormalization(GraphBuilder b, Operator o, List<String> outputs) {
        boolean first = b.nodes().stream().anyMatch(n -> n.op().equals("MatMul") && n.output().equals(o.operand(0)));
        int branch = first ? 0 : 1;
        Value biased = o.operand(4) == null ? o.operand(branch) : b.add(o.operand(branch), o.operand(4));
        boolean kept = outputs.size() > 3 && !outputs.get(3).isEmpty();
        String name = kept ? outputs.get(3) : b.fresh("Add");
        Value sum = b.addNamed("", "Add", b.nodeName("Add", name), Map.of(), List.of(name),
                List.of(o.operand(1 - branch), biased)).get(0);
        List<Value> operands = o.operand(3) == null ? List.of(sum, o.operand(2))
                : List.of(sum, o.operand(2), o.operand(3));
        Map<String, Object> attributes = Map.of("axis", -1L,
                "epsilon", o.attributes().getOrDefault("epsilon", SKIP_EPSILON));
        return new Operator("", "LayerNormalization", attributes, operands, 1, kept ? List.of(sum) : List.of());
    }

    /** An approximation of GELU, of a sum where there is a bias. */
    static Operator fastGelu(GraphBuilder b, Operator o) {
        Value x = o.operand(1) == null ? o.operand(0) : b.add(o.operand(0), o.operand(1));
        return new Operator(Node.CONTRIB, "FastGelu", Map.of(), List.of(x), 1);
    }
}
