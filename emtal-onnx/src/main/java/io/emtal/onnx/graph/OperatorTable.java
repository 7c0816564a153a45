package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The operators that this library knows, with their operands, outputs and attributes in every operator set that it
 * reads. {@link ShapeRules} has the shapes of their results.
 *
 * <p>A line reads: operator | first and last operator set | element types that T stands for | operands | number of
 * outputs | attributes. Operands are {@code T}; {@code I} for INT64; {@code J} for INT32 or INT64; {@code B} for BOOL;
 * {@code U} for any number. Operands of the same letter have the same type. After an operand, {@code ?} says that it
 * may be left out, {@code +} that there may be more of it. {@code !} after an attribute says that it must be there.
 */
final class OperatorTable {

    private static final String TABLE = """
            Abs                 | 11-   | number | T           | 1   |
            Add                 | 11-   | number | T T         | 1   |
            And                 | 11-   | any    | B B         | 1   |
            AveragePool         | 11-18 | real   | T           | 1   | auto_pad:string ceil_mode:int \
            count_include_pad:int kernel_shape:ints! pads:ints strides:ints
            AveragePool         | 19-   | real   | T           | 1   | auto_pad:string ceil_mode:int \
            count_include_pad:int dilations:ints kernel_shape:ints! pads:ints strides:ints
            BatchNormalization  | 11-13 | real   | T T T T T   | 1   | epsilon:float momentum:float
            BatchNormalization  | 14-   | real   | T T T T T   | 1   | epsilon:float momentum:float training_mode:int
            Cast                | 11-18 | any    | T           | 1   | to:int!
            Cast                | 19-   | any    | T           | 1   | to:int! saturate:int
            Ceil                | 11-   | real   | T           | 1   |
            Clip                | 11-   | number | T T? T?     | 1   |
            Concat              | 11-   | any    | T+          | 1   | axis:int!
            Constant            | 11    | any    |             | 1   | value:tensor
            Constant            | 12-   | any    |             | 1   | value:tensor value_int:int value_ints:ints \
            value_float:float value_floats:floats
            ConstantOfShape     | 11-   | any    | I           | 1   | value:tensor
            Conv                | 11-   | real   | T T T?      | 1   | auto_pad:string dilations:ints group:int \
            kernel_shape:ints pads:ints strides:ints
            Cos                 | 11-   | real   | T           | 1   |
            Div                 | 11-   | number | T T         | 1   |
            Dropout             | 11    | real   | T           | 1-2 | ratio:float
            Dropout             | 12-   | real   | T U? B?     | 1-2 | seed:int
            Elu                 | 11-   | real   | T           | 1   | alpha:float
            Equal               | 11-   | any    | T T         | 1   |
            Erf                 | 11-   | real   | T           | 1   |
            Exp                 | 11-   | real   | T           | 1   |
            Expand              | 11-   | any    | T I         | 1   |
            Flatten             | 11-   | any    | T           | 1   | axis:int
            Floor               | 11-   | real   | T           | 1   |
            Gather              | 11-   | any    | T J         | 1   | axis:int
            Gelu                | 20-   | real   | T           | 1   | approximate:string
            Gemm                | 11-   | real   | T T T?      | 1   | alpha:float beta:float transA:int transB:int
            GlobalAveragePool   | 11-   | real   | T           | 1   |
            Greater             | 11-   | number | T T         | 1   |
            GreaterOrEqual      | 12-   | number | T T         | 1   |
            HardSigmoid         | 11-   | real   | T           | 1   | alpha:float beta:float
            HardSwish           | 14-   | real   | T           | 1   |
            Identity            | 11-   | any    | T           | 1   |
            InstanceNormalization | 11- | real   | T T T       | 1   | epsilon:float
            IsNaN               | 11-   | real   | T           | 1   |
            LayerNormalization  | 11-   | real   | T T T?      | 1-3 | axis:int epsilon:float stash_type:int
            LeakyRelu           | 11-   | real   | T           | 1   | alpha:float
            Less                | 11-   | number | T T         | 1   |
            LessOrEqual         | 12-   | number | T T         | 1   |
            Log                 | 11-   | real   | T           | 1   |
            LogSoftmax          | 11-   | real   | T           | 1   | axis:int
            MatMul              | 11-   | number | T T         | 1   |
            Max                 | 11-   | number | T+          | 1   |
            MaxPool             | 11-   | real   | T           | 1   | auto_pad:string ceil_mode:int dilations:ints \
            kernel_shape:ints! pads:ints storage_order:int strides:ints
            Min                 | 11-   | number | T+          | 1   |
            Mul                 | 11-   | number | T T         | 1   |
            Neg                 | 11-   | number | T           | 1   |
            Not                 | 11-   | any    | B           | 1   |
            Or                  | 11-   | any    | B B         | 1   |
            Pad                 | 11-17 | any    | T I T?      | 1   | mode:string
            Pad                 | 18-   | any    | T I T? I?   | 1   | mode:string
            Pow                 | 11-   | number | T U         | 1   |
            Range               | 11-   | number | T T T       | 1   |
            Reciprocal          | 11-   | real   | T           | 1   |
            ReduceL2            | 11-17 | number | T           | 1   | axes:ints keepdims:int
            ReduceL2            | 18-   | number | T I?        | 1   | keepdims:int noop_with_empty_axes:int
            ReduceMax           | 11-17 | number | T           | 1   | axes:ints keepdims:int
            ReduceMax           | 18-   | number | T I?        | 1   | keepdims:int noop_with_empty_axes:int
            ReduceMean          | 11-17 | number | T           | 1   | axes:ints keepdims:int
            ReduceMean          | 18-   | number | T I?        | 1   | keepdims:int noop_with_empty_axes:int
            ReduceSum           | 11-12 | number | T           | 1   | axes:ints keepdims:int
            ReduceSum           | 13-   | number | T I?        | 1   | keepdims:int noop_with_empty_axes:int
            ReduceSumSquare     | 11-17 | number | T           | 1   | axes:ints keepdims:int
            ReduceSumSquare     | 18-   | number | T I?        | 1   | keepdims:int noop_with_empty_axes:int
            Relu                | 11-   | number | T           | 1   |
            Reshape             | 11-13 | any    | T I         | 1   |
            Reshape             | 14-   | any    | T I         | 1   | allowzero:int
            Round               | 11-   | real   | T           | 1   |
            ScatterND           | 11-15 | any    | T I T       | 1   |
            ScatterND           | 16-   | any    | T I T       | 1   | reduction:string
            Shape               | 11-14 | any    | T           | 1   |
            Shape               | 15-   | any    | T           | 1   | start:int end:int
            Sigmoid             | 11-   | real   | T           | 1   |
            Sign                | 11-   | number | T           | 1   |
            Sin                 | 11-   | real   | T           | 1   |
            Size                | 11-   | any    | T           | 1   |
            Slice               | 11-   | any    | T J J J? J? | 1   |
            Softmax             | 11-   | real   | T           | 1   | axis:int
            Softplus            | 11-   | real   | T           | 1   |
            Split               | 11-12 | any    | T           | 1+  | axis:int split:ints
            Split               | 13-17 | any    | T I?        | 1+  | axis:int
            Split               | 18-   | any    | T I?        | 1+  | axis:int num_outputs:int
            Sqrt                | 11-   | real   | T           | 1   |
            Squeeze             | 11-12 | any    | T           | 1   | axes:ints
            Squeeze             | 13-   | any    | T I?        | 1   |
            Sub                 | 11-   | number | T T         | 1   |
            Sum                 | 11-   | real   | T+          | 1   |
            Tanh                | 11-   | real   | T           | 1   |
            Transpose           | 11-   | any    | T           | 1   | perm:ints
            Unsqueeze           | 11-12 | any    | T           | 1   | axes:ints!
            Unsqueeze           | 13-   | any    | T I         | 1   |
            Where               | 11-   | any    | B T T       | 1   |
            com.microsoft.Attention   | 1 | real | T T T J? T? T? J? | 1-2 | do_rotary:int mask_filter_value:float \
            num_heads:int! past_present_share_buffer:int qkv_hidden_sizes:ints rotary_embedding_dim:int scale:float \
            unidirectional:int
            com.microsoft.BiasGelu    | 1 | real | T T         | 1   |
            com.microsoft.FastGelu    | 1 | real | T T?        | 1   |
            com.microsoft.FusedMatMul | 1 | real | T T         | 1   | transA:int transB:int alpha:float
            com.microsoft.Gelu        | 1 | real | T           | 1   |
            com.microsoft.MultiHeadAttention | 1 | real | T T? T? T? J? T? T? T? | 1-3 | mask_filter_value:float \
            num_heads:int! scale:float unidirectional:int
            com.microsoft.QuickGelu   | 1 | real | T           | 1   | alpha:float
            com.microsoft.SkipLayerNormalization | 1 | real | T T T T? T? | 1-4 | epsilon:float
            """;

