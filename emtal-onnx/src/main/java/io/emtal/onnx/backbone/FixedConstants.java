package io.emtal.onnx.backbone;

import io.emtal.onnx.backbone.BackboneDescription.ImageLayout;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The constants of a transformer that have several elements and are no weights: masks of attention scores, statistics
 * of images, and what is not finite. A mask is told from learned positions by its elements: one of them is as low as
 * no score, or all of them are 0 or one other number.
 */
final class FixedConstants {

    private static final float MASKED = -1e4f;

    private final GraphView view;
    private final Set<String> names = new HashSet<>();

    private FixedConstants(GraphView view) {
        this.view = view;
    }

    /**
     * Finds them.
     *
     * @param view a graph with one input
     * @param image how images lie in the input
     * @return the names of initialisers
     */
    static Set<String> of(GraphView view, ImageLayout image) {
        FixedConstants constants = new FixedConstants(view);
        constants.findInfinite();
        constants.findMasks();
        if (image != ImageLayout.NONE) {
            constants.findStatistics(image == ImageLayout.NHWC ? 3 : 1);
        }
        return constants.names;
    }

    private void findInfinite() {
        view.graph().initializers().forEach((name, tensor) -> {
            if (tensor.type() == ElementType.FLOAT && !isFinite(tensor.floats())) {
                names.add(name);
            }
        });
    }

    private static boolean isFinite(float[] elements) {
        for (float element : elements) {
            if (!Float.isFinite(element)) {
                return false;
            }
        }
        return true;
    }

    private void findMasks() {
        view.graph().nodes().stream().filter(node -> node.op().equals("Softmax"))
                .flatMap(softmax -> AttentionPattern.behindScores(view, softmax).stream()).flatMap(this::constants)
                .filter(name -> isMask(view.graph().initializers().get(name).floats())).forEach(names::add);
    }

    private static boolean isMask(float[] elements) {
        float other = 0;
        boolean mixed = false;
        for (float element : elements) {
            if (element <= MASKED) {
                return true;
            }
            mixed |= element != 0 && other != 0 && element != other;
            other = element != 0 ? element : other;
        }
        return !mixed;
    }

    /** Of every channel one number, which scales or shifts all pixels of an image. */
    private void findStatistics(int axis) {
        Value input = view.graph().inputs().get(0);
        Set<Value> images = new HashSet<>(Set.of(input));
        for (Node node : view.graph().nodes()) {
            List<Value> computed = GraphView.computed(node);
            boolean scales = GraphView.SCALES.contains(node.op())
                    && elements(node.output().shape()) == elements(input.shape());
            if (!computed.isEmpty() && images.containsAll(computed)
                    && (scales || GraphView.LAYOUT.contains(node.op()))) {
                images.addAll(node.outputs());
                if (scales) {
                    constants(node).filter(name -> view.graph().initializers().get(name).shape().size()
                            == input.extent(axis)).forEach(names::add);
                }
            }
        }
    }

    private static int elements(Shape shape) {
        return shape.withBatch(1).size();
    }

    /** The floating-point initialisers that a node reads, perhaps behind nodes that do not depend on the input. */
    private Stream<String> constants(Node node) {
        return node.inputs().stream().filter(Objects::nonNull).filter(v -> !GraphView.isComputed(v))
                .flatMap(v -> view.constant(v).isPresent() ? Stream.of(v.name())
                        : view.producer(v).stream().flatMap(this::constants))
                .filter(name -> view.graph().initializers().get(name).type() == ElementType.FLOAT);
    }
}
