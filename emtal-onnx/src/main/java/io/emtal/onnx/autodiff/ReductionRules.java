package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Value;

import java.util.Map;
import java.util.stream.LongStream;

/** Sums, means and largest elements over axes. Their gradients stay lean. */
final class ReductionRules {

    private ReductionRules() {
    }

    static Map<String, BackwardRule> all() {
        return Map.of(
                "ReduceSum", s -> s.give(0, () -> kept(s)),
                "ReduceMean", s -> s.give(0, () -> {
                    double share = (double) s.output().shape().size() / s.input(0).shape().size();
                    return s.builder().mul(kept(s), share);
                }),
                "ReduceMax", s -> s.give(0, () -> max(s)),
                "ReduceSumSquare", s -> s.give(0, () -> {
                    GraphBuilder b = s.builder();
                    return b.mul(s.input(0), b.mul(kept(s), 2));
                }));
    }

    /** The largest elements share the gradient. */
    private static Value max(BackwardStep s) {
        GraphBuilder b = s.builder();
        Value x = s.input(0);
        Value kept = kept(s);
        long[] axes = axes(s, x.rank());
        Shape shape = x.shape();
        for (long axis : axes) {
            shape = shape.with((int) axis, 1);
        }
        Value largest = b.cast(b.apply("Equal", Map.of(), x, b.reshape(s.output(), shape.extents())), x.type());
        return b.mul(largest, b.div(kept, b.reduceSum(largest, true, axes)));
    }

    /** The output's gradient with the reduced axes at extent 1. */
    private static Value kept(BackwardStep s) {
        Shape in = s.input(0).shape();
        if (s.output().rank() == in.rank()) {
            return s.leanGradient();
        }
        Shape kept = in;
        for (long axis : axes(s, in.rank())) {
            kept = kept.with((int) axis, 1);
        }
        return s.builder().reshape(s.gradient(), kept.extents());
    }

    /** The reduced axes; all, if none are named. */
    private static long[] axes(BackwardStep s, int rank) {
        long[] axes = s.input(1) == null ? s.node().integers("axes").orElse(new long[0])
                : s.builder().tensorOf(s.input(1)).integers();
        return axes.length > 0 ? axes : LongStream.range(0, rank).toArray();
    }
}
