package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.EmtalException;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes a graph from a model: sorts the nodes, writes every operator as opset {@value OnnxFile#OPSET} has it, infers
 * all shapes and computes shape arithmetic. Values and nodes keep their names.
 */
final class OnnxReader {

    private final OnnxMl.GraphProto proto;
    private final int opset;
    private final long batch;
    private final Map<String, Long> extents;
    private final GraphBuilder builder = new GraphBuilder();
    private final Map<String, Value> values = new HashMap<>();
    /** Initialisers and what shape arithmetic gave; they enter the graph where an operator reads them. */
    private final Map<String, Tensor> known = new HashMap<>();

    OnnxReader(OnnxMl.ModelProto model, long batch, Map<String, Long> extents) {
        EmtalException.check(batch > 0, "model: found a batch of %d rows, allowed is 1 or more", batch);
        EmtalException.check(model.getFunctionsCount() == 0 && model.getGraph().getSparseInitializerCount() == 0,
                "model: found functions of its own or sparse initialisers, allowed are standard operators and dense initialisers");
        this.proto = model.getGraph();
        this.opset = opset(model);
        this.batch = batch;
        this.extents = Map.copyOf(extents);
    }

    private static int opset(OnnxMl.ModelProto model) {
        // Some tools leave several entries for the standard domain; the last one counts.
        long version = model.getOpsetImportList().stream().filter(o -> o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx"))
                .mapToLong(OnnxMl.OperatorSetIdProto::getVersion).reduce(0, (a, b) -> b);
        EmtalException.check(version >= OnnxFile.OLDEST_OPSET && version <= OnnxFile.NEWEST_OPSET,
                "model: found operator set %d, allowed are %d to %d", version, OnnxFile.OLDEST_OPSET, OnnxFile.NEWEST_OPSET);
        return (int) version;
    }

    Graph read() {
        Set<String> names = new HashSet<>();
        proto.getInputList().forEach(v -> names.add(v.getName()));
        proto.getInitializerList().forEach(t -> names.add(t.getName()));
        proto.getNodeList().forEach(n -> names.addAll(n.getOutputList()));
        builder.reserve(names);

        proto.getInitializerList().forEach(t -> known.put(t.getName(), Tensor.fromProto(t)));
        // Before IR version 4 initialisers stand among the inputs too.
        proto.getInputList().stream().filter(v -> !known.containsKey(v.getName()))
                .forEach(v -> values.put(v.getName(), input(v)));
        for (OnnxMl.NodeProto node : sorted()) {
            read(node);
        }
        proto.getOutputList().forEach(v -> builder.output(value(v.getName(), "output '" + v.getName() + "'")));
        return builder.build();
    }

    private Value input(OnnxMl.ValueInfoProto input) {
        String where = "input '" + input.getName() + "'";
        EmtalException.check(input.getType().hasTensorType() && input.getType().getTensorType().hasShape(),
                "%s: found no tensor of known rank, allowed are only those", where);
        OnnxMl.TypeProto.Tensor type = input.getType().getTensorType();
        long[] shape = new long[type.getShape().getDimCount()];
        for (int i = 0; i < shape.length; i++) {
            OnnxMl.TensorShapeProto.Dimension dimension = type.getShape().getDim(i);
            Long extent = dimension.hasDimValue() ? Long.valueOf(dimension.getDimValue()) : extents.get(dimension.getDimParam());
            EmtalException.check(extent != null || i == 0, "%s: found axis %d ('%s') open, allowed are a batch at axis 0 and axes"
                    + " whose extent is given by name", where, i, dimension.getDimParam());
            shape[i] = extent == null ? batch : extent;
        }
        return builder.input(input.getName(), ElementType.ofCode(type.getElemType(), where), shape);
    }

    /** The nodes in their order, but each after those whose outputs it reads. */
    private List<OnnxMl.NodeProto> sorted() {
        Map<String, Integer> producers = new HashMap<>();
        for (int i = 0; i < proto.getNodeCount(); i++) {
            for (String output : proto.getNode(i).getOutputList()) {
                EmtalException.check(output.isEmpty() || producers.put(output, i) == null && !known.containsKey(output)
                        && !values.containsKey(output), "%s: found '%s' twice, allowed is one value of a name",
                        where(proto.getNode(i)), output);
            }
        }
        List<OnnxMl.NodeProto> sorted = new ArrayList<>();
        boolean[] waiting = new boolean[proto.getNodeCount()];
        boolean[] done = new boolean[proto.getNodeCount()];
        for (int start = 0; start < done.length; start++) {
            Deque<Integer> stack = new ArrayDeque<>(List.of(start));
            while (!stack.isEmpty()) {
                int i = stack.peek();
                OnnxMl.NodeProto node = proto.getNode(i);
                if (done[i] || waiting[i]) {
                    stack.pop();
                    if (!done[i]) {
                        done[i] = true;
                        sorted.add(node);
                    }
                    continue;
                }
                waiting[i] = true;
                for (String input : node.getInputList()) {
                    Integer producer = producers.get(input);
                    EmtalException.check(producer == null || done[producer] || !waiting[producer],
                            "%s: depends on itself through '%s', allowed are graphs without cycles", where(node), input);
                    if (producer != null && !done[producer]) {
                        stack.push(producer);
                    }
                }
            }
        }
        return sorted;
    }

    private static String where(OnnxMl.NodeProto node) {
        return "node '" + name(node) + "' (" + node.getOpType() + ")";
    }

    private static String name(OnnxMl.NodeProto node) {
        return node.getName().isEmpty() ? String.join(",", node.getOutputList()) : node.getName();
    }

    private Value value(String name, String where) {
        Tensor tensor = known.get(name);
        Value value = tensor == null ? values.get(name) : values.computeIfAbsent(name, n -> builder.initializer(n, tensor));
        EmtalException.check(value != null, "%s: reads '%s', which nothing gives", where, name);
        return value;
    }

    private void read(OnnxMl.NodeProto node) {
        String where = where(node);
        Map<String, Object> attributes = new LinkedHashMap<>();
        try {
            node.getAttributeList().forEach(a -> attributes.put(a.getName(), attribute(a)));
            Tensor constant = constant(node, attributes, where);
            if (constant != null) {
                known.put(node.getOutput(0), constant);
            } else {
                write(node, attributes, where);
            }
        } catch (EmtalException e) {
            throw e.getMessage().startsWith(where) ? e : new EmtalException(where + ": " + e.getMessage(), e);
        }
    }

    private static Object attribute(OnnxMl.AttributeProto a) {
        return switch (a.getType()) {
            case INT -> a.getI();
            case FLOAT -> a.getF();
            case STRING -> a.getS().toStringUtf8();
            case TENSOR -> Tensor.fromProto(a.getT());
            case INTS -> List.copyOf(a.getIntsList());
            case FLOATS -> List.copyOf(a.getFloatsList());
            default -> throw new EmtalException("attribute '" + a.getName() + "': found type " + a.getType()
                    + ", allowed are numbers, lists of numbers, strings and tensors");
        };
    }

    private void write(OnnxMl.NodeProto node, Map<String, Object> attributes, String where) {
        List<Value> operands = new ArrayList<>();
        node.getInputList().forEach(n -> operands.add(n.isEmpty() ? null : value(n, where)));
        OperatorSets.Operator operator = OperatorSets.current(builder, opset,
                new OperatorSets.Operator(node.getDomain(), node.getOpType(), attributes, operands, node.getOutputCount()));
        List<String> outputs = new ArrayList<>();
        for (String output : node.getOutputList().subList(0, operator.outputCount())) {
            outputs.add(output.isEmpty() ? builder.fresh(node.getOpType()) : output);
        }
        List<Value> results = builder.addNamed(operator.domain(), operator.op(), name(node), operator.attributes(), outputs,
                operator.operands());
        results.forEach(v -> values.put(v.name(), v));
    }

    /** The node's output if it is known while the model is read, or {@code null}. */
    private Tensor constant(OnnxMl.NodeProto node, Map<String, Object> attributes, String where) {
        return switch (node.getOpType()) {
            case "Constant" -> constant(attributes);
            case "Shape" -> shape(value(node.getInput(0), where).shape(), attributes);
            case "Size" -> new Tensor(ElementType.INT64, Shape.SCALAR, new long[] {value(node.getInput(0), where).shape().size()});
            case "ConstantOfShape" -> filled(operand(node, 0), attributes);
            case "Range" -> range(operand(node, 0), operand(node, 1), operand(node, 2));
            default -> computed(node, attributes);
        };
    }

    private Tensor operand(OnnxMl.NodeProto node, int i) {
        Tensor tensor = known.get(node.getInput(i));
        EmtalException.check(tensor != null, "found a computed input '%s', allowed is a constant", node.getInput(i));
        return tensor;
    }

    private static Tensor constant(Map<String, Object> attributes) {
        Object value = attributes.isEmpty() ? null : attributes.values().iterator().next();
        if (value instanceof Tensor tensor) {
            return tensor;
        } else if (value instanceof Long i) {
            return new Tensor(ElementType.INT64, Shape.SCALAR, new long[] {i});
        } else if (value instanceof Float f) {
            return Tensor.scalar(f);
        } else if (attributes.containsKey("value_ints")) {
            long[] integers = ((List<?>) value).stream().mapToLong(e -> (Long) e).toArray();
            return Tensor.of(integers, integers.length);
        } else if (attributes.containsKey("value_floats")) {
            List<?> list = (List<?>) value;
            float[] floats = new float[list.size()];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = (Float) list.get(i);
            }
            return Tensor.of(floats, floats.length);
        }
        throw new EmtalException("found attributes " + attributes.keySet() + ", allowed is a value of numbers");
    }

    private static Tensor shape(Shape shape, Map<String, Object> attributes) {
        int from = bound((Long) attributes.getOrDefault("start", 0L), shape.rank());
        int to = Math.max(from, bound((Long) attributes.getOrDefault("end", (long) shape.rank()), shape.rank()));
        return Tensor.of(Arrays.copyOfRange(shape.extents(), from, to), to - from);
    }

    private static int bound(long axis, int rank) {
        return (int) Math.max(0, Math.min(rank, axis < 0 ? axis + rank : axis));
    }

    private static Tensor filled(Tensor extents, Map<String, Object> attributes) {
        Tensor value = (Tensor) attributes.getOrDefault("value", Tensor.of(new float[1], 1));
        Shape shape = Shape.of(extents.integers());
        if (!ShapeArithmetic.isInteger(value.type())) {
            return Tensor.filled(value.type(), shape, value.real(0));
        }
        long[] element = value.type() == ElementType.BOOL ? new long[] {((boolean[]) value.elements())[0] ? 1 : 0} : value.integers();
        return ShapeArithmetic.tensor(new ShapeRules.Typed(value.type(), shape), i -> element[0]);
    }

    private static Tensor range(Tensor start, Tensor limit, Tensor step) {
        long from = start.integers()[0];
        long by = step.integers()[0];
        long span = limit.integers()[0] - from;
        EmtalException.check(by != 0, "found step 0, allowed are others");
        long count = Math.max(0, (span + by - Long.signum(by)) / by);
        return ShapeArithmetic.tensor(new ShapeRules.Typed(start.type(), Shape.of(count)), i -> from + i * by);
    }

    private Tensor computed(OnnxMl.NodeProto node, Map<String, Object> attributes) {
        boolean integers = node.getOutputCount() == 1 && node.getInputCount() > 0 && ShapeRules.knows(node.getOpType())
                && node.getInputList().stream().allMatch(n -> n.isEmpty()
                || known.containsKey(n) && ShapeArithmetic.isInteger(known.get(n).type()));
        if (!integers) {
            return null;
        }
        List<Value> operands = new ArrayList<>();
        List<Tensor> tensors = new ArrayList<>();
        for (String name : node.getInputList()) {
            Tensor tensor = known.get(name);
            tensors.add(tensor);
            operands.add(tensor == null ? null : new Value(name, tensor.type(), tensor.shape()));
        }
        ShapeRules.Typed result = ShapeRules.infer(new ShapeRules.Call(where(node), node.getOpType(), operands, attributes, 1,
                v -> known.get(v.name()))).get(0);
        return ShapeArithmetic.compute(node.getOpType(), (Long) attributes.getOrDefault("axis", 0L), tensors, result);
    }
}