    private static final Set<ElementType> REAL = EnumSet.of(ElementType.FLOAT, ElementType.DOUBLE);
    private static final Set<ElementType> NUMBER = EnumSet.complementOf(EnumSet.of(ElementType.BOOL));
    private static final Set<ElementType> ANY = EnumSet.allOf(ElementType.class);

    private static final Map<String, List<Signature>> SIGNATURES = new TreeMap<>();

    static {
        TABLE.lines().forEach(line -> {
            Signature signature = parse(line);
            SIGNATURES.computeIfAbsent(signature.op(), op -> new ArrayList<>()).add(signature);
        });
    }

    private OperatorTable() {
    }

    /** The kinds of values that attributes have. */
    enum AttributeKind {
        INT, INTS, FLOAT, FLOATS, STRING, TENSOR;

        /** The kind of a value as {@link Node#attributes} has it. */
        static AttributeKind of(Object value) {
            if (value instanceof List<?> list) {
                return list.stream().allMatch(Long.class::isInstance) ? INTS : FLOATS;
            }
            return value instanceof Long ? INT : value instanceof Float ? FLOAT : value instanceof String ? STRING
                    : TENSOR;
        }
    }

    /**
     * One operand of an operator.
     *
     * @param letter operands of the same letter have the same type
     * @param types the element types that it may have
     * @param optional whether it may be left out
     */
    record Operand(char letter, Set<ElementType> types, boolean optional) {
    }

