package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;

/** Views, cuts, joins and look-ups: their gradients move elements back to where they came from. */
final class LayoutRules {

    private LayoutRules() {
    }

    static Map<String, BackwardRule> all() {
        Map<String, BackwardRule> rules = new HashMap<>();
        BackwardRule view = s -> s.give(0, () -> s.builder().reshape(s.gradient(), s.input(0).shape().extents()));
        rules.put("Reshape", view);
        rules.put("Flatten", view);
        rules.put("Squeeze", view);
        rules.put("Unsqueeze", view);
        rules.put("Transpose", s -> s.give(0, () -> {
            int rank = s.input(0).rank();
            long[] permutation = s.node().integers("perm")
                    .orElse(LongStream.range(0, rank).map(i -> rank - 1 - i).toArray());
            return s.builder().transpose(s.leanGradient(), inverse(permutation));
        }));
        rules.put("Expand", s -> s.giveBroadcast(0, s::leanGradient));
        rules.put("Concat", LayoutRules::concat);
        rules.put("Split", LayoutRules::split);
        rules.put("Slice", LayoutRules::slice);
        rules.put("Pad", new BackwardRule() {
            @Override
            public void backward(BackwardStep s) {
                pad(s);
            }

            @Override
            public Optional<String> refusal(Node node) {
                Object mode = node.attributes().getOrDefault("mode", "constant");
                return mode.equals("constant") ? Optional.empty()
                        : Optional.of("operator Pad with mode " + mode + ", allowed is constant");
            }
        });
        rules.put("Gather", LayoutRules::gather);
        return rules;
    }

    static long[] inverse(long[] permutation) {
        long[] inverse = new long[permutation.length];
        for (int i = 0; i < permutation.length; i++) {
            inverse[(int) permutation[i]] = i;
        }
        return inverse;
    }

    private static void concat(BackwardStep s) {
        GraphBuilder b = s.builder();
        int axis = s.output().shape().axis((int) s.node().integer("axis", 0));
        int count = s.node().inputs().size();
        long[] sizes = s.node().inputs().stream().mapToLong(v -> v.extent(axis)).toArray();
        if (LongStream.range(0, count).allMatch(i -> s.needs((int) i))) {
            var parts = b.split(s.gradient(), axis, sizes);
            for (int i = 0; i < count; i++) {
                Value part = parts.get(i);
                s.give(i, () -> part);
            }
            return;
        }
        long start = 0;
        for (int i = 0; i < count; i++) {
            long from = start;
            long to = start + sizes[i];
            s.give(i, () -> b.slice(s.gradient(), axis, from, to));
            start = to;
        }
    }

    private static void split(BackwardStep s) {
        int axis = s.input(0).shape().axis((int) s.node().integer("axis", 0));
        long start = 0;
        for (int i = 0; i < s.node().outputs().size(); i++) {
            Value gradient = s.gradient(i);
            if (gradient != null) {
                s.giveRange(0, axis, start, () -> gradient);
            }
            start += s.node().outputs().get(i).extent(axis);
        }
    }

    /** One axis without steps is a range; anything else is put back one axis after the other. */
    private static void slice(BackwardStep s) {
        Value x = s.input(0);
        long[] starts = constant(s, 1);
        long[] axes = s.input(3) == null ? LongStream.range(0, starts.length).toArray() : constant(s, 3);
        long[] steps = s.input(4) == null ? LongStream.generate(() -> 1).limit(starts.length).toArray()
                : constant(s, 4);
        for (int i = 0; i < starts.length; i++) {
            axes[i] = x.shape().axis((int) axes[i]);
            long extent = x.extent((int) axes[i]);
            starts[i] = Math.min(Math.max(0, starts[i] < 0 ? starts[i] + extent : starts[i]), extent);
        }
        if (starts.length == 1 && steps[0] == 1) {
            s.giveRange(0, (int) axes[0], starts[0], s::gradient);
            return;
        }
        s.give(0, () -> {
            Value gradient = s.gradient();
            for (int i = 0; i < starts.length; i++) {
                gradient = putBack(s.builder(), gradient, (int) axes[i], starts[i], steps[i], x.extent((int) axes[i]));
            }
            return gradient;
        });
    }

