package io.emtal.tribuo.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.ByteString;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.Lora;
import io.emtal.onnx.backbone.OnnxBackbone;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.predict.DensePredictor;
import io.emtal.onnx.predict.Optimise;
import io.emtal.onnx.train.Recipe;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.SharedData;
import io.emtal.tribuo.output.MultiLabelTasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.multilabel.MultiLabel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A transformer of another's making, adapted to images of a table. */
class ImportedBackboneTest {

    private static final String MODEL = "vit-mnist-onnx/vit-mnist-opset17.onnx";
    private static final ImagePreprocessing MNIST = ImagePreprocessing.builder().mean(0.1307).deviation(0.3081).build();

    private static EmtalTrainer.Builder<MultiLabel> trainer(Path backbone) {
        return EmtalTrainer.<MultiLabel>builder().backbone(OnnxBackbone.of(backbone)).imagePreprocessing(MNIST)
                .method(Lora.builder().rank(1).build()).outputs(MultiLabelTasks.separatedBy(ImageTable.SEPARATOR))
                .recipe(Recipe.builder().epochs(4).batchSize(20).build());
    }

    /** The first images of a shared set, below its own folder. */
    private static Dataset<MultiLabel> first(String set, int count, Path folder, String... labels) throws IOException {
        Path index = SharedData.path("images/" + set + "/index.csv");
        List<String> lines = Files.readAllLines(index).subList(0, count + 1);
        for (String line : lines.subList(1, lines.size())) {
            Path image = Path.of(line.substring(0, line.indexOf(',')));
            Files.createDirectories(folder.resolve(image).getParent());
            Files.copy(index.resolveSibling(image), folder.resolve(image));
        }
        Path copy = Files.write(folder.resolve("index.csv"), lines);
        return new MutableDataset<>(ImageTable.builder(copy).labels(labels).build());
    }

    @Test
    void learnsFromImagesByReferenceAndExportsItsPreprocessing(@TempDir Path folder) throws IOException {
        Dataset<MultiLabel> digits = first("mnist", 200, folder, "digit", "odd");
        Path backbone = SharedData.path(MODEL);
        try (EmtalModel<MultiLabel> model = trainer(backbone).build().train(digits)) {
            List<Prediction<MultiLabel>> predictions = model.predict(digits);
            long right = predictions.stream().filter(p -> p.getOutput().getNameSet()
                    .equals(p.getExample().getOutput().getNameSet())).count();
            assertTrue(right >= 150, "right in both tasks: " + right);

            Path export = folder.resolve("export.onnx");
            model.saveONNXModel("test", 1, export);
            ImageInput hints = OnnxBackbone.of(export).images().orElseThrow();
            assertEquals(new ImageInput(28, 28, ImageInput.Channels.GREY, ImageInput.Layout.NCHW,
                    ImageInput.Interpolation.BILINEAR, 1, List.of(0.1307), List.of(0.3081)), hints);
            float[] row = new float[784];
            ImageEncoder encoder = ImageEncoder.of(hints, ImagePreprocessing.builder().build(),
                    ImageAugmentation.builder().build());
            encoder.encode("row 0", digits.getExample(0), row, 0);
            OnnxMl.ModelProto portable = model.exportONNXModel("test", 1);
            OnnxMl.ModelProto fused = model.exportONNXModel("test", 1, Optimise.FUSED);
            assertEquals(portable.getMetadataPropsList(), fused.getMetadataPropsList());
            assertTrue(fused.getGraph().getNodeList().stream().allMatch(node -> node.getDomain().isEmpty()));
            try (DensePredictor predictor = new DensePredictor(portable.toByteString(), 1);
                 DensePredictor fast = new DensePredictor(fused.toByteString(), 1)) {
                double[] scores = predictions.get(0).getOutputScores().values().stream()
                        .mapToDouble(s -> s.getLabelSet().iterator().next().getScore()).sorted().toArray();
                float[] columns = predictor.predict(row, 1);
                double[] found = new double[columns.length];
                for (int i = 0; i < found.length; i++) {
                    found[i] = columns[i];
                }
                Arrays.sort(found);
                assertArrayEquals(scores, found, 1e-6);
                float[] rows = new float[digits.size() * 784];
                for (int i = 0; i < digits.size(); i++) {
                    encoder.encode("row " + i, digits.getExample(i), rows, i * 784);
                }
                assertArrayEquals(predictor.predict(rows, digits.size()), fast.predict(rows, digits.size()), 1e-4f);
            }
        }
    }

