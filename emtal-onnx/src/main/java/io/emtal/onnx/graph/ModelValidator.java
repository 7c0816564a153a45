package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.onnx.graph.OperatorTable.AttributeKind;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Checks a model before anything else looks at it: versions and operators, then tensors, values and nodes, then how
 * they are connected. What passes is a directed acyclic graph of known operators with the right number of operands,
 * outputs and attributes, each value made once, and tensors that have as many bytes as their shape says.
 */
final class ModelValidator {

    private static final long OLDEST_IR = 3;
    /** The newest that ONNX Runtime 1.28 loads. */
    private static final long NEWEST_IR = 13;

    private static final Pattern QUANTISED =
            Pattern.compile("(.*\\.)?(Q[A-Z].*|.*Quantize.*|.*Integer(ToFloat)?|MatMul(NBits|Bnb4|FpQ4))");

    private final ModelProto model;
    private final GraphProto graph;
    private final ReadLimits limits;
    private final Map<String, Long> operatorSets = new HashMap<>();
    private long storedBytes;

    private ModelValidator(ModelProto model, ReadLimits limits) {
        this.model = model;
        this.graph = model.getGraph();
        this.limits = limits;
    }

    /**
     * Checks a model.
     *
     * @param model the model
     * @param limits the sizes that are allowed
     * @throws EmtalException if the model is malformed, too large, or needs what this library does not know
     */
    static void check(ModelProto model, ReadLimits limits) {
        ModelValidator validator = new ModelValidator(model, limits);
        validator.checkModel();
        validator.checkOperators();
        validator.checkTensors();
        validator.checkValues();
        for (int i = 0; i < validator.graph.getNodeCount(); i++) {
            validator.checkNode(NodeLabel.of(i, validator.graph.getNode(i)), validator.graph.getNode(i));
        }
        validator.checkConnections();
    }

    /**
     * The operator set of the standard domain that a checked model uses.
     *
     * @param model the model
     * @return its version
     */
    static long operatorSet(ModelProto model) {
        return model.getOpsetImportList().stream().filter(o -> NodeLabel.domain(o.getDomain()).isEmpty())
                .findFirst().orElseThrow().getVersion();
    }

    private void checkModel() {
        EmtalException.check(model.hasGraph(), "found no graph, an ONNX model has one");
        EmtalException.check(model.getIrVersion() >= OLDEST_IR && model.getIrVersion() <= NEWEST_IR,
                "unsupported: found IR version %d, allowed are %d to %d", model.getIrVersion(), OLDEST_IR, NEWEST_IR);
        EmtalException.check(graph.getNodeCount() <= limits.nodes(), "found %d nodes, allowed are %d",
                graph.getNodeCount(), limits.nodes());
        EmtalException.check(model.getFunctionsCount() == 0, "unsupported: found %d functions, the first %s; allowed"
                + " are none (export with the functions inlined)", model.getFunctionsCount(),
                model.getFunctionsCount() == 0 ? "" : Quoted.of(model.getFunctions(0).getName()));
        EmtalException.check(model.getTrainingInfoCount() == 0,
                "unsupported: found training information, allowed is a model for inference");
        if (graph.getSparseInitializerCount() > 0) {
            throw new EmtalException("unsupported: sparse initialiser "
                    + Quoted.of(graph.getSparseInitializer(0).getValues().getName()) + ", allowed are dense ones");
        }
        if (graph.getQuantizationAnnotationCount() > 0) {
            throw new EmtalException("unsupported: tensor " + Quoted.of(graph.getQuantizationAnnotation(0)
                    .getTensorName()) + " is quantised; export the model with 32-bit floats");
        }
    }

