package io.emtal.tribuo;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.BackboneSource;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.ImageInput;
import io.emtal.tribuo.image.ImageAugmentation;
import io.emtal.tribuo.image.ImageEncoder;
import io.emtal.tribuo.image.ImageExample;
import io.emtal.tribuo.image.ImagePreprocessing;
import io.emtal.tribuo.input.FeatureEncoder;
import io.emtal.tribuo.input.InputEncoder;
import io.emtal.tribuo.input.RowDataset;
import io.emtal.tribuo.output.EncodedOutputs;
import io.emtal.tribuo.protos.EmtalModelProto;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.Output;
import org.tribuo.dataset.DatasetView;

import java.util.List;

/** Chooses how examples become rows by what they carry. */
final class Inputs {

    private Inputs() {
    }

    /**
     * Chooses for a training.
     *
     * @param dataset the training data
     * @param training its examples
     * @param backbone says how images must lie in a row
     * @param preprocessing what becomes of images
     * @param augmentation how training images are varied
     * @return images if the first example carries one, else features
     * @throws EmtalException if only some examples carry images, or the backbone reads none
     */
    static <T extends Output<T>> InputEncoder of(Dataset<T> dataset, List<Example<T>> training, BackboneSource backbone,
                                                 ImagePreprocessing preprocessing, ImageAugmentation augmentation) {
        if (dataset instanceof RowDataset rows) {
            return rows.encoder();
        }
        boolean images = ImageExample.carriesImage(training.get(0));
        for (int row = 1; row < training.size(); row++) {
            EmtalException.check(ImageExample.carriesImage(training.get(row)) == images,
                    "row %d: found an example with%s image, allowed are examples like row 0, with%s", row,
                    images ? "out" : " an", images ? " one" : "out");
        }
        if (!images) {
            return FeatureEncoder.of(dataset.getFeatureIDMap(), training);
        }
        ImageInput wanted = backbone.images().orElseThrow(() -> new EmtalException("examples: found images, allowed are"
                + " features: " + backbone.getClass().getSimpleName() + " reads no images"));
        return ImageEncoder.of(wanted, preprocessing, augmentation);
    }

    /**
     * Reads the rows of a training.
     *
     * @param dataset the training data
     * @param training its examples
     * @param encoder how they become rows
     * @param outputs their labels
     * @return the data set's own rows if it has some
     */
    static <T extends Output<T>> Examples rows(Dataset<T> dataset, List<Example<T>> training, InputEncoder encoder,
                                               EncodedOutputs outputs) {
        if (dataset instanceof RowDataset rows) {
            return rows.rows(outputs);
        }
        Examples rows = encoder.rows(training, outputs);
        return dataset instanceof DatasetView<T> view ? new ViewRows(rows, view.getExampleIndices()) : rows;
    }

    /**
     * Reads what a model's protobuf holds.
     *
     * @param features the features and their ids
     * @param model the protobuf
     * @return the encoder
     * @throws EmtalException if there is none, or it contradicts the features
     */
    static InputEncoder of(ImmutableFeatureMap features, EmtalModelProto model) {
        return switch (model.getInputCase()) {
            case FEATURES -> FeatureEncoder.of(features, model.getFeatures());
            case IMAGES -> ImageEncoder.of(model.getImages());
            case INPUT_NOT_SET -> throw new EmtalException("model: found neither features nor images, allowed is one of"
                    + " the two");
        };
    }
}
