package io.emtal.samples.finetune;

import io.emtal.tribuo.image.ImageAugmentation;
import picocli.CommandLine.Option;

/** The options that say what is drawn anew of every training image in every epoch. */
final class AugmentationOptions {
    @Option(names = "--random-crop", paramLabel = "AREA", defaultValue = "0",
            description = "Train on a random region of an image in each epoch, of at least so much of its area, up to 1. "
                + "Default: 0, for the whole image.")
    private double minCropArea;

    @Option(names = "--flip", paramLabel = "X", defaultValue = "0",
            description = "The probability that a training image is mirrored left to right; not for digits or letters. "
                + "Default: ${DEFAULT-VALUE}.")
    private double horizontalFlip;

    @Option(names = "--colour-jitter", paramLabel = "X", defaultValue = "0",
            description = "Vary brightness, contrast and saturation of training images by factors of 1 ± X. "
                + "Default: ${DEFAULT-VALUE}.")
    private double colourJitter;

    /** Made by the command line. */
    private AugmentationOptions() {
    }

    /**
     * What the options say.
     *
     * @throws io.emtal.onnx.EmtalException if a number is out of its range
     */
    ImageAugmentation augmentation() {
        return ImageAugmentation.builder().randomResizedCrop(minCropArea).horizontalFlip(horizontalFlip)
                .colourJitter(colourJitter, colourJitter, colourJitter).build();
    }
}