    /** Every operator that is not known is listed, so that a user sees at once what an export lacks. */
    private void checkOperators() {
        Map<String, Integer> counts = new TreeMap<>();
        graph.getNodeList().forEach(node -> counts.merge(NodeLabel.qualifiedOp(node), 1, Integer::sum));
        for (OnnxMl.OperatorSetIdProto set : model.getOpsetImportList()) {
            String domain = NodeLabel.domain(set.getDomain());
            Long before = operatorSets.put(domain, set.getVersion());
            EmtalException.check(before == null || before == set.getVersion(),
                    "unsupported: operator sets %d and %d of domain %s are both imported, allowed is one; the"
                    + " operators are %s", before, set.getVersion(), domain.isEmpty() ? "ai.onnx" : Quoted.of(domain),
                    counts.keySet());
        }
        Long standard = operatorSets.get("");
        EmtalException.check(standard != null && standard >= OnnxFile.OLDEST_OPSET
                && standard <= OnnxFile.NEWEST_OPSET, "unsupported: found %s, allowed are the operator sets %d to %d"
                + " of domain ai.onnx; the operators are %s", standard == null ? "no operator set of domain ai.onnx"
                : "operator set " + standard, OnnxFile.OLDEST_OPSET, OnnxFile.NEWEST_OPSET, counts.keySet());
        Map<String, String> unknown = new LinkedHashMap<>();
        boolean quantised = false;
        for (NodeProto node : graph.getNodeList()) {
            String op = NodeLabel.qualifiedOp(node);
            Long version = operatorSets.get(NodeLabel.domain(node.getDomain()));
            if (version == null || OperatorTable.find(op, version).isEmpty()) {
                unknown.putIfAbsent(op, op + " (" + counts.get(op) + (version == null ? ", its domain is not imported)"
                        : OperatorTable.operators().contains(op) ? ", not in operator set " + version + ")" : ")"));
                quantised |= QUANTISED.matcher(op).matches();
            }
        }
        EmtalException.check(unknown.isEmpty(), "unsupported operators (number of nodes): %s%s; supported are %s",
                String.join(", ", unknown.values()), quantised ? "; export the model with 32-bit floats, not quantised"
                : "", String.join(", ", OperatorTable.operators()));
    }

    private void checkTensors() {
        for (TensorProto tensor : graph.getInitializerList()) {
            EmtalException.check(!tensor.getName().isEmpty(), "found an initialiser without a name");
            checkTensor("initialiser " + Quoted.of(tensor.getName()), tensor);
        }
    }

    private void checkTensor(String where, TensorProto tensor) {
        ElementType type = ElementType.ofCode(tensor.getDataType(), where);
        EmtalException.check(!tensor.hasSegment(), "%s: found a segment of a tensor, allowed are whole ones", where);
        long bytes = limits.bytes(where, type, fixed(where, tensor.getDimsList()));
        storedBytes += bytes;
        EmtalException.check(storedBytes <= limits.totalBytes(), "%s: with it the tensors have %d bytes, allowed are"
                + " %d", where, storedBytes, limits.totalBytes());
        boolean external = tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
        long found = tensor.getRawData().size();
        int storages = tensor.hasRawData() ? 1 : 0;
        int[] typed = {tensor.getFloatDataCount(), tensor.getDoubleDataCount(), tensor.getInt32DataCount(),
                tensor.getInt64DataCount(), tensor.getUint64DataCount(), tensor.getStringDataCount()};
        int own = switch (type) {
            case FLOAT -> 0;
            case DOUBLE -> 1;
            case INT32, BOOL -> 2;
            case INT64 -> 3;
        };
        for (int i = 0; i < typed.length; i++) {
            storages += typed[i] > 0 ? 1 : 0;
            EmtalException.check(typed[i] == 0 || i == own, "%s: its data is not of its type %s", where, type);
            found += (long) typed[i] * type.bytes();
        }
        EmtalException.check(storages <= 1 && !(external && storages > 0)
                && (external || tensor.getExternalDataCount() == 0), "%s: found its data in two places, allowed is"
                + " one", where);
        EmtalException.check(external || found == bytes, "%s of shape %s and type %s: found %d bytes, allowed are %d",
                where, tensor.getDimsList(), type, found, bytes);
    }

    private static long[] fixed(String where, List<Long> extents) {
        for (long extent : extents) {
            EmtalException.check(extent >= 0, "%s: found extent %d, allowed are 0 and more", where, extent);
        }
        return extents.stream().mapToLong(Long::longValue).toArray();
    }

