package io.emtal.onnx.train;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.task.TaskLayout;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The result of a training: a dense network and what is known of how it came about.
 *
 * @param model the predictor: the backbone with merged weights and the heads; input {@code input} [batch, …], output
 *     {@code output} [batch, C] with probabilities and numbers in the targets' own units, columns as in {@code tasks}.
 *     For an imported backbone it is the original model with these weights and heads; the input has the name and, where
 *     the original works for no other, the fixed batch that it has there
 * @param tasks the tasks and their columns
 * @param history one record an epoch
 * @param bestEpoch the epoch of the last phase whose weights were taken, 0 for what it started from
 * @param parameters how many parameters were trained and deployed
 * @param agreement the largest absolute difference of the logits between training graph (at a = 1) and dense network,
 *     over the rows that were compared
 * @param heldOutErrors one a task over the rows that test, or without such over those that choose epochs, each predicted
 *     by members that have not seen it: of a real task the root mean squared error in standard deviations, of others the
 *     loss, not-a-number without labels there; none without any of these rows
 * @param expertLoad the mean gate of every expert over the last routed epoch, by block, in the last block over the tokens
 *     that heads depend on; empty without a router
 * @param stop where an interrupt stopped the training, the weights being the best at a = 1 until then; empty if it ended
 */
public record TrainedNetwork(OnnxMl.ModelProto model, TaskLayout tasks, List<EpochRecord> history, int bestEpoch,
                             ParameterReport parameters, double agreement, double[] heldOutErrors,
                             Map<String, double[]> expertLoad, Optional<Stop> stop) {

    /** Makes the result immutable. */
    public TrainedNetwork {
        history = List.copyOf(history);
        expertLoad = Map.copyOf(expertLoad);
    }
}
