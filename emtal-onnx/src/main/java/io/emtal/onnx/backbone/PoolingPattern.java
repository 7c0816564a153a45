package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.LinearLayers.Linear;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What heads read of a transformer: what its old classification head reads, or what it gives if it has none.
 *
 * @param pooling how one vector comes of the values
 * @param values the values
 * @param classes the number of outputs of the old head
 */
record PoolingPattern(Pooling.Kind pooling, List<Value> values, OptionalInt classes) {

    private static final Set<String> BEHIND_LOGITS = Set.of("Softmax", "LogSoftmax", "Sigmoid", "Identity", "Cast");
    private static final Set<String> REDUCTIONS = Set.of("ReduceMean", "ReduceSum", "ReduceMax", "GlobalAveragePool");

    /**
     * Finds what to pool.
     *
     * @param view the graph
     * @param layers its linear layers
     * @param blocks its blocks
     * @return what was found
     * @throws EmtalException if it cannot be told which output to take, or what it is
     */
    static PoolingPattern of(GraphView view, LinearLayers layers, List<Block> blocks) {
        Linear last = layers.of(blocks.get(blocks.size() - 1).fc2());
        Set<String> behind = view.descendants(last.result());
        List<Value> outputs = view.graph().outputs().stream().filter(v -> behind.contains(v.name())).toList();
        EmtalException.check(!outputs.isEmpty(), "found the outputs %s, expected one that depends on the last block's"
                + " layer '%s'", view.graph().outputs().stream().map(Value::name).toList(), last.weight());
        List<Optional<PoolingPattern>> found = outputs.stream().map(v -> of(view, layers, blocks, v, behind)).toList();
        // Logits and their probabilities are one head.
        List<PoolingPattern> all = found.stream().flatMap(Optional::stream).distinct().toList();
        // A classifier may give its tokens, too; a feature extractor may give a projection of its class token, too.
        List<PoolingPattern> heads = all.stream().filter(p -> p.classes().isPresent()).toList();
        int misfit = found.indexOf(Optional.<PoolingPattern>empty());
        if (heads.isEmpty() && misfit >= 0) {
            throw new EmtalException("output '" + outputs.get(misfit).name() + "': found shape "
                    + outputs.get(misfit).shape() + ", expected [batch, outputs] or tokens [batch, N, D]");
        }
        List<PoolingPattern> tokens = all.stream().filter(p -> p.pooling() == Pooling.Kind.CLASS_TOKEN
                || p.pooling() == Pooling.Kind.MEAN).toList();
        for (List<PoolingPattern> preferred : List.of(all, heads, tokens)) {
            if (preferred.size() == 1) {
                preferred.get(0).checkNoHead(view, layers, last, behind);
                return preferred.get(0);
            }
        }
        throw new EmtalException("found the outputs " + outputs.stream().map(v -> v.name() + " " + v.shape()).toList()
                + ", expected one, or one of logits, or one of tokens: say which value to pool");
    }

    /** What a user has named. */
    static PoolingPattern named(GraphView view, Pooling pooling) {
        List<Value> values = pooling.values().stream().map(name -> view.graph().nodes().stream()
                .flatMap(node -> node.outputs().stream()).filter(v -> v.name().equals(name)).findFirst()
                .orElseThrow(() -> new EmtalException("pooling: found no value '" + name + "' that an output of the"
                        + " model depends on"))).toList();
        return new PoolingPattern(pooling.kind(), values, OptionalInt.empty());
    }

    /** Empty for an output that is neither a vector of every row nor its tokens. */
    private static Optional<PoolingPattern> of(GraphView view, LinearLayers layers, List<Block> blocks, Value output,
                                               Set<String> behind) {
        Value value = before(view, output, node -> BEHIND_LOGITS.contains(node.op()));
        if (value.rank() == 2) {
            List<Linear> heads = heads(view, layers, value).stream().filter(h -> h.input().rank() == 2
                    && behind.contains(h.input().name())).toList();
            return Optional.of(switch (heads.size()) {
                case 0 -> new PoolingPattern(Pooling.Kind.VALUE, List.of(value), OptionalInt.empty());
                case 1 -> new PoolingPattern(Pooling.Kind.VALUE, List.of(heads.get(0).input()),
                        OptionalInt.of(heads.get(0).out()));
                default -> new PoolingPattern(Pooling.Kind.PAIR, heads.stream().map(Linear::input).toList(),
                        OptionalInt.of(heads.get(0).out()));
            });
        }
        if (value.rank() != 3 || value.extent(-1) != blocks.get(blocks.size() - 1).fc2().out()) {
            return Optional.empty();
        }
        boolean token = startsWithToken(view, layers.of(blocks.get(0).attention().get(0)).input());
        return Optional.of(new PoolingPattern(token ? Pooling.Kind.CLASS_TOKEN : Pooling.Kind.MEAN, List.of(value),
                OptionalInt.empty()));
    }