    /** What is declared of inputs, outputs and the values between them. */
    private void checkValues() {
        for (ValueInfoProto value : graph.getInputList()) {
            checkDeclaration("input", value);
            EmtalException.check(value.getType().getTensorType().hasShape(), "input %s: found no shape, one is needed",
                    Quoted.of(value.getName()));
            for (Dimension extent : value.getType().getTensorType().getShape().getDimList()) {
                EmtalException.check(!extent.hasDimValue() || extent.getDimValue() > 0,
                        "input %s: found extent %d, allowed are 1 and more, or a name", Quoted.of(value.getName()),
                        extent.getDimValue());
            }
        }
        EmtalException.check(graph.getOutputCount() > 0, "found a graph without outputs");
        graph.getOutputList().forEach(value -> checkDeclaration("output", value));
        for (ValueInfoProto value : graph.getValueInfoList()) {
            if (value.hasType()) {
                checkDeclaration("value", value);
            }
        }
    }

    private void checkDeclaration(String kind, ValueInfoProto value) {
        EmtalException.check(!value.getName().isEmpty(), "found an %s without a name", kind);
        String where = kind + " " + Quoted.of(value.getName());
        EmtalException.check(value.getType().getValueCase() == TypeProto.ValueCase.TENSOR_TYPE
                && value.getType().getTensorType().hasElemType(), "%s: found %s, allowed is a tensor type", where,
                value.getType().getValueCase() == TypeProto.ValueCase.VALUE_NOT_SET
                || value.getType().getValueCase() == TypeProto.ValueCase.TENSOR_TYPE ? "no type"
                : value.getType().getValueCase());
        ElementType type = ElementType.ofCode(value.getType().getTensorType().getElemType(), where);
        List<Dimension> extents = value.getType().getTensorType().getShape().getDimList();
        for (Dimension extent : extents) {
            EmtalException.check(extent.getDimValue() >= 0, "%s: found extent %d, allowed are 0 and more", where,
                    extent.getDimValue());
        }
        limits.bytes(where, type, extents.stream().mapToLong(e -> e.hasDimValue() ? e.getDimValue() : Shape.BATCH)
                .toArray());
    }

    private void checkNode(String where, NodeProto node) {
        OperatorTable.Signature signature = OperatorTable.find(NodeLabel.qualifiedOp(node),
                operatorSets.get(NodeLabel.domain(node.getDomain()))).orElseThrow();
        signature.checkCounts(where, node.getInputList().stream().map(name -> !name.isEmpty()).toList(),
                node.getOutputCount());
        Map<String, AttributeKind> kinds = new LinkedHashMap<>();
        for (AttributeProto attribute : node.getAttributeList()) {
            String attributeName = where + ", attribute " + Quoted.of(attribute.getName());
            EmtalException.check(kinds.put(attribute.getName(), kind(attributeName, attribute)) == null,
                    "%s: found twice, allowed is once", attributeName);
            if (attribute.hasT()) {
                checkTensor(attributeName, attribute.getT());
            }
        }
        signature.checkAttributes(where, kinds);
        EmtalException.check(!node.getOpType().equals("Constant") || kinds.size() == 1,
                "%s: found the attributes %s, allowed is one", where, kinds.keySet());
    }

    private static AttributeKind kind(String where, AttributeProto attribute) {
        EmtalException.check(attribute.getRefAttrName().isEmpty(), "%s: refers to a function's attribute, allowed is"
                + " a value", where);
        Set<AttributeType> held = EnumSet.noneOf(AttributeType.class);
        hold(held, AttributeType.INT, attribute.hasI());
        hold(held, AttributeType.INTS, attribute.getIntsCount() > 0);
        hold(held, AttributeType.FLOAT, attribute.hasF());
        hold(held, AttributeType.FLOATS, attribute.getFloatsCount() > 0);
        hold(held, AttributeType.STRING, attribute.hasS());
        hold(held, AttributeType.STRINGS, attribute.getStringsCount() > 0);
        hold(held, AttributeType.TENSOR, attribute.hasT());
        hold(held, AttributeType.TENSORS, attribute.getTensorsCount() > 0);
        hold(held, AttributeType.SPARSE_TENSOR, attribute.hasSparseTensor());
        hold(held, AttributeType.SPARSE_TENSORS, attribute.getSparseTensorsCount() > 0);
        hold(held, AttributeType.GRAPH, attribute.hasG());
        hold(held, AttributeType.GRAPHS, attribute.getGraphsCount() > 0);
        hold(held, AttributeType.TYPE_PROTO, attribute.hasTp());
        hold(held, AttributeType.TYPE_PROTOS, attribute.getTypeProtosCount() > 0);
        boolean empty = !held.remove(attribute.getType());
        EmtalException.check(held.isEmpty(), "%s: is said to be %s, but holds %s", where, attribute.getType(), held);
        // A list may be empty. For a single value that is left out, 0 here would be the operator's default elsewhere.
        boolean list = attribute.getType() == AttributeType.INTS || attribute.getType() == AttributeType.FLOATS;
        EmtalException.check(!empty || list, "%s: is said to be %s, but holds no value", where, attribute.getType());
        return switch (attribute.getType()) {
            case INT -> AttributeKind.INT;
            case INTS -> AttributeKind.INTS;
            case FLOAT -> AttributeKind.FLOAT;
            case FLOATS -> AttributeKind.FLOATS;
            case STRING -> AttributeKind.STRING;
            case TENSOR -> AttributeKind.TENSOR;
            default -> throw new EmtalException(where + ": unsupported: found " + attribute.getType()
                    + ", allowed are numbers, texts and tensors");
        };
    }

