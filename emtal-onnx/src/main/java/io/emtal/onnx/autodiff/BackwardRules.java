package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.Node;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The backward rule of every operator that has one. */
public final class BackwardRules {

    private static final Map<String, BackwardRule> RULES = new TreeMap<>();
    /** What stands for several operators, which no graph holds. */
    private static final Map<String, BackwardRule> PATTERNS = Map.of(ErfGelu.OP, ErfGelu::backward,
            NormalRows.OP, NormalRows::backward, UpdatedProduct.OP, UpdatedProduct::backward);

    static {
        RULES.putAll(ElementwiseRules.all());
        RULES.putAll(ActivationRules.all());
        RULES.putAll(MatrixRules.all());
        RULES.putAll(NormalizationRules.all());
        RULES.putAll(ReductionRules.all());
        RULES.putAll(LayoutRules.all());
    }

    private BackwardRules() {
    }

    /**
     * Finds the rule of a node's operator.
     *
     * @param node the node
     * @return the rule; empty if the operator has none
     */
    public static Optional<BackwardRule> of(Node node) {
        return Optional.ofNullable(RULES.getOrDefault(node.qualifiedOp(), PATTERNS.get(node.qualifiedOp())));
    }

    /**
     * The operators that have a rule.
     *
     * @return their names with the domain, as {@link Node#qualifiedOp} writes them, sorted
     */
    public static List<String> operators() {
        return List.copyOf(RULES.keySet());
    }

    /** The names that stand for patterns. */
    static Set<String> patterns() {
        return PATTERNS.keySet();
    }
}