    /**
     * What an operator takes and gives in a range of operator sets.
     *
     * @param op the operator with its domain, as {@link Node#qualifiedOp} writes it
     * @param since the first operator set
     * @param until the last operator set
     * @param operands the operands in order
     * @param variadic whether the last operand may be repeated
     * @param maxOutputs the largest number of outputs; the smallest is 1
     * @param attributes the attributes by name
     * @param required the names of the attributes that must be there
     */
    record Signature(String op, long since, long until, List<Operand> operands, boolean variadic, int maxOutputs,
                     Map<String, AttributeKind> attributes, Set<String> required) {

        /**
         * Checks how many operands and outputs there are.
         *
         * @param where the node, for messages
         * @param given which operands are given, in order
         * @param outputs the number of outputs
         */
        void checkCounts(String where, List<Boolean> given, int outputs) {
            long fewest = operands.stream().filter(o -> !o.optional()).count();
            boolean complete = given.size() >= fewest && (variadic || given.size() <= operands.size());
            EmtalException.check(complete, "%s: found %d operands, allowed are %s", where, given.size(), variadic
                    ? fewest + " and more" : fewest == operands.size() ? fewest : fewest + " to " + operands.size());
            for (int i = 0; i < given.size(); i++) {
                EmtalException.check(given.get(i) || operand(i).optional(),
                        "%s: operand %d is left out, but it is needed", where, i);
            }
            EmtalException.check(outputs >= 1 && outputs <= maxOutputs, "%s: found %d outputs, allowed are %s", where,
                    outputs, maxOutputs == Integer.MAX_VALUE ? "1 and more" : maxOutputs == 1 ? 1 : "1 to "
                    + maxOutputs);
        }

        /**
         * Checks the element types of the operands.
         *
         * @param where the node, for messages
         * @param given the operands' types in order; {@code null} where one is left out
         */
        void checkTypes(String where, List<ElementType> given) {
            Map<Character, ElementType> bound = new HashMap<>();
            for (int i = 0; i < given.size(); i++) {
                ElementType type = given.get(i);
                if (type == null) {
                    continue;
                }
                Operand operand = operand(i);
                EmtalException.check(operand.types().contains(type), "%s: operand %d has type %s, allowed are %s",
                        where, i, type, operand.types());
                ElementType before = bound.putIfAbsent(operand.letter(), type);
                EmtalException.check(before == null || before == type,
                        "%s: operand %d has type %s, allowed is %s as for the operands before it", where, i, type,
                        before);
            }
        }

        /**
         * Checks which attributes there are.
         *
         * @param where the node, for messages
         * @param given the kinds of the attributes by name
         */
        void checkAttributes(String where, Map<String, AttributeKind> given) {
            given.forEach((name, kind) -> {
                AttributeKind allowed = attributes.get(name);
                EmtalException.check(allowed != null, "%s: found attribute %s, allowed are %s", where, Quoted.of(name),
                        attributes.keySet());
                EmtalException.check(allowed == kind, "%s: attribute '%s' is of kind %s, allowed is %s", where, name,
                        kind, allowed);
            });
            for (String name : required) {
                EmtalException.check(given.containsKey(name), "%s: attribute '%s' is missing", where, name);
            }
        }

        private Operand operand(int i) {
            return operands.get(Math.min(i, operands.size() - 1));
        }
    }