    private static Value putBack(GraphBuilder b, Value part, int axis, long start, long step, long extent) {
        Value spread = part;
        long count = part.extent(axis);
        if (step > 1) {
            // [.., n, ..] → [.., n, step, ..] with zeros behind each element → [.., n · step, ..].
            long[] pads = new long[2 * (part.rank() + 1)];
            pads[part.rank() + 1 + axis + 1] = step - 1;
            Value padded = b.apply("Pad", Map.of(), b.unsqueeze(part, axis + 1), b.integers(pads));
            spread = b.reshape(padded, part.shape().with(axis, count * step).extents());
            if (start + count * step > extent) {
                spread = b.slice(spread, axis, 0, extent - start);
            }
        }
        long[] pads = new long[2 * part.rank()];
        pads[axis] = start;
        pads[axis + part.rank()] = extent - start - spread.extent(axis);
        return b.apply("Pad", Map.of(), spread, b.integers(pads));
    }

    /** What was added is cut off, and what was cut off gets zeros. */
    private static void pad(BackwardStep s) {
        GraphBuilder b = s.builder();
        long[] back = Arrays.stream(constant(s, 1)).map(p -> -p).toArray();
        s.give(0, () -> b.apply("Pad", Map.of(), s.gradient(), b.integers(back)));
    }

    /** Constant neighbouring entries are a range; anything else is added entry by entry. */
    private static void gather(BackwardStep s) {
        GraphBuilder b = s.builder();
        Value x = s.input(0);
        Value indices = s.input(1);
        int axis = x.shape().axis((int) s.node().integer("axis", 0));
        Tensor constant = b.tensorOf(indices);
        if (constant != null && isRange(constant.integers())) {
            long[] entries = constant.integers();
            long start = entries[0] < 0 ? entries[0] + x.extent(axis) : entries[0];
            long[] extents = x.shape().with(axis, entries.length).extents();
            s.giveRange(0, axis, start, () -> b.reshape(s.gradient(), extents));
            return;
        }
        s.give(0, () -> {
            int count = indices.rank();
            // The gathered axes first, so that entries are rows: [indices.., others..].
            long[] forward = LongStream.concat(LongStream.range(axis, axis + count), LongStream.concat(
                    LongStream.range(0, axis), LongStream.range(axis + count, s.output().rank()))).toArray();
            Value updates = axis == 0 ? s.gradient() : b.transpose(s.gradient(), forward);
            long[] others = LongStream.range(0, x.rank()).filter(i -> i != axis).toArray();
            long[] order = LongStream.concat(LongStream.of(axis), Arrays.stream(others)).toArray();
            Shape rows = Shape.of(Arrays.stream(order).map(i -> x.extent((int) i)).toArray());
            Value zeros = b.constant(Tensor.filled(x.type(), rows, 0));
            Value places = indices.type() == ElementType.INT64 ? indices : b.cast(indices, ElementType.INT64);
            Value sum = b.apply("ScatterND", Map.of("reduction", "add"), zeros, b.unsqueeze(places, count), updates);
            return axis == 0 ? sum : b.transpose(sum, inverse(order));
        });
    }

    private static boolean isRange(long[] entries) {
        for (int i = 1; i < entries.length; i++) {
            if (entries[i] != entries[i - 1] + 1) {
                return false;
            }
        }
        return entries.length > 0 && (entries[0] >= 0 || entries[entries.length - 1] < 0);
    }

    private static long[] constant(BackwardStep s, int input) {
        return s.builder().tensorOf(s.input(input)).integers().clone();
    }
}
