package io.emtal.onnx.train;

import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.task.Heads;

import java.util.List;
import java.util.Optional;

/**
 * What an adaptation starts from: a backbone with trained weights, the heads that it was trained with, and the rows, which
 * must stay open. Adapting it changes nothing in it, so several methods can start from the same. Thread-safe.
 */
public final class PretrainedNetwork {

    private final Recipe recipe;
    private final Backbone backbone;
    private final Heads heads;
    private final List<Parameter> headParameters;
    private final Examples rows;
    private final HeldOut heldOut;
    private final Seed seed;
    private final List<EpochRecord> history;
    private final int bestEpoch;
    private final Optional<Stop> stop;

    /** A backbone that was pre-trained already. */
    PretrainedNetwork(Recipe recipe, Backbone backbone, Heads heads, List<Parameter> headParameters, Examples rows,
                      HeldOut heldOut, Seed seed) {
        this(recipe, backbone, heads, headParameters, rows, heldOut, seed, List.of(), 0, Optional.empty());
    }

    PretrainedNetwork(Recipe recipe, Backbone backbone, Heads heads, List<Parameter> headParameters, Examples rows,
                      HeldOut heldOut, Seed seed, List<EpochRecord> history, int bestEpoch, Optional<Stop> stop) {
        this.recipe = recipe;
        this.backbone = backbone;
        this.heads = heads;
        this.headParameters = List.copyOf(headParameters);
        this.rows = rows;
        this.heldOut = heldOut;
        this.seed = seed;
        this.history = List.copyOf(history);
        this.bestEpoch = bestEpoch;
        this.stop = stop;
    }

    /**
     * The dense training so far.
     *
     * @return one record an epoch; none for a backbone that was pre-trained already
     */
    public List<EpochRecord> history() {
        return history;
    }

    /**
     * Where an interrupt stopped the dense training. Such a network is not adapted any more: it is the model.
     *
     * @return empty if the training has ended, or there was none
     */
    public Optional<Stop> stop() {
        return stop;
    }

    /** Whether the heads are trained, so that the network can predict. */
    boolean predicts() {
        return !history.isEmpty();
    }

    /** The epoch of the dense training whose weights these are. */
    int bestEpoch() {
        return bestEpoch;
    }

    Recipe recipe() {
        return recipe;
    }

    Backbone backbone() {
        return backbone;
    }

    Heads heads() {
        return heads;
    }

    /** The heads' parameters, with trained values where the backbone was trained here. */
    List<Parameter> headParameters() {
        return headParameters;
    }

    Examples rows() {
        return rows;
    }

    HeldOut heldOut() {
        return heldOut;
    }

    /** The seed of the whole training. */
    Seed seed() {
        return seed;
    }
}