    /**
     * Finds what an operator takes and gives.
     *
     * @param qualifiedOp the operator with its domain, as {@link Node#qualifiedOp} writes it
     * @param version the operator set of its domain
     * @return its signature; empty if it is not known there
     */
    static Optional<Signature> find(String qualifiedOp, long version) {
        return SIGNATURES.getOrDefault(qualifiedOp, List.of()).stream()
                .filter(s -> s.since() <= version && version <= s.until()).findFirst();
    }

    /** The operators that are known, with their domain, sorted. */
    static Set<String> operators() {
        return Collections.unmodifiableSet(SIGNATURES.keySet());
    }

    private static Signature parse(String line) {
        String[] cells = line.strip().split("\\s*\\|\\s*", -1);
        String[] versions = cells[1].split("-", -1);
        long until = versions.length == 1 ? Long.parseLong(versions[0])
                : versions[1].isEmpty() ? OnnxFile.NEWEST_OPSET : Long.parseLong(versions[1]);
        Set<ElementType> own = cells[2].equals("real") ? REAL : cells[2].equals("number") ? NUMBER : ANY;
        List<Operand> operands = words(cells[3]).stream().map(word -> operand(word, own)).toList();
        int outputs = cells[4].equals("1+") ? Integer.MAX_VALUE
                : Integer.parseInt(cells[4].substring(cells[4].indexOf('-') + 1));
        Map<String, AttributeKind> attributes = new LinkedHashMap<>();
        Set<String> required = new HashSet<>();
        for (String word : words(cells[5])) {
            String[] parts = word.replace("!", "").split(":");
            attributes.put(parts[0], AttributeKind.valueOf(parts[1].toUpperCase(Locale.ROOT)));
            if (word.endsWith("!")) {
                required.add(parts[0]);
            }
        }
        return new Signature(cells[0], Long.parseLong(versions[0]), until, operands, cells[3].endsWith("+"), outputs,
                Collections.unmodifiableMap(attributes), Set.copyOf(required));
    }

    private static Operand operand(String word, Set<ElementType> own) {
        Set<ElementType> types = switch (word.charAt(0)) {
            case 'T' -> own;
            case 'I' -> EnumSet.of(ElementType.INT64);
            case 'J' -> EnumSet.of(ElementType.INT32, ElementType.INT64);
            case 'B' -> EnumSet.of(ElementType.BOOL);
            case 'U' -> NUMBER;
            default -> throw new IllegalStateException("operand " + word);
        };
        return new Operand(word.charAt(0), types, word.endsWith("?"));
    }

    private static List<String> words(String cell) {
        return cell.isEmpty() ? List.of() : Arrays.asList(cell.split("\\s+"));
    }
}
