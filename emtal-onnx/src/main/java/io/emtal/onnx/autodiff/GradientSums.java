package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The gradients of values while the way back is walked: one sum for each value, over all its uses. */
final class GradientSums {

    private record Range(int axis, long start, Value gradient) {

        long end() {
            return start + gradient.extent(axis);
        }
    }

    private final GraphBuilder builder;
    private final Set<String> wanted;
    private final Map<String, List<Node>> users;
    private final Map<String, Value> totals = new HashMap<>();
    private final Map<String, List<Range>> ranges = new HashMap<>();
    private final Map<String, Map<Shape, Value>> spelledOut = new HashMap<>();

    /**
     * Starts with no gradients.
     *
     * @param builder takes the sums
     * @param wanted the names of the values whose gradients are wanted
     * @param users the nodes on the way back by the names of the values that they use
     */
    GradientSums(GraphBuilder builder, Set<String> wanted, Map<String, List<Node>> users) {
        this.builder = builder;
        this.wanted = wanted;
        this.users = users;
    }

    boolean wants(Value value) {
        return value != null && wanted.contains(value.name());
    }

    List<Node> users(Value value) {
        return users.getOrDefault(value.name(), List.of());
    }

    void add(Value value, Value gradient) {
        totals.merge(value.name(), gradient, builder::add);
    }

    void subtract(Value value, Value gradient) {
        Value total = totals.get(value.name());
        totals.put(value.name(), total == null ? builder.neg(gradient) : builder.sub(total, gradient));
    }

    void addRange(Value value, int axis, long start, Value gradient) {
        ranges.computeIfAbsent(value.name(), n -> new ArrayList<>()).add(new Range(axis, start, gradient));
    }

    /** The sum so far, lean; {@code null} if nothing has arrived. Ranges that tile the value are joined in one copy. */
    Value total(Value value) {
        List<Range> parts = ranges.remove(value.name());
        if (parts != null) {
            parts.sort(Comparator.comparingInt(Range::axis).thenComparingLong(Range::start));
            while (!parts.isEmpty()) {
                add(value, joined(value.shape(), disjoint(parts)));
            }
        }
        return totals.get(value.name());
    }

    /** Takes ranges of one axis that do not overlap off a sorted list. */
    private static List<Range> disjoint(List<Range> sorted) {
        List<Range> taken = new ArrayList<>(List.of(sorted.remove(0)));
        for (int i = 0; i < sorted.size();) {
            Range last = taken.get(taken.size() - 1);
            if (sorted.get(i).axis() == last.axis() && sorted.get(i).start() >= last.end()) {
                taken.add(sorted.remove(i));
            } else {
                i++;
            }
        }
        return taken;
    }

    private Value joined(Shape shape, List<Range> parts) {
        int axis = parts.get(0).axis();
        if (parts.size() == 1) {
            long[] pads = new long[2 * shape.rank()];
            pads[axis] = parts.get(0).start();
            pads[axis + shape.rank()] = shape.extent(axis) - parts.get(0).end();
            return pads[axis] == 0 && pads[axis + shape.rank()] == 0 ? parts.get(0).gradient()
                    : builder.apply("Pad", Map.of(), parts.get(0).gradient(), builder.integers(pads));
        }
        List<Value> all = new ArrayList<>();
        long next = 0;
        for (Range part : parts) {
            addZeros(all, shape.with(axis, part.start() - next), axis, part.gradient());
            all.add(part.gradient());
            next = part.end();
        }
        addZeros(all, shape.with(axis, shape.extent(axis) - next), axis, parts.get(0).gradient());
        return builder.concat(axis, all);
    }

    private void addZeros(List<Value> all, Shape shape, int axis, Value like) {
        if (shape.extent(axis) > 0) {
            all.add(zeros(shape, like));
        }
    }

    private Value zeros(Shape shape, Value like) {
        return builder.constant(Tensor.filled(like.type(), shape, 0));
    }

    /** Repeats a lean gradient to a whole shape, once for all who ask for that shape. */
    Value spelledOut(Value lean, Shape shape) {
        return lean.shape().equals(shape) ? lean
                : spelledOut.computeIfAbsent(lean.name(), n -> new HashMap<>())
                        .computeIfAbsent(shape, s -> builder.expand(lean, s.extents()));
    }
}