    private static void hold(Set<AttributeType> held, AttributeType type, boolean present) {
        if (present) {
            held.add(type);
        }
    }

    /** Every value is made once, every operand is made by something, and nothing depends on itself. */
    private void checkConnections() {
        Map<String, String> makers = new HashMap<>();
        graph.getInputList().forEach(v -> define(makers, v.getName(), "input " + Quoted.of(v.getName())));
        Set<String> inputs = new HashSet<>(makers.keySet());
        Set<String> initializers = new HashSet<>();
        for (TensorProto tensor : graph.getInitializerList()) {
            String where = "initialiser " + Quoted.of(tensor.getName());
            EmtalException.check(initializers.add(tensor.getName()), "%s: found twice, allowed is once", where);
            // An input with an initialiser of its name has a default value.
            if (!inputs.contains(tensor.getName())) {
                define(makers, tensor.getName(), where);
            }
        }
        Set<String> nodeNames = new HashSet<>();
        List<NodeProto> nodes = graph.getNodeList();
        for (int i = 0; i < nodes.size(); i++) {
            String where = NodeLabel.of(i, nodes.get(i));
            EmtalException.check(nodes.get(i).getName().isEmpty() || nodeNames.add(nodes.get(i).getName()),
                    "%s: another node has its name", where);
            int made = 0;
            for (String output : nodes.get(i).getOutputList()) {
                if (!output.isEmpty()) {
                    define(makers, output, where);
                    made++;
                }
            }
            EmtalException.check(made > 0, "%s: none of its outputs has a name", where);
        }
        for (int i = 0; i < nodes.size(); i++) {
            for (String input : nodes.get(i).getInputList()) {
                EmtalException.check(input.isEmpty() || makers.containsKey(input),
                        "%s: its operand %s is made by nothing: no input, initialiser or node has that name",
                        NodeLabel.of(i, nodes.get(i)), Quoted.of(input));
            }
        }
        Set<String> outputs = new HashSet<>();
        for (ValueInfoProto output : graph.getOutputList()) {
            EmtalException.check(outputs.add(output.getName()), "output %s: found twice, allowed is once",
                    Quoted.of(output.getName()));
            EmtalException.check(makers.containsKey(output.getName()),
                    "output %s: made by nothing: no input, initialiser or node has that name",
                    Quoted.of(output.getName()));
        }
        checkDefaults();
        NodeOrder.of(nodes);
    }

    private static void define(Map<String, String> makers, String name, String maker) {
        String before = makers.putIfAbsent(name, maker);
        EmtalException.check(before == null, "%s: makes %s, but %s has that name already", maker, Quoted.of(name),
                before);
    }

    private void checkDefaults() {
        Map<String, TensorProto> initializers = graph.getInitializerList().stream()
                .collect(Collectors.toMap(TensorProto::getName, t -> t));
        for (ValueInfoProto input : graph.getInputList()) {
            TensorProto tensor = initializers.get(input.getName());
            if (tensor == null) {
                continue;
            }
            TypeProto.Tensor declared = input.getType().getTensorType();
            List<Long> extents = new ArrayList<>();
            declared.getShape().getDimList().forEach(e -> extents.add(e.getDimValue()));
            EmtalException.check(declared.getElemType() == tensor.getDataType() && extents.equals(tensor.getDimsList()),
                    "input %s: declared with shape %s, but its initialiser has shape %s or another type",
                    Quoted.of(input.getName()), extents, tensor.getDimsList());
        }
    }
}