    /** Follows a value back through nodes that read one value that depends on the input. */
    private static Value before(GraphView view, Value value, Predicate<Node> passed) {
        Value before = value;
        Optional<Node> producer = view.producer(before).filter(passed);
        while (producer.isPresent()) {
            before = GraphView.computed(producer.get()).get(0);
            producer = view.producer(before).filter(passed);
        }
        return before;
    }

    /** The layer whose result a value shows as logits, or the two whose sum or mean it shows. */
    private static List<Linear> heads(GraphView view, LinearLayers layers, Value value) {
        Value logits = before(view, value, node -> layers.giving(node.output()).isEmpty() && showsLogits(view, node));
        Optional<Linear> one = layers.giving(logits);
        if (one.isPresent()) {
            return List.of(one.get());
        }
        List<Linear> pair = new ArrayList<>();
        view.producer(logits, "Add").ifPresent(add -> GraphView.computed(add)
                .forEach(v -> layers.giving(v).ifPresent(pair::add)));
        return pair.size() == 2 ? pair : List.of();
    }

    /** Whether a node gives logits as probabilities, under another name, or all changed by one number. */
    private static boolean showsLogits(GraphView view, Node node) {
        return BEHIND_LOGITS.contains(node.op()) || GraphView.LAYOUT.contains(node.op())
                && node.input(0).shape().equals(node.output().shape())
                || GraphView.SCALES.contains(node.op()) && GraphView.computed(node).size() == 1
                && node.inputs().stream().filter(v -> !GraphView.isComputed(v))
                .allMatch(v -> view.constant(v).filter(t -> t.shape().size() == 1).isPresent());
    }

    /** Heads must not read what an old head gives that was not found, such as one of every token. */
    private void checkNoHead(GraphView view, LinearLayers layers, Linear last, Set<String> behind) {
        Value result = before(view, values.get(0), node -> layers.giving(node.output()).isEmpty()
                && GraphView.computed(node).size() == 1 && (BEHIND_LOGITS.contains(node.op())
                || GraphView.LAYOUT.contains(node.op()) || GraphView.SCALES.contains(node.op())
                || REDUCTIONS.contains(node.op())));
        layers.giving(result).filter(head -> behind.contains(head.input().name()) && head.out() != last.out())
                .ifPresent(head -> {
                    throw GraphView.misfit(head.product(), "a linear layer behind the last block, from '"
                            + head.input().name() + "' " + head.input().shape() + " to " + head.out() + " numbers, of"
                            + " which '" + values.get(0).name() + "' is made", "an old head that reads one"
                            + " vector a row, or an output of width " + last.out() + "; what heads are to read instead,"
                            + " such as '" + head.input().name() + "', or '" + values.get(0).name() + "' as it is, can"
                            + " be named with OnnxBackbone.builder(file).pooling");
                });
    }

    /** Whether the tokens are joined with a learned one in front, which was spread over the rows. */
    private static boolean startsWithToken(GraphView view, Value tokens) {
        GraphView.Origin origin = view.origin(tokens, v -> view.producer(v, "Concat").isPresent(),
                node -> GraphView.computed(node).size() == 1 || GraphView.NORM.contains(node.op()));
        return origin.single().flatMap(v -> view.producer(v, "Concat")).filter(node -> {
            Value first = node.input(0);
            return first.rank() == 3 && first.shape().axis((int) node.integer("axis", 0)) == 1 && first.extent(1) == 1
                    && (isSpread(view, first) || view.producer(first, "Slice").filter(slice -> isFirst(view, slice)
                    && startsWithToken(view, slice.input(0))).isPresent());
        }).isPresent();
    }

    /** Whether a value is a constant that was spread over the rows by adding zeros. */
    private static boolean isSpread(GraphView view, Value value) {
        return view.producer(value, "Add").filter(add -> GraphView.computed(add).size() == 1
                && isZero(view, GraphView.computed(add).get(0))).isPresent();
    }

    /** Whether a slice takes tokens from the first on: other learned tokens may be put behind the one in front. */
    private static boolean isFirst(GraphView view, Node slice) {
        return isInteger(view, slice.input(1), 0) && slice.input(3) != null && isInteger(view, slice.input(3), 1);
    }

    private static boolean isInteger(GraphView view, Value value, long expected) {
        return view.constant(value).filter(t -> t.shape().size() == 1 && t.integers()[0] == expected).isPresent();
    }

    private static boolean isZero(GraphView view, Value value) {
        return view.producer(value, "Mul").filter(mul -> mul.inputs().stream().anyMatch(v -> view.constant(v)
                .filter(t -> t.shape().size() == 1 && t.real(0) == 0).isPresent())).isPresent();
    }
}
