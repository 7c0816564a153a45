package io.emtal.onnx.autodiff;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.norm.LayerNorm;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Computes a graph with PyTorch's operators, so that PyTorch can differentiate it. */
public final class PyTorchGraph {

    private final PyTorch torch;
    private final Graph graph;
    private final Map<String, NDArray> values = new HashMap<>();

    private PyTorchGraph(PyTorch torch, Graph graph) {
        this.torch = torch;
        this.graph = graph;
    }

    /** The outputs of the graph by name; its inputs are values of {@code torch}. */
    public static Map<String, NDArray> outputs(PyTorch torch, Graph graph) {
        PyTorchGraph run = new PyTorchGraph(torch, graph);
        graph.inputs().forEach(v -> run.values.put(v.name(), torch.value(v.name())));
        graph.initializers().forEach((n, tensor) -> run.values.put(n, torch.array(tensor)));
        graph.nodes().forEach(run::compute);
        Map<String, NDArray> outputs = new HashMap<>();
        graph.outputs().forEach(v -> outputs.put(v.name(), run.values.get(v.name())));
        return outputs;
    }

    private void compute(Node node) {
        List<NDArray> results = results(node);
        for (int i = 0; i < results.size(); i++) {
            values.put(node.outputs().get(i).name(), results.get(i));
        }
    }

    private NDArray in(Node node, int i) {
        Value value = node.input(i);
        return value == null ? null : values.get(value.name());
    }

    private List<NDArray> results(Node node) {
        NDArray x = in(node, 0);
        NDArray y = in(node, 1);
        NDArray z = in(node, 2);
        Value result = node.output();
        if (node.op().equals("Split")) {
            return split(node, x);
        }
        return List.of(switch (node.op()) {
            case "Identity" -> x;
            case "Add" -> x.add(y);
            case "Sub" -> x.sub(y);
            case "Mul" -> x.mul(y);
            case "Div" -> x.div(y);
            case "Pow" -> x.pow(y);
            case "Min" -> x.minimum(y);
            case "Max" -> x.maximum(y);
            case "Neg" -> x.neg();
            case "Abs" -> x.abs();
            case "Sign" -> x.sign();
            case "Sqrt" -> x.sqrt();
            case "Reciprocal" -> torch.number(1).div(x);
            case "Exp" -> x.exp();
            case "Log" -> x.log();
            case "Erf" -> x.erf();
            case "Tanh" -> x.tanh();
            case "Sigmoid" -> Activation.sigmoid(x);
            case "Relu" -> Activation.relu(x);
            case "Softplus" -> Activation.softPlus(x);
            case "Gelu" -> Activation.gelu(x);
            case "Clip" -> clip(x, y, z);
            case "IsNaN" -> x.isNaN();
            case "Not" -> x.logicalNot();
            case "And" -> x.logicalAnd(y);
            case "Or" -> x.logicalOr(y);
            case "Equal" -> x.eq(y);
            case "Less" -> x.lt(y);
            case "LessOrEqual" -> x.lte(y);
            case "Greater" -> x.gt(y);
            case "GreaterOrEqual" -> x.gte(y);
            case "Where" -> NDArrays.where(broadcast(x, result), broadcast(y, result), broadcast(z, result));
            case "Cast" -> x.toType(type(result.type()), true);
            case "MatMul" -> x.matMul(y);
            case "FusedMatMul" -> operand(x, node, "transA").matMul(operand(y, node, "transB"))
                    .mul(torch.number(node.real("alpha", 1)));
            case "Gemm" -> gemm(node, operand(x, node, "transA").matMul(operand(y, node, "transB")), z);
            case "Softmax" -> x.softmax((int) node.integer("axis", -1));
            case "LogSoftmax" -> x.logSoftmax((int) node.integer("axis", -1));
            case "LayerNormalization" -> LayerNorm.layerNorm(x, new Shape(result.extent(-1)), y, z,
                    node.real("epsilon", 1e-5f)).singletonOrThrow();
            case "ReduceSum" -> x.sum(axes(node), false).reshape(result.shape().extents());
            case "ReduceMean" -> x.mean(axes(node), false).reshape(result.shape().extents());
            case "ReduceMax" -> x.max(axes(node), false).reshape(result.shape().extents());
            case "ReduceSumSquare" -> x.square().sum(axes(node), false).reshape(result.shape().extents());
            case "Reshape", "Flatten", "Squeeze", "Unsqueeze" -> x.reshape(result.shape().extents());
            case "Transpose" -> x.transpose(Arrays.stream(node.integers("perm").orElseThrow()).mapToInt(p -> (int) p)
                    .toArray());
            case "Expand" -> broadcast(x, result);
            case "Concat" -> NDArrays.concat(new NDList(IntStream.range(0, node.inputs().size())
                    .mapToObj(i -> in(node, i)).toList()), result.shape().axis((int) node.integer("axis", 0)));
            case "Slice" -> slice(node, x);
            case "Gather" -> gather(node, x);
            default -> throw new IllegalStateException("operator " + node.qualifiedOp());
        });
    }

