package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.LinearLayers.Linear;
import io.emtal.onnx.backbone.LinearLayer.Role;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A transformer block: an attention and the feed-forward network that follows it.
 *
 * @param attention the attention
 * @param network the feed-forward network
 * @param norm where the block normalises
 */
record BlockPattern(AttentionPattern attention, FeedForwardPattern network, BlockDescription.Norm norm) {

    /**
     * Finds all blocks.
     *
     * @param view the graph
     * @param layers its linear layers
     * @return in the order of the computation, at least one
     * @throws EmtalException at the first node that does not fit
     */
    static List<BlockPattern> all(GraphView view, LinearLayers layers) {
        List<AttentionPattern> attentions = AttentionPattern.all(view, layers);
        if (attentions.isEmpty()) {
            Optional<Node> softmax = view.graph().nodes().stream().filter(n -> n.op().equals("Softmax")).findFirst();
            Node first = softmax.or(() -> view.graph().nodes().stream().findFirst()).orElseThrow(
                    () -> new EmtalException("found a graph without nodes, expected a transformer encoder"));
            String found = softmax.isPresent() ? "a softmax that is not over products of queries and keys"
                    : "a graph without Softmax";
            throw GraphView.misfit(first, found, "a transformer encoder: a softmax over the last axis of a product of"
                    + " two matrices that depend on the input, which multiplies a third");
        }
        Set<Linear> taken = new HashSet<>();
        attentions.forEach(a -> a.layers().forEach(taken::add));
        List<FeedForwardPattern> networks = FeedForwardPattern.all(view, layers, taken);
        List<BlockPattern> blocks = new ArrayList<>();
        for (AttentionPattern attention : attentions) {
            blocks.add(block(view, layers, attention, networks));
        }
        return blocks;
    }

    private static BlockPattern block(GraphView view, LinearLayers layers, AttentionPattern attention,
                                      List<FeedForwardPattern> networks) {
        Value skip = attention.branch().skip();
        Value sum = attention.branch().sum();
        boolean before = false;
        for (Linear input : attention.inputs()) {
            Optional<NormPath> path = NormPath.between(view, skip, input.input());
            before |= path.orElseThrow(() -> GraphView.misfit(input.product(), "the input '" + input.input().name()
                    + "'", "'" + skip.name() + "', to which the attention is added, or its norm")).normalised();
        }
        for (FeedForwardPattern network : networks) {
            Optional<NormPath> between = NormPath.between(view, sum, network.branch().skip());
            Optional<NormPath> inside = NormPath.between(view, network.branch().skip(), network.fc1().input());
            if (between.isPresent() && inside.isPresent()) {
                boolean pre = before || inside.get().normalised();
                boolean post = between.get().normalised() || isNormalised(view, network.branch().sum());
                return new BlockPattern(attention, network, pre ? BlockDescription.Norm.BEFORE
                        : post ? BlockDescription.Norm.AFTER : BlockDescription.Norm.NONE);
            }
        }
        throw noNetwork(view, layers, sum);
    }

    private static EmtalException noNetwork(GraphView view, LinearLayers layers, Value sum) {
        String expected = "a feed-forward network behind the attention's sum '" + sum.name() + "': two linear layers"
                + " with constant weights and a function of every element alone between them, whose constants have"
                + " equal elements, added to that sum or its norm";
        List<Linear> readers = layers.all().stream()
                .filter(layer -> NormPath.between(view, sum, layer.input()).isPresent()).toList();
        if (readers.size() == 1) {
            Linear first = readers.get(0);
            Node node = ScalarFunction.misfitBehind(view, layers, first).orElse(first.product());
            String found = node == first.product() ? "no second layer" : node.op();
            return GraphView.misfit(node, found + " behind the first layer with the weight '" + first.weight() + "'",
                    expected);
        }
        Node node = readers.stream().map(Linear::product).findFirst()
                .or(() -> view.consumers(sum).stream().findFirst()).or(() -> view.producer(sum)).orElseThrow();
        return GraphView.misfit(node, readers.size() + " linear layers that read that sum or its norm", expected);
    }

    private static boolean isNormalised(GraphView view, Value sum) {
        List<Node> readers = view.consumers(sum);
        return !readers.isEmpty() && readers.stream().allMatch(node -> GraphView.NORM.contains(node.op()));
    }

    /** The block as the rest of the library knows it. */
    Block block(int index) {
        List<Linear> inputs = attention.inputs();
        List<Role> roles = inputs.size() == 1 ? List.of(Role.QKV) : List.of(Role.QUERY, Role.KEY, Role.VALUE);
        List<LinearLayer> layers = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            layers.add(inputs.get(i).as(roles.get(i), index));
        }
        layers.add(attention.output().as(Role.ATTENTION_OUTPUT, index));
        return new Block(index, layers, network.fc1().as(Role.FC1, index), network.fc2().as(Role.FC2, index));
    }

    BlockDescription description() {
        return new BlockDescription(attention.tokens(), network.fc2().out(), attention.heads(), attention.headWidth(),
                network.fc1().out(), network.activation(), norm);
    }
}
