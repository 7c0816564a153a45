package io.emtal.onnx.backbone;

import java.util.List;
import java.util.stream.Stream;

/**
 * A transformer block: attention, if there is any, then a feed-forward network.
 *
 * @param index its position, from 0
 * @param attention the attention's linear layers in the order of the computation: the joint query-key-value layer, or
 *     the three separate ones, and the output projection; none in a block without attention
 * @param fc1 the first layer of the feed-forward network
 * @param fc2 its second layer
 */
public record Block(int index, List<LinearLayer> attention, LinearLayer fc1, LinearLayer fc2) {

    /** Makes the block immutable. */
    public Block {
        attention = List.copyOf(attention);
    }

    /**
     * All linear layers.
     *
     * @return in the order of the computation
     */
    public Stream<LinearLayer> layers() {
        return Stream.concat(attention.stream(), Stream.of(fc1, fc2));
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
