package io.emtal.onnx.backbone;

import java.util.List;
import java.util.stream.Stream;

/**
 * A transformer block: attention, then a feed-forward network.
 *
 * @param index its position, from 0
 * @param attentionInputs the joint query-key-value layer, or the three separate ones
 * @param attentionOutput the output projection
 * @param fc1 the first layer of the feed-forward network
 * @param fc2 its second layer
 */
public record Block(int index, List<LinearLayer> attentionInputs, LinearLayer attentionOutput, LinearLayer fc1,
                    LinearLayer fc2) {

    /** Makes the block immutable. */
    public Block {
        attentionInputs = List.copyOf(attentionInputs);
    }

    /**
     * All linear layers.
     *
     * @return in the order of the computation
     */
    public Stream<LinearLayer> layers() {
        return Stream.concat(attentionInputs.stream(), Stream.of(attentionOutput, fc1, fc2));
    }

    /**
     * The width of the feed-forward network.
     *
     * @return H
     */
    public int hiddenWidth() {
        return fc1.out();
    }
}
