package io.emtal.samples.shapes;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.adapt.HeadsOnly;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.train.CosineSchedule;
import io.emtal.onnx.train.Recipe;
import io.emtal.samples.output.WholeFile;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.image.ImageTable;
import io.emtal.tribuo.output.MultiLabelTasks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tribuo.MutableDataset;
import org.tribuo.multilabel.MultiLabel;

/** A small vision transformer in an ONNX file, in the place of one that others have trained and exported. */
public final class ShapeTransformer {
    private static final String DOMAIN = "io.emtal.samples";
    private static final String INPUT = "pixel_values";
    /** What the heads read, in the network of a fresh backbone. */
    private static final String OUTPUT = "pooled";
    private static final int PATCH = 8;
    private static final int CHANNELS = 3;

    private ShapeTransformer() {
    }

    /**
     * Trains a transformer of two blocks and writes it as others export feature extractors: input
     * [batch, 3, side, side], output [batch, width], no heads.
     *
     * @param file where to
     * @param table a table of images
     * @param side pixels per row and column that the transformer reads, a multiple of 8
     * @param width the width of its tokens, a multiple of 4
     * @param epochs epochs of training
     * @throws io.emtal.onnx.EmtalException if that fails
     */
    public static void write(Path file, Path table, int side, int width, int epochs) {
        EmtalTrainer<MultiLabel> trainer = EmtalTrainer.<MultiLabel>builder()
                .backbone(VisionTransformer.builder().image(side, side, CHANNELS).patch(PATCH).width(width).depth(2)
                        .heads(4).hidden(2 * width).build())
                .method(new HeadsOnly())
                .recipe(Recipe.builder().pretrainEpochs(epochs).epochs(1).batchSize(32).dropout(0)
                        .pretrainSchedule(new CosineSchedule(2e-3, 2e-3, 0.02))
                        .schedule(new CosineSchedule(3e-3, 3e-5, 0.1)).build())
                .outputs(MultiLabelTasks.separatedBy(ImageTable.SEPARATOR))
                .build();
        ImageTable images = ImageTable.of(table);
        try (EmtalModel<MultiLabel> model = trainer.train(new MutableDataset<>(images))) {
            byte[] bytes = encoder(model.exportONNXModel(DOMAIN, 1), side, width).toByteArray();
            WholeFile.write(file, to -> Files.write(to, bytes));
        }
    }

    /** The network in front of the heads. Its input is of planes; the model's has a pixel's channels side by side. */
    private static OnnxMl.ModelProto encoder(OnnxMl.ModelProto model, int side, int width) {
        OnnxMl.GraphProto graph = model.getGraph();
        Map<String, OnnxMl.NodeProto> makers = new HashMap<>();
        graph.getNodeList().forEach(node -> node.getOutputList().forEach(value -> makers.put(value, node)));
        Set<OnnxMl.NodeProto> needed = new HashSet<>();
        Deque<String> values = new ArrayDeque<>(List.of(OUTPUT));
        while (!values.isEmpty()) {
            OnnxMl.NodeProto maker = makers.get(values.pop());
            if (maker != null && needed.add(maker)) {
                values.addAll(maker.getInputList());
            }
        }
        OnnxMl.AttributeProto lastChannels = OnnxMl.AttributeProto.newBuilder().setName("perm")
                .setType(OnnxMl.AttributeProto.AttributeType.INTS).addAllInts(List.of(0L, 2L, 3L, 1L)).build();
        OnnxMl.GraphProto.Builder encoder = OnnxMl.GraphProto.newBuilder().setName("encoder")
                .addInput(value(INPUT, CHANNELS, side, side)).addOutput(value(OUTPUT, width))
                .addNode(OnnxMl.NodeProto.newBuilder().setOpType("Transpose").addInput(INPUT).addOutput("pixels")
                        .addAttribute(lastChannels))
                .addNode(OnnxMl.NodeProto.newBuilder().setOpType("Flatten").addInput("pixels")
                        .addOutput(graph.getInput(0).getName()));
        graph.getNodeList().stream().filter(needed::contains).forEach(encoder::addNode);
        graph.getInitializerList().stream().filter(tensor -> needed.stream()
                .anyMatch(node -> node.getInputList().contains(tensor.getName()))).forEach(encoder::addInitializer);
        return model.toBuilder().setGraph(encoder).clearMetadataProps().addAllMetadataProps(model.getMetadataPropsList()
                .stream().filter(entry -> entry.getKey().startsWith("image_")).toList()).build();
    }

    private static OnnxMl.ValueInfoProto value(String name, int... extents) {
        OnnxMl.TensorShapeProto.Builder shape = OnnxMl.TensorShapeProto.newBuilder();
        shape.addDimBuilder().setDimParam("batch");
        for (int extent : extents) {
            shape.addDimBuilder().setDimValue(extent);
        }
        OnnxMl.ValueInfoProto.Builder value = OnnxMl.ValueInfoProto.newBuilder().setName(name);
        value.getTypeBuilder().getTensorTypeBuilder().setElemType(OnnxMl.TensorProto.DataType.FLOAT.getNumber())
                .setShape(shape);
        return value.build();
    }
}