    @Test
    void preprocessingThatNobodyStatesIsNotGuessed(@TempDir Path folder) throws IOException {
        Dataset<MultiLabel> digits = first("mnist", 20, folder, "odd");
        EmtalTrainer<MultiLabel> silent = trainer(SharedData.path(MODEL))
                .imagePreprocessing(ImagePreprocessing.builder().build()).build();
        String message = assertThrows(EmtalException.class, () -> silent.train(digits)).getMessage();
        assertTrue(message.contains("mean"), message);
    }

    /** Colour drawings for a network that reads blue first. */
    @Test
    void theOrderOfChannelsIsExported(@TempDir Path folder) throws IOException {
        Dataset<MultiLabel> images = first("emoji", 60, folder, "category");
        Path backbone = inColour(SharedData.path(MODEL), folder.resolve("colour.onnx"));
        try (EmtalModel<MultiLabel> model = trainer(backbone).imagePreprocessing(ImagePreprocessing.builder()
                .mean(0.1, 0.2, 0.3).deviation(0.4, 0.5, 0.6).channels(ImageInput.Channels.BGR).build())
                .recipe(Recipe.builder().epochs(1).batchSize(20).build()).build().train(images)) {
            Path export = folder.resolve("export.onnx");
            model.saveONNXModel("test", 1, export);
            assertEquals(new ImageInput(28, 28, ImageInput.Channels.BGR, ImageInput.Layout.NCHW,
                    ImageInput.Interpolation.BILINEAR, 1, List.of(0.1, 0.2, 0.3), List.of(0.4, 0.5, 0.6)),
                    OnnxBackbone.of(export).images().orElseThrow());
        }
    }

    /** The same network with the kernels of its only channel for each of three. */
    private static Path inColour(Path grey, Path file) throws IOException {
        OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(grey)).toBuilder();
        model.getGraphBuilder().getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder().getShapeBuilder()
                .getDimBuilder(1).setDimValue(3);
        OnnxMl.TensorProto.Builder kernels = model.getGraphBuilder().getInitializerBuilderList().stream()
                .filter(tensor -> tensor.getName().equals("to_patch_embedding.1.weight")).findFirst().orElseThrow();
        int bytes = 4 * 4 * Float.BYTES;
        ByteString repeated = ByteString.EMPTY;
        for (int start = 0; start < kernels.getRawData().size(); start += bytes) {
            ByteString kernel = kernels.getRawData().substring(start, start + bytes);
            repeated = repeated.concat(kernel).concat(kernel).concat(kernel);
        }
        kernels.setDims(1, 3).setRawData(repeated);
        return Files.write(file, model.build().toByteArray());
    }

    /** Colour drawings of 32 × 32 and black ones of 105 × 105 pixels for a network of grey ones of 28 × 28. */
    @Test
    void otherImagesAreFitted(@TempDir Path folder) throws IOException {
        for (String set : List.of("emoji:category", "omniglot:character")) {
            String[] parts = set.split(":");
            Path own = Files.createDirectory(folder.resolve(parts[0]));
            Dataset<MultiLabel> images = first(parts[0], 60, own, parts[1]);
            try (EmtalModel<MultiLabel> model = trainer(SharedData.path(MODEL))
                    .recipe(Recipe.builder().epochs(1).batchSize(20).build()).build().train(images)) {
                assertEquals(60, model.predict(images).size());
            }
        }
    }
}
