package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Makes a graph from a model: checks it, sorts the nodes, writes every operator as opset {@value OnnxFile#OPSET} has
 * it, infers all shapes and computes shape arithmetic. Values and nodes keep their names.
 */
final class OnnxReader {

    /** More than shape arithmetic, masks and position tables take. */
    private static final long MOST_COMPUTED_BYTES = 64L << 20;
    /** Operators of integers with any number of operands, which are taken two at a time. */
    private static final Set<String> PAIRWISE = Set.of("Max", "Min");

    private final OnnxMl.GraphProto proto;
    private final long opset;
    private final long batch;
    private final Map<String, Long> extents;
    private final ReadLimits limits;
    private final Map<String, Tensor> parsed;
    private final GraphBuilder builder = new GraphBuilder();
    private final Map<String, Value> values = new HashMap<>();
    /** Initialisers and what shape arithmetic gave; the latter enters the graph where an operator reads it. */
    private final Map<String, Tensor> known = new LinkedHashMap<>();
    private long computedBytes;

    /**
     * Prepares to read a model.
     *
     * @param model the model
     * @param batch the number of rows; {@link Shape#BATCH} to leave it open
     * @param extents what named open extents stand for
     * @param limits the sizes that are allowed
     * @param parsed tensors of initialisers that were made before, so that they are not made twice
     */
    OnnxReader(OnnxMl.ModelProto model, long batch, Map<String, Long> extents, ReadLimits limits,
               Map<String, Tensor> parsed) {
        EmtalException.check(batch > 0 || batch == Shape.BATCH, "model: found a batch of %d rows, allowed is 1 or"
                + " more", batch);
        ModelValidator.check(model, limits);
        ExternalData.first(model).ifPresent(first -> {
            throw new EmtalException("model: found data outside it, " + first
                    + "; load the model from its path with limits that allow external data");
        });
        this.proto = model.getGraph();
        this.opset = ModelValidator.operatorSet(model);
        this.batch = batch;
        this.extents = Map.copyOf(extents);
        this.limits = limits;
        this.parsed = parsed;
    }

    Graph read() {
        Set<String> names = new HashSet<>();
        proto.getInputList().forEach(v -> names.add(v.getName()));
        proto.getInitializerList().forEach(t -> names.add(t.getName()));
        proto.getNodeList().forEach(n -> names.addAll(n.getOutputList()));
        builder.reserve(names, proto.getNodeList().stream().map(OnnxMl.NodeProto::getName).toList());

        proto.getInitializerList().forEach(t -> known.put(t.getName(), parsed.containsKey(t.getName())
                ? parsed.get(t.getName()) : Tensor.fromProto(t)));
        known.forEach((name, tensor) -> values.put(name, builder.initializer(name, tensor)));
        // Before IR version 4 initialisers stand among the inputs too.
        proto.getInputList().stream().filter(v -> !known.containsKey(v.getName()))
                .forEach(v -> values.put(v.getName(), input(v)));
        for (int i : NodeOrder.of(proto.getNodeList())) {
            read(NodeLabel.of(i, proto.getNode(i)), proto.getNode(i));
        }
        proto.getOutputList().forEach(this::output);
        return builder.build();
    }

    private Value input(OnnxMl.ValueInfoProto input) {
        String where = "input " + Quoted.of(input.getName());
        OnnxMl.TypeProto.Tensor type = input.getType().getTensorType();
        long[] shape = new long[type.getShape().getDimCount()];
        for (int i = 0; i < shape.length; i++) {
            OnnxMl.TensorShapeProto.Dimension dimension = type.getShape().getDim(i);
            if (dimension.hasDimValue()) {
                shape[i] = dimension.getDimValue();
                continue;
            }
            Long extent = extents.get(dimension.getDimParam());
            EmtalException.check(extent != null || i == 0, "%s: found axis %d (%s) open, allowed are a batch at axis"
                    + " 0 and axes whose extent is given by name", where, i, Quoted.of(dimension.getDimParam()));
            EmtalException.check(extent == null || extent > 0, "%s: found extent %d for %s, allowed is 1 or more",
                    where, extent, Quoted.of(dimension.getDimParam()));
            shape[i] = extent == null ? batch : extent;
        }
        ElementType element = ElementType.ofCode(type.getElemType(), where);
        limits.bytes(where, element, shape);
        return builder.input(input.getName(), element, shape);
    }

    private void output(OnnxMl.ValueInfoProto output) {
        String where = "output " + Quoted.of(output.getName());
        Value value = value(output.getName(), where);
        OnnxMl.TypeProto.Tensor declared = output.getType().getTensorType();
        EmtalException.check(declared.getElemType() == value.type().code(),
                "%s: declared with element type %d, found %s", where, declared.getElemType(), value.type());
        List<OnnxMl.TensorShapeProto.Dimension> extents = declared.getShape().getDimList();
        EmtalException.check(!declared.hasShape() || extents.size() == value.rank(),
                "%s: declared with %d dimensions, found %s", where, extents.size(), value.shape());
        for (int i = 0; i < extents.size(); i++) {
            EmtalException.check(!extents.get(i).hasDimValue() || value.extent(i) == Shape.BATCH
                    || extents.get(i).getDimValue() == value.extent(i),
                    "%s: declared with extent %d at axis %d, found %s", where, extents.get(i).getDimValue(), i,
                    value.shape());
        }
        builder.output(value);
    }

    private Value value(String name, String where) {
        Tensor tensor = known.get(name);
        Value value = tensor == null ? values.get(name) : values.computeIfAbsent(name,
                n -> builder.initializer(n, tensor));
        EmtalException.check(value != null, "%s: reads %s, %s, which is not supported; allowed is a model that does"
                + " not use it", where, Quoted.of(name), value == null ? maker(name) : "");
        return value;
    }

    /** The output of a node that has a name. */
    private String maker(String name) {
        int maker = 0;
        while (!proto.getNode(maker).getOutputList().contains(name)) {
            maker++;
        }
        return "output " + proto.getNode(maker).getOutputList().indexOf(name) + " of "
                + NodeLabel.of(maker, proto.getNode(maker));
    }

    private void read(String where, OnnxMl.NodeProto node) {
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
                new OperatorSets.Operator(NodeLabel.domain(node.getDomain()), node.getOpType(), attributes, operands,
                        node.getOutputCount()), node.getOutputList());
        Value first = operator.operand(0);
        if (operator.op().equals("Identity") && builder.tensorOf(first) != null && !isOutput(node.getOutput(0))) {
            // Exporters keep equal weights once and give the others' names to copies.
            values.put(node.getOutput(0), first);
            return;
        }
        List<String> outputs = new ArrayList<>();
        for (String output : node.getOutputList().subList(0, operator.outputCount())) {
            outputs.add(output.isEmpty() ? builder.fresh(node.getOpType()) : output);
        }
        List<Value> results = builder.addNamed(operator.domain(), operator.op(), node.getName().isEmpty()
                ? builder.nodeName(node.getOpType(), outputs.get(0)) : node.getName(), operator.attributes(), outputs,
                operator.operands());
        for (Value value : results) {
            limits.bytes(where, value.type(), value.shape().extents());
            values.put(value.name(), value);
        }
        operator.others().forEach(value -> values.put(value.name(), value));
    }

    private boolean isOutput(String name) {
        return proto.getOutputList().stream().anyMatch(o -> o.getName().equals(name));
    }

    /** The node's output if it is known while the model is read, or {@code null}. */
    private Tensor constant(OnnxMl.NodeProto node, Map<String, Object> attributes, String where) {
        return switch (node.getOpType()) {
            case "Constant" -> constant(attributes);
            case "Shape" -> shape(value(node.getInput(0), where).shape(), attributes);
            case "Size" -> Tensor.of(new long[] {value(node.getInput(0), where).shape().size()});
            case "ConstantOfShape" -> filled(operand(node, 0), attributes);
            case "Range" -> range(operand(node, 0), operand(node, 1), operand(node, 2));
            default -> computed(node, attributes, where);
        };
    }

    private Tensor operand(OnnxMl.NodeProto node, int i) {
        Tensor tensor = known.get(node.getInput(i));
        EmtalException.check(tensor != null, "found a computed operand %s, allowed is a constant",
                Quoted.of(node.getInput(i)));
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
        EmtalException.check(shape.isStatic(), "found shape %s, allowed is one without an open batch: read the model"
                + " with a number of rows", shape);
        int from = bound((Long) attributes.getOrDefault("start", 0L), shape.rank());
        int to = Math.max(from, bound((Long) attributes.getOrDefault("end", (long) shape.rank()), shape.rank()));
        return Tensor.of(Arrays.copyOfRange(shape.extents(), from, to), to - from);
    }

    private static int bound(long axis, int rank) {
        return (int) Math.max(0, Math.min(rank, axis < 0 ? axis + rank : axis));
    }

    private Tensor filled(Tensor extents, Map<String, Object> attributes) {
        Tensor value = (Tensor) attributes.getOrDefault("value", Tensor.of(new float[1], 1));
        EmtalException.check(extents.shape().rank() == 1 && Arrays.stream(extents.integers()).allMatch(e -> e >= 0)
                && value.shape().size() == 1, "found a shape %s of shape %s and %d values, allowed are a list of"
                + " extents and one value", Arrays.toString(extents.integers()), extents.shape(), value.shape().size());
        Shape shape = Shape.of(extents.integers());
        account(value.type(), shape);
        if (!ShapeArithmetic.isInteger(value.type())) {
            return Tensor.filled(value.type(), shape, value.real(0));
        }
        long[] element = value.type() == ElementType.BOOL ? new long[] {((boolean[]) value.elements())[0] ? 1 : 0}
                : value.integers();
        return ShapeArithmetic.tensor(new ShapeRules.Typed(value.type(), shape), i -> element[0]);
    }

    private Tensor range(Tensor start, Tensor limit, Tensor step) {
        boolean scalars = Stream.of(start, limit, step).allMatch(t -> t.shape().size() == 1
                && t.type() == start.type());
        EmtalException.check(scalars, "found %s, %s and %s, allowed are three scalars of one type", start, limit, step);
        long from = start.integers()[0];
        long to = limit.integers()[0];
        long by = step.integers()[0];
        EmtalException.check(by != 0 && Stream.of(from, to, by).allMatch(v ->
                Math.abs((double) v) <= Integer.MAX_VALUE), "found %d to %d by %d, allowed are steps other than 0 and"
                + " numbers below 2^31", from, to, by);
        Shape shape = Shape.of(Math.max(0, (to - from + by - Long.signum(by)) / by));
        account(start.type(), shape);
        return ShapeArithmetic.tensor(new ShapeRules.Typed(start.type(), shape), i -> from + i * by);
    }

    /** Counts a constant before it is computed: a few bytes of file must not fill the memory. */
    private void account(ElementType type, Shape shape) {
        computedBytes += limits.bytes("result", type, shape.extents());
        EmtalException.check(computedBytes <= MOST_COMPUTED_BYTES, "with it the constants that the graph computes"
                + " have %d bytes, allowed are %d", computedBytes, MOST_COMPUTED_BYTES);
    }

    private Tensor computed(OnnxMl.NodeProto node, Map<String, Object> attributes, String where) {
        boolean integers = node.getOutputCount() == 1 && node.getInputCount() > 0 && ShapeRules.knows(node.getOpType())
                && node.getInputList().stream().allMatch(n -> n.isEmpty()
                || known.containsKey(n) && ShapeArithmetic.isInteger(known.get(n).type()));
        if (!integers) {
            return null;
        }
        List<Tensor> tensors = node.getInputList().stream().map(known::get).toList();
        OperatorTable.find(NodeLabel.qualifiedOp(node), NodeLabel.domain(node.getDomain()).isEmpty() ? opset : 1)
                .orElseThrow().checkTypes(where, tensors.stream().map(t -> t == null ? null : t.type()).toList());
        if (!PAIRWISE.contains(node.getOpType())) {
            return computed(node.getOpType(), tensors, attributes, where);
        }
        Tensor result = tensors.get(0);
        for (int i = 1; i < tensors.size() && result != null; i++) {
            result = computed(node.getOpType(), List.of(result, tensors.get(i)), attributes, where);
        }
        return result;
    }

    private Tensor computed(String op, List<Tensor> tensors, Map<String, Object> attributes, String where) {
        List<Value> operands = new ArrayList<>();
        Map<Value, Tensor> constants = new HashMap<>();
        for (Tensor tensor : tensors) {
            Value operand = tensor == null ? null : new Value("operand" + operands.size(), tensor.type(),
                    tensor.shape());
            operands.add(operand);
            constants.put(operand, tensor);
        }
        ShapeRules.Typed result = ShapeRules.infer(new ShapeRules.Call(where, op, operands, attributes, 1,
                constants::get)).get(0);
        limits.bytes(where, result.type(), result.shape().extents());
        Tensor computed = ShapeArithmetic.compute(op, (Long) attributes.getOrDefault("axis", 0L), tensors, result);
        if (computed != null) {
            account(computed.type(), computed.shape());
        }
        return computed;
    }
}
