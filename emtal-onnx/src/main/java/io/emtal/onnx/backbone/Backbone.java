package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A transformer encoder as an ONNX graph, with what is known of its structure.
 *
 * @param graph one input with an open batch, one output: the pooled representation [batch, D], or [batch, M, D] of an
 *     ensemble of M members that learn apart and predict by their mean, weighted where kinds of tasks are mixed
 * @param blocks the transformer blocks, first to last
 * @param frozen names of the floating-point initialisers that are never trained, such as statistics of the input
 * @param learnsMissing whether missing input values (not-a-number) have learned vectors, so that training may drop some
 * @param description what was found in a file; empty for a fresh backbone
 * @param imported the model of that file, which a training gives back; empty for a fresh backbone
 * @param linearErrors of tasks by name the root mean squared error of a linear map of the encoded columns on training rows
 *     that it was not fitted to, relative to their deviation: 0 for what is linear without noise, about 1 for what is
 *     unrelated; of those that were asked
 * @param perMember names of all initialisers that have an entry for each member, along their first axis [M, ...]: with
 *     some of the entries the graph computes those members alone; empty where members cannot be chosen
 */
public record Backbone(Graph graph, List<Block> blocks, Set<String> frozen, boolean learnsMissing,
                       Optional<BackboneDescription> description, Optional<ImportedModel> imported,
                       Map<String, Double> linearErrors, Set<String> perMember) {

    /** Checks the graph's signature, and that what is trained can be written into the imported model. */
    public Backbone {
        blocks = List.copyOf(blocks);
        frozen = Set.copyOf(frozen);
        linearErrors = Map.copyOf(linearErrors);
        linearErrors.forEach((task, error) -> EmtalException.check(Double.isFinite(error) && error >= 0,
                "backbone, task '%s': found linear error %s, allowed is a finite number of at least 0", task, error));
        EmtalException.check(graph.inputs().size() == 1 && graph.outputs().size() == 1,
                "backbone: found %d inputs and %d outputs, allowed is one of each", graph.inputs().size(),
                graph.outputs().size());
        int rank = graph.outputs().get(0).rank();
        EmtalException.check((rank == 2 || rank == 3) && graph.outputs().get(0).extent(0) == Shape.BATCH,
                "backbone: found an output of shape %s, allowed are [batch, D] and, with M members, [batch, M, D]",
                graph.outputs().get(0).shape());
        perMember = Set.copyOf(perMember);
        int members = rank == 2 ? 1 : (int) graph.outputs().get(0).extent(1);
        perMember.forEach(name -> {
            Tensor found = graph.initializers().get(name);
            EmtalException.check(found != null && found.shape().rank() > 0 && found.shape().extent(0) == members,
                    "backbone, initialiser '%s': found %s, allowed is one whose first axis has the %d members", name,
                    found == null ? "none" : found.shape(), members);
        });
        if (imported.isPresent()) {
            imported.get().check(graph, frozen);
        }
    }

    /**
     * A backbone of whose tasks nothing is known.
     *
     * @param graph one input with an open batch, one output: the pooled representation [batch, D]
     * @param blocks the transformer blocks, first to last
     * @param frozen names of the floating-point initialisers that are never trained
     * @param learnsMissing whether missing input values have learned vectors
     * @param description what was found in a file; empty for a fresh backbone
     * @param imported the model of that file; empty for a fresh backbone
     */
    public Backbone(Graph graph, List<Block> blocks, Set<String> frozen, boolean learnsMissing,
                    Optional<BackboneDescription> description, Optional<ImportedModel> imported) {
        this(graph, blocks, frozen, learnsMissing, description, imported, Map.of(), Set.of());
    }

    /**
     * A backbone that is made here.
     *
     * @param graph one input with an open batch, one output: the pooled representation [batch, D]
     * @param blocks the transformer blocks, first to last
     * @param frozen names of the floating-point initialisers that are never trained
     * @param learnsMissing whether missing input values have learned vectors
     */
    public Backbone(Graph graph, List<Block> blocks, Set<String> frozen, boolean learnsMissing) {
        this(graph, blocks, frozen, learnsMissing, Optional.empty(), Optional.empty());
    }

    /**
     * A backbone that learns nothing of missing input values.
     *
     * @param graph one input with an open batch, one output: the pooled representation [batch, D]
     * @param blocks the transformer blocks, first to last
     * @param frozen names of the floating-point initialisers that are never trained
     */
    public Backbone(Graph graph, List<Block> blocks, Set<String> frozen) {
        this(graph, blocks, frozen, false);
    }

    /**
     * The input.
     *
     * @return a value whose first extent is the batch
     */
    public Value input() {
        return graph.inputs().get(0);
    }

    /**
     * The number of elements of one example.
     *
     * @return the product of the input's extents without the batch
     */
    public int inputWidth() {
        return input().shape().withBatch(1).size();
    }

    /**
     * The width of the pooled representation, which heads read.
     *
     * @return D
     */
    public int pooledWidth() {
        return (int) graph.outputs().get(0).extent(-1);
    }

    /**
     * The number of members that learn apart and predict by their mean.
     *
     * @return M; 1 unless the backbone is an ensemble
     */
    public int members() {
        return graph.outputs().get(0).rank() == 2 ? 1 : (int) graph.outputs().get(0).extent(1);
    }

    /**
     * All linear layers of all blocks.
     *
     * @return in the order of the computation
     */
    public Stream<LinearLayer> layers() {
        return blocks.stream().flatMap(Block::layers);
    }

    /**
     * The number of trained weights: floating-point initialisers without the frozen ones.
     *
     * @return their elements
     */
    public long weightCount() {
        return graph.initializers().entrySet().stream()
                .filter(e -> e.getValue().type() == ElementType.FLOAT && !frozen.contains(e.getKey()))
                .mapToLong(e -> e.getValue().shape().size()).sum();
    }

    /**
     * What was found in the file that this backbone comes from.
     *
     * @return the description
     * @throws EmtalException if it is fresh
     */
    public BackboneDescription describe() {
        return description.orElseThrow(() -> new EmtalException("backbone: found a fresh one, allowed is a file's"));
    }

    /**
     * This backbone with smaller weights in the linear layers of its blocks; biases, norms and embeddings stay.
     *
     * @param factor what the weights are multiplied by
     * @return the new backbone
     */
    public Backbone shrunk(double factor) {
        Map<String, Tensor> changed = new HashMap<>();
        layers().map(LinearLayer::weight).forEach(name -> changed.computeIfAbsent(name, n -> {
            Tensor weight = graph.initializers().get(n);
            float[] elements = weight.floats().clone();
            for (int i = 0; i < elements.length; i++) {
                elements[i] *= (float) factor;
            }
            return new Tensor(weight.type(), weight.shape(), elements);
        }));
        return withInitializers(changed);
    }

    /**
     * This backbone with other weights.
     *
     * @param changed new initialisers by name
     * @return the new backbone
     */
    public Backbone withInitializers(Map<String, Tensor> changed) {
        return new Backbone(graph.withInitializers(changed), blocks, frozen, learnsMissing, description, imported,
                linearErrors, perMember);
    }

    /** This backbone with what a linear map leaves of tasks. */
    Backbone withLinearErrors(Map<String, Double> errors) {
        return new Backbone(graph, blocks, frozen, learnsMissing, description, imported, errors, perMember);
    }
}
