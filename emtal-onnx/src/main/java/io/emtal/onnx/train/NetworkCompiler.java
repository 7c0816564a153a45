package io.emtal.onnx.train;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.adapt.Adaptation;
import io.emtal.onnx.adapt.Site;
import io.emtal.onnx.autodiff.ExecutionOrder;
import io.emtal.onnx.autodiff.Gradients;
import io.emtal.onnx.autodiff.Lowering;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Narrowing;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.QualityRetaining;
import io.emtal.onnx.task.TaskLayout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Compiles a backbone, its adaptation, heads and losses to graphs for a fixed number of rows. Parameters are inputs of
 * the graphs, everything frozen is a constant.
 *
 * @param backbone the backbone
 * @param adaptation its adaptation
 * @param heads the heads
 * @param headParameters the heads' parameters with their first values
 * @param tasks the tasks and their columns
 * @param losses the tasks' losses
 * @param qualityRetaining the distillation of earlier logits
 */
record NetworkCompiler(Backbone backbone, Adaptation adaptation, Heads heads, List<Parameter> headParameters,
                       TaskLayout tasks, Losses losses, QualityRetaining qualityRetaining) {

    // An imported backbone has values of any name.
    /** [rows, C], of an ensemble [rows, M, C]. */
    static final String TARGETS = "emtal/targets";
    static final String WEIGHTS = "emtal/weights";
    static final String TEACHER = "emtal/teacher";
    static final String TEACHER_WEIGHT = "emtal/teacherWeight";
    static final String FADE = "emtal/fade";
    /** What each row counts in a mean over the batch; 0 for padding. */
    static final String SHARES = "emtal/shares";
    static final String LOGITS = "emtal/logits";
    /** What each row counts for each member of an ensemble [rows, M], for all tasks alike; a row's sum is 1. */
    static final String BAGS = "emtal/bags";
    /** Which members of an ensemble are computed [k], where not all are. */
    static final String MEMBERS = "emtal/members";
    /** All heads' parameters, one behind the other, in a step of more than {@value #SEPARATE_HEADS} tasks. */
    static final String HEADS = "emtal/heads";
    /** ONNX Runtime takes several microseconds for every tensor that is fed or fetched. */
    private static final int SEPARATE_HEADS = 8;
    /** The prefix of the inputs that drop channels, [rows, 1, .., channels]. */
    static final String DROPOUT = "dropout/";
    private static final String GRADIENT = "gradient/";
    private static final String REPORT = "report/";

    /** The same training of another backbone, which has the same layers or the upper ones of them. */
    NetworkCompiler withBackbone(Backbone other) {
        return new NetworkCompiler(other, adaptation, heads, headParameters, tasks, losses, qualityRetaining);
    }

    /** Everything that is trained: the adaptation's parameters, then the heads'. */
    List<Parameter> parameters() {
        List<Parameter> all = new ArrayList<>(adaptation.parameters());
        all.addAll(headParameters);
        return all;
    }

    /** The elements that one row has in the backbone's widest value. */
    long widestRow() {
        return RowsAtATime.widestRow(backbone.graph());
    }

    /** The rows that {@link #forward(int)} is best made for. */
    int forwardRows() {
        return RowsAtATime.forward(backbone.graph());
    }

    /**
     * The rows that {@link #forwardApart} is best made for.
     *
     * @param some how many members are computed
     * @param rows how many rows are computed one after the other
     */
    int forwardRows(int some, int rows) {
        return RowsAtATime.even(widestRow() * some / heads.members(), rows);
    }

    /** Whether some members of an ensemble can be computed without the others. */
    boolean choosesMembers() {
        return !backbone.perMember().isEmpty();
    }

    /** The name of the output that holds a parameter's gradient. */
    static String gradientName(String parameter) {
        return GRADIENT + parameter;
    }

    /** The name of the output that holds a report. */
    static String reportName(String report) {
        return REPORT + report;
    }

    /**
     * A graph for logits alone, at a = 1.
     *
     * @param rows the number of rows
     */
    Graph forward(int rows) {
        return forward(rows, false);
    }

    /**
     * A graph for logits alone.
     *
     * @param rows the number of rows
     * @param gated whether the fade is an input; without it, a = 1
     */
    Graph forward(int rows, boolean gated) {
        Writer writer = new Writer(rows, gated, false, false, heads.members());
        writer.builder.output(LOGITS, writer.logits);
        return writer.builder.build();
    }

    /**
     * A graph for the logits of members of an ensemble [rows, k·C], at a = 1, member after member.
     *
     * @param rows the number of rows
     * @param some the number k of members that {@link #MEMBERS} chooses, or all of them, without that input
     */
    Graph forwardApart(int rows, int some) {
        Writer writer = new Writer(rows, false, false, false, some);
        writer.builder.output(LOGITS, writer.builder.reshape(writer.builder.transpose(writer.memberLogits, 1, 0, 2), rows,
                (long) some * tasks.columns()));
        return writer.builder.build();
    }

    /**
     * A graph for logits, reports and gradients of the loss.
     *
     * @param rows the number of rows
     * @param gated whether the fade is an input; without it, a = 1
     * @param dropout whether channels are dropped
     */
    Step step(int rows, boolean gated, boolean dropout) {
        Writer writer = new Writer(rows, gated, dropout, tasks.size() > SEPARATE_HEADS, heads.members());
        GraphBuilder graph = writer.builder;
        int columns = tasks.columns();
        Value targets = writer.memberLogits == null ? graph.input(TARGETS, ElementType.FLOAT, rows, columns)
                : graph.input(TARGETS, ElementType.FLOAT, rows, heads.members(), columns);
        Value weights = graph.input(WEIGHTS, ElementType.FLOAT, rows, columns);
        Value loss = writer.memberLogits == null ? losses.loss(graph, tasks, writer.logits, targets, weights)
                : memberLoss(writer, targets, weights);
        if (writer.extraLoss != null) {
            Value shares = graph.input(SHARES, ElementType.FLOAT, rows);
            loss = graph.add(loss, graph.reduceSum(graph.mul(writer.extraLoss, shares), false));
        }
        if (qualityRetaining.appliesTo(tasks)) {
            Value teacher = graph.input(TEACHER, ElementType.FLOAT, rows, columns);
            Value teacherWeight = graph.input(TEACHER_WEIGHT, ElementType.FLOAT, rows, columns);
            loss = graph.add(loss, qualityRetaining.loss(graph, tasks, writer.logits, teacher, teacherWeight));
        }
        List<Parameter> trained = parameters().stream().filter(p -> writer.parameters.containsKey(p.name())
                || writer.flatHeads != null && p.part().equals(Heads.PART)).toList();
        List<Value> wrt = new ArrayList<>();
        trained.stream().map(p -> writer.parameters.get(p.name())).filter(Objects::nonNull).forEach(wrt::add);
        if (writer.flatHeads != null) {
            wrt.add(writer.flatHeads);
        }
        List<Value> gradients = Gradients.of(graph, loss, wrt);
        graph.output(LOGITS, writer.logits);
        writer.reports.forEach((name, value) -> graph.output(REPORT + name, value));
        for (int i = 0; i < wrt.size(); i++) {
            graph.output(gradientName(wrt.get(i).name()), gradients.get(i));
        }
        return new Step(ExecutionOrder.of(graph.build()), trained);
    }

    /**
     * The loss of every member on the rows of its bag, as if the members' rows were so many rows of one network, times
     * what the member counts for each task. Where the parts that rows are in do not divide the members for a kind of
     * tasks evenly, rows of some parts count a little more for it than those of others.
     */
    private Value memberLoss(Writer writer, Value targets, Value weights) {
        GraphBuilder graph = writer.builder;
        int members = heads.members();
        int columns = tasks.columns();
        long rows = targets.extent(0);
        Value bags = graph.input(BAGS, ElementType.FLOAT, rows, members);
        Value counts = graph.unsqueeze(graph.transpose(bags, 1, 0), 2);
        Value ownWeights = heads.memberWeights().times(graph, graph.mul(graph.unsqueeze(weights, 0), counts));
        Value ownTargets = graph.transpose(targets, 1, 0, 2);
        return losses.loss(graph, tasks, graph.reshape(writer.memberLogits, members * rows, columns),
                graph.reshape(ownTargets, members * rows, columns), graph.reshape(ownWeights, members * rows, columns));
    }

    /**
     * A step's graph.
     *
     * @param graph gives logits, reports and gradients
     * @param trained the parameters that it has gradients for, in order: without gates, none of the router's
     */
    record Step(Graph graph, List<Parameter> trained) {
    }

    /**
     * A dense backbone with heads as a model: the imported one where there is one, else the backbone's graph, for any
     * number of rows.
     *
     * @param backbone the backbone
     * @param heads the heads
     * @param values the heads' parameters by name
     * @param result the name of the output
     * @param natural whether the output is in natural units (probabilities, the targets' own units) instead of logits
     */
    static OnnxMl.ModelProto dense(Backbone backbone, Heads heads, Map<String, Tensor> values, String result,
                                   boolean natural) {
        BiFunction<GraphBuilder, Value, Value> output = (graph, pooled) -> {
            Value logits = heads.logits(graph, pooled, name -> graph.initializer(name, values.get(name)));
            return natural ? heads.outputs(graph, logits) : logits;
        };
        if (backbone.imported().isPresent()) {
            return backbone.imported().get().model(backbone.graph(), result, output);
        }
        GraphBuilder graph = new GraphBuilder();
        Value input = graph.input(backbone.input().name(), ElementType.FLOAT, backbone.input().shape().extents());
        Value pooled = graph.inline(backbone.graph(), Map.of(input.name(), input), GraphBuilder.Replacement.NONE)
                .apply(backbone.graph().outputs().get(0));
        graph.output(result, output.apply(graph, pooled));
        return OnnxFile.toModel(graph.build(), "emtal");
    }

    /** Copies the backbone for a fixed number of rows, layer by layer through the adaptation. */
    private final class Writer implements Site {

        private final GraphBuilder builder = new GraphBuilder();
        private final Map<String, Parameter> declared = new HashMap<>();
        private final Map<String, Value> parameters = new HashMap<>();
        private final Map<String, Value> constants = new HashMap<>();
        private final Map<String, Value> reports = new LinkedHashMap<>();
        private final Map<String, Value> layerInputs = new HashMap<>();
        private final Map<String, Tensor> rearranged = adaptation.rearranged();
        private final Value fade;
        /** What {@link #MEMBERS} feeds; {@code null} where all members are computed. */
        private final Value members;
        /** {@code null} where some members are computed. */
        private final Value logits;
        /** What {@link #HEADS} feeds; {@code null} where heads are fed apart. */
        private final Value flatHeads;
        /** [M, rows, C], or [k, rows, C] of some members; {@code null} without an ensemble. */
        private final Value memberLogits;
        private Value extraLoss;

        private Writer(int rows, boolean gated, boolean dropout, boolean flat, int some) {
            Graph graph = Narrowing.of(backbone.graph(), wholeLayers());
            builder.reserve(graph);
            Value input = builder.input(backbone.input().name(), ElementType.FLOAT,
                    backbone.input().shape().withBatch(rows).extents());
            fade = gated ? builder.input(FADE, ElementType.FLOAT) : null;
            members = some == heads.members() ? null : builder.input(MEMBERS, ElementType.INT64, some);
            NetworkCompiler.this.parameters().forEach(p -> declared.put(p.name(), p));
            Map<String, Value> bindings = new HashMap<>();
            bindings.put(input.name(), input);
            graph.initializers().keySet().stream().filter(declared::containsKey)
                    .forEach(name -> bindings.put(name, parameter(name)));
            graph.initializers().forEach((name, tensor) -> {
                if (members != null && backbone.perMember().contains(name)) {
                    Value all = declared.containsKey(name) ? parameter(name) : builder.initializer(name, tensor);
                    bindings.put(name, ofMembers(all));
                }
            });
            Map<String, LinearLayer> products = new HashMap<>();
            Map<String, LinearLayer> results = new HashMap<>();
            backbone.layers().forEach(layer -> {
                products.put(layer.product(), layer);
                results.put(layer.result(), layer);
            });
            Lowering lowering = new Lowering(builder, graph);
            Function<Value, Value> lookUp = builder.inline(graph, bindings, (node, here) -> {
                if (products.containsKey(node.output().name())) {
                    layerInputs.put(node.output().name(), here.apply(activation(node, graph)));
                }
                LinearLayer layer = results.get(node.output().name());
                if (layer == null) {
                    return lowering.replace(node, here);
                }
                Value x = layerInputs.get(layer.product());
                boolean inner = layer.role() == LinearLayer.Role.FC2 || layer.role() == LinearLayer.Role.ATTENTION_OUTPUT;
                boolean dropped = dropout && inner && adaptation.trains(layer);
                return adaptation.linear(this, layer, dropped ? builder.mul(x, builder.input(
                        DROPOUT + layer.name(), ElementType.FLOAT, perChannel(x.shape()))) : x);
            });
            Value pooled = lookUp.apply(graph.outputs().get(0));
            flatHeads = flat ? builder.input(HEADS, ElementType.FLOAT,
                    headParameters.stream().mapToLong(Parameter::size).sum()) : null;
            Heads.Weights weights = flatHeads == null ? heads.weights(builder, this::parameter)
                    : heads.weights(builder, flatHeads);
            memberLogits = heads.members() == 1 ? null : heads.memberLogits(builder, pooled,
                    new Heads.Weights(ofMembers(weights.weight()), ofMembers(weights.bias())));
            logits = memberLogits == null ? heads.logits(builder, pooled, weights)
                    : members == null ? heads.mean(builder, memberLogits) : null;
        }

        /** Of something that every member has [M, ...], what those have that are computed. */
        private Value ofMembers(Value all) {
            return members == null ? all : builder.apply("Gather", Map.of("axis", 0L), all, members);
        }

        /** The results of layers that have to see all tokens: what is written for them reads their whole input. */
        private Set<String> wholeLayers() {
            Map<String, Tensor> initializers = backbone.graph().initializers();
            // A file may have a bias for every token. Of layers below a frozen prefix nothing is left.
            return backbone.layers().filter(layer -> !adaptation.tokenwise(layer) || layer.bias().map(initializers::get)
                    .filter(bias -> bias.shape().size() > layer.out()).isPresent())
                    .map(LinearLayer::result).collect(Collectors.toSet());
        }

        /** The shape of what is equal for all tokens of a row. */
        private static long[] perChannel(Shape shape) {
            long[] extents = shape.extents();
            Arrays.fill(extents, 1, extents.length - 1, 1);
            return extents;
        }

        /** The operand of a layer's product that is not its weight. */
        private static Value activation(Node product, Graph graph) {
            return graph.initializers().containsKey(product.input(0).name()) ? product.input(1) : product.input(0);
        }

        @Override
        public GraphBuilder graph() {
            return builder;
        }

        @Override
        public Value parameter(String name) {
            return parameters.computeIfAbsent(name, n -> builder.input(n, ElementType.FLOAT,
                    declared.get(n).initial().shape().extents()));
        }

        @Override
        public Value fade() {
            return fade;
        }

        @Override
        public void report(String name, Value value) {
            reports.put(name, value);
        }

        @Override
        public void loss(Value perRow) {
            extraLoss = extraLoss == null ? perRow : builder.add(extraLoss, perRow);
        }

        @Override
        public Value dense(LinearLayer layer, Value input) {
            Value weight = weight(layer.weight());
            Value product = layer.transposed() ? builder.matMul(input, false, weight, true, 1) : builder.matMul(input, weight);
            return layer.bias().map(bias -> builder.add(product, weight(bias))).orElse(product);
        }

        @Override
        public Value dense(LinearLayer layer, Value input, Value update) {
            Value weight = weight(layer.weight());
            Value product = layer.transposed()
                    ? builder.matMul(input, false, builder.add(weight, builder.transpose(update, 1, 0)), true, 1)
                    : builder.matMul(input, builder.add(weight, update));
            return layer.bias().map(bias -> builder.add(product, weight(bias))).orElse(product);
        }

        private Value weight(String name) {
            if (declared.containsKey(name)) {
                return parameter(name);
            }
            return constants.computeIfAbsent(name, n -> builder.initializer("frozen/" + n,
                    rearranged.getOrDefault(n, backbone.graph().initializers().get(n))));
        }
    }
}