    private static NDArray broadcast(NDArray x, Value result) {
        return x.broadcast(result.shape().extents());
    }

    private static DataType type(ElementType type) {
        return switch (type) {
            case FLOAT, DOUBLE -> DataType.FLOAT64;
            case INT32, INT64 -> DataType.INT64;
            case BOOL -> DataType.BOOLEAN;
        };
    }

    /** An operand of a product, transposed where an attribute says so. */
    private static NDArray operand(NDArray x, Node node, String attribute) {
        if (node.integer(attribute, 0) == 0) {
            return x;
        }
        int rank = x.getShape().dimension();
        int[] permutation = IntStream.range(0, rank).toArray();
        permutation[rank - 2] = rank - 1;
        permutation[rank - 1] = rank - 2;
        return x.transpose(permutation);
    }

    private NDArray gemm(Node node, NDArray product, NDArray c) {
        NDArray scaled = product.mul(torch.number(node.real("alpha", 1)));
        return c == null ? scaled : scaled.add(c.mul(torch.number(node.real("beta", 1))));
    }

    private static NDArray clip(NDArray x, NDArray low, NDArray high) {
        NDArray above = low == null ? x : x.maximum(low);
        return high == null ? above : above.minimum(high);
    }

    private long[] constant(Node node, int input) {
        Tensor tensor = node.input(input) == null ? null : graph.initializers().get(node.input(input).name());
        return tensor == null ? null : tensor.integers();
    }

    private int[] axes(Node node) {
        long[] axes = constant(node, 1);
        long[] all = axes != null ? axes : node.integers("axes").orElse(null);
        return all == null ? IntStream.range(0, node.input(0).rank()).toArray()
                : Arrays.stream(all).mapToInt(a -> node.input(0).shape().axis((int) a)).toArray();
    }

    private static List<NDArray> split(Node node, NDArray x) {
        int axis = node.input(0).shape().axis((int) node.integer("axis", 0));
        List<NDArray> parts = new ArrayList<>();
        long start = 0;
        for (Value output : node.outputs()) {
            parts.add(range(x, axis, start, start + output.extent(axis), 1));
            start += output.extent(axis);
        }
        return parts;
    }

    private NDArray slice(Node node, NDArray x) {
        long[] starts = constant(node, 1);
        long[] axes = constant(node, 3);
        long[] steps = constant(node, 4);
        NDArray part = x;
        for (int i = 0; i < starts.length; i++) {
            int axis = node.input(0).shape().axis(axes == null ? i : (int) axes[i]);
            long extent = node.input(0).extent(axis);
            long start = Math.max(0, Math.min(starts[i] < 0 ? starts[i] + extent : starts[i], extent));
            long step = steps == null ? 1 : steps[i];
            long last = start + (node.output().extent(axis) - 1) * step;
            part = range(part, axis, start, last + 1, step);
        }
        return part;
    }

    private static NDArray range(NDArray x, int axis, long start, long end, long step) {
        NDIndex index = new NDIndex();
        for (int i = 0; i < axis; i++) {
            index.addAllDim();
        }
        return x.get(index.addSliceDim(start, end, step));
    }

    private NDArray gather(Node node, NDArray x) {
        int axis = node.input(0).shape().axis((int) node.integer("axis", 0));
        NDList entries = new NDList();
        for (long entry : values.get(node.input(1).name()).toLongArray()) {
            long i = Math.floorMod(entry, node.input(0).extent(axis));
            entries.add(range(x, axis, i, i + 1, 1));
        }
        return NDArrays.concat(entries, axis).reshape(node.output().shape().extents());
    }
}
