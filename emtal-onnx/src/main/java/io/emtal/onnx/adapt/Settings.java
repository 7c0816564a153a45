package io.emtal.onnx.adapt;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Block;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;

/** Checks of configured values: configuration and builders report the same mistake, each with its own exception. */
final class Settings {

    private Settings() {
    }

    /** Throws a {@link PropertyException} unless a condition on a property's value holds. */
    static void check(boolean condition, String property, Object found, String allowed, Object... arguments) {
        if (!condition) {
            throw new PropertyException("", property, "found " + found + ", allowed is "
                    + String.format(Locale.ROOT, allowed, arguments));
        }
    }

    /** Checks the two settings of every low-rank update. */
    static void checkLowRank(int rank, double alpha) {
        check(rank >= 1, "rank", rank, "1 or more");
        check(alpha >= 0 && Double.isFinite(alpha), "alpha", alpha, "a number above 0, or 0 for alpha = rank");
    }

    /** Checks the number of adapted blocks as far as it goes without a backbone. */
    static void checkAdaptBlocks(int adaptBlocks) {
        check(adaptBlocks >= 0, "adaptBlocks", adaptBlocks, "1 or more, or 0 for all blocks");
    }

    /** Checks the learning rate of what is outside the layers. */
    static void checkEmbeddingRate(double rate) {
        check(rate >= 0 && rate <= 1, "embeddingRate", rate, "0 to 1");
    }

    /** The blocks that are adapted: the uppermost of a number, or all for 0. */
    static List<Block> adapted(List<Block> blocks, int adaptBlocks) {
        EmtalException.check(adaptBlocks <= blocks.size(), "adaptBlocks: found %d, allowed are 1 to %d, the backbone's"
                + " blocks, or 0 for all", adaptBlocks, blocks.size());
        return adaptBlocks == 0 ? blocks : blocks.subList(blocks.size() - adaptBlocks, blocks.size());
    }

    /** Finishes what a builder made, with an {@link EmtalException} for values that are not allowed. */
    static <C extends Configurable> C checked(C made) {
        try {
            made.postConfig();
            return made;
        } catch (PropertyException e) {
            throw new EmtalException(made.getClass().getSimpleName() + ": " + e.getProperty() + ": " + e.getMsg(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
