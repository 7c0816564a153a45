package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.ExporterVariant.Activation;
import io.emtal.onnx.backbone.ExporterVariant.Attention;
import io.emtal.onnx.backbone.ExporterVariant.Names;
import io.emtal.onnx.backbone.ExporterVariant.Pool;
import io.emtal.onnx.backbone.ExporterVariant.Qkv;
import io.emtal.onnx.backbone.ExporterVariant.Size;
import io.emtal.onnx.backbone.ExporterVariant.Stem;
import io.emtal.onnx.backbone.LinearLayer.Role;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.data.ImageInput.Channels;
import io.emtal.onnx.data.ImageInput.Interpolation;
import io.emtal.onnx.data.ImageInput.Layout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.OneTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Filter;
import java.util.logging.Logger;
import java.util.stream.Collectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a user may say of a file, and what is kept of it. */
class OnnxBackboneSettingsTest {

    private static final long SEED = 3;

    @TempDir
    private Path folder;

    private Path file(ExporterVariant.Trait... traits) throws IOException {
        return file(ExporterGraphs.write(ExporterVariant.of("settings", traits), SEED).model());
    }

    private Path file(ModelProto model) throws IOException {
        return Files.write(folder.resolve("model" + model.hashCode() + ".onnx"), model.toByteArray());
    }

    /** The names that a search finds, as a user could have written them. */
    @ParameterizedTest
    @ValueSource(strings = {"JOINT", "SEPARATE"})
    void namedLayersAreThoseThatAreFound(Qkv qkv) throws IOException {
        Path file = file(qkv, Activation.SILU);
        Backbone found = OnnxBackbone.of(file).read();
        OnnxBackbone.Builder builder = OnnxBackbone.builder(file);
        found.layers().collect(Collectors.groupingBy(LinearLayer::role)).forEach((role, layers) -> builder.target(role,
                layers.stream().map(l -> l.weight().replace(".", "\\.")).collect(Collectors.joining("|"))));
        Backbone named = builder.build().read();
        assertEquals(found.blocks(), named.blocks());
        assertEquals(found.graph(), named.graph());
        List<String> lines = named.describe().toString().lines().toList();
        assertTrue(lines.containsAll(List.of("blocks: 2", "activation: SiLU", "heads: unknown", "norm: unknown")),
                lines.toString());
    }

    @Test
    void incompleteBlocksAreRefused() throws IOException {
        Path file = file(Names.NUMBERS);
        Map<Role, List<LinearLayer>> found = OnnxBackbone.of(file).read().layers()
                .collect(Collectors.groupingBy(LinearLayer::role));
        OnnxBackbone.Builder builder = OnnxBackbone.builder(file);
        found.forEach((role, layers) -> builder.target(role, layers.get(0).weight()));
        assertEquals(1, builder.build().read().blocks().size());
        builder.target(Role.FC2, found.get(Role.FC2).get(1).weight());
        assertMessage(() -> builder.build().read(), "found 2 linear layers of role FC2 and 1 of role QKV");
        builder.target(Role.FC1, found.get(Role.FC2).get(1).weight());
        assertMessage(() -> builder.build().read(), "found the roles [FC2, FC1], allowed is one");
        OnnxBackbone none = OnnxBackbone.builder(file).target(Role.QKV, "none").build();
        assertMessage(none::read, "found 0 linear layers");
    }

    @Test
    void channelsThatAreToldApartAreRefused() throws IOException {
        Path file = file();
        OnnxBackbone.Builder builder = OnnxBackbone.builder(file);
        OnnxBackbone.of(file).read().layers().filter(l -> l.block() == 0).forEach(layer -> {
            Map<Role, Role> swapped = Map.of(Role.FC2, Role.ATTENTION_OUTPUT, Role.ATTENTION_OUTPUT, Role.FC2);
            builder.target(swapped.getOrDefault(layer.role(), layer.role()), layer.weight());
        });
        assertMessage(() -> builder.build().read(), "expected a function of every element alone");
    }

    @Test
    void namedValuesArePooled() throws IOException {
        Path file = file(Pool.MEAN);
        Backbone found = OnnxBackbone.of(file).read();
        String tokens = found.graph().nodes().stream().filter(n -> n.op().equals("ReduceMean")).reduce((a, b) -> b)
                .orElseThrow().input(0).name();
        Backbone first = pooled(file, Pooling.Kind.CLASS_TOKEN, tokens).read();
        assertEquals("class token", first.describe().pooling());
        assertEquals(List.of(tokens), first.imported().orElseThrow().features().stream().map(v -> v.name()).toList());
        assertMessage(pooled(file, Pooling.Kind.VALUE, "x")::read, "pooling: found no value 'x'");
        assertMessage(pooled(file, Pooling.Kind.VALUE, tokens)::read, "pooling of kind VALUE");
    }

    /** Heads read what lies in the file itself: tokens [N, batch, D] only through an output that turns them. */
    @Test
    void valuesWhoseRowsAreNotInFrontAreRefused() throws IOException {
        ModelProto turned = ExporterGraphs.write(ExporterVariant.of("turned", Attention.ENCODER_SEQUENCE_FIRST,
                Pool.TOKENS_WITHOUT_CLASS), SEED).model();
        NodeProto last = turned.getGraph().getNode(turned.getGraph().getNodeCount() - 1);
        String tokens = last.getInput(0);
        Path file = file(turned);
        for (OnnxBackbone source : List.of(OnnxBackbone.of(file), pooled(file, Pooling.Kind.MEAN, tokens))) {
            assertEquals(List.of(last.getOutput(0)), source.read().imported().orElseThrow().features().stream()
                    .map(v -> v.name()).toList());
        }
        ModelProto.Builder raw = turned.toBuilder();
        raw.getGraphBuilder().removeNode(turned.getGraph().getNodeCount() - 1).getOutputBuilder(0).setName(tokens)
                .getTypeBuilder().getTensorTypeBuilder().clearShape();
        Path other = file(raw.build());
        for (OnnxBackbone source : List.of(OnnxBackbone.of(other), pooled(other, Pooling.Kind.MEAN, tokens))) {
            assertMessage(source::read, "value '" + tokens + "': found shape [4, 1, 16] for one row, its rows lie along"
                    + " axis 1; allowed");
        }
    }

    private static OnnxBackbone pooled(Path file, Pooling.Kind kind, String value) {
        return OnnxBackbone.builder(file).pooling(new Pooling(kind, List.of(value))).build();
    }

    @Test
    void configurationSurvivesAFile() throws IOException {
        OnnxBackbone source = OnnxBackbone.builder(file()).externalData().extent("height", 8).target(Role.FC1, "a.*|b")
                .shrink(0.5).pooling(new Pooling(Pooling.Kind.PAIR, List.of("p", "q"))).build();
        Path file = folder.resolve("backbone.xml");
        String name;
        try (ConfigurationManager manager = new ConfigurationManager()) {
            name = manager.importConfigurable(source, "backbone");
            manager.save(file.toFile());
        }
        try (ConfigurationManager manager = new ConfigurationManager(file.toString())) {
            OnnxBackbone back = (OnnxBackbone) manager.lookup(name);
            assertEquals(source.getProvenance(), back.getProvenance());
        }
    }

    @Test
    void provenanceHasTheHashOfTheFile() throws IOException {
        Path file = file();
        OnnxBackboneProvenance provenance = (OnnxBackboneProvenance) OnnxBackbone.of(file).getProvenance();
        assertEquals(64, provenance.sha256().length());
        assertEquals(provenance, ProvenanceUtil.unmarshalProvenance(ProvenanceUtil.marshalProvenance(provenance)));
        Files.write(file, new byte[] {1});
        assertNotEquals(provenance, OnnxBackbone.of(file).getProvenance());
        Files.delete(file);
        assertMessage(() -> OnnxBackbone.of(file).getProvenance(), "found no regular file");
    }

    @Test
    void badSettingsAreRefused() {
        Path file = Path.of("model.onnx");
        assertMessage(() -> OnnxBackbone.builder(file).extent("height", 0).build(), "extent 'height': found 0");
        assertMessage(() -> OnnxBackbone.builder(file).target(Role.FC1, "(").build(), "found no regular expression");
        for (double shrink : new double[] {0, -0.5, 1.5, Double.NaN}) {
            assertMessage(() -> OnnxBackbone.builder(file).shrink(shrink).build(), "shrink: found " + shrink);
        }
        assertMessage(() -> Hints.Target.parse("fc1=x"), "allowed is ROLE=REGEX");
    }

    @ParameterizedTest
    @ValueSource(strings = {"JOINT", "SEPARATE"})
    void onlyTheBlocksWeightsShrink(Qkv qkv) throws IOException {
        Path file = file(qkv);
        Backbone read = OnnxBackbone.of(file).read();
        FeatureLayout layout = new FeatureLayout(List.of(new FeatureColumn("image", FeatureColumn.Kind.PIXELS, 0, 64)));
        PackedExamples rows = PackedExamples.pack(1, 64, 1, (row, inputs, labels) -> inputs[0] = 1);
        Backbone shrunk = OnnxBackbone.builder(file).shrink(0.25).build().create(layout, OneTask.LAYOUT, rows, 1);
        Set<String> weights = read.layers().map(LinearLayer::weight).collect(Collectors.toSet());
        assertEquals(read.graph().nodes(), shrunk.graph().nodes());
        read.graph().initializers().forEach((name, before) -> {
            Tensor after = shrunk.graph().initializers().get(name);
            if (!weights.contains(name)) {
                assertEquals(before, after, name);
                return;
            }
            for (int i = 0; i < before.shape().size(); i++) {
                assertEquals(before.floats()[i] / 4, after.floats()[i], name);
            }
        });
        assertEquals(read.graph(), OnnxBackbone.of(file).create(layout, OneTask.LAYOUT, rows, 1).graph());
    }

    @Test
    void whatAllowsExternalDataIsTold() throws IOException {
        ModelProto.Builder model = ExporterGraphs.write(ExporterVariant.of("outside"), SEED).model().toBuilder();
        TensorProto.Builder weight = model.getGraphBuilder().getInitializerBuilder(0);
        Files.write(folder.resolve("weights.bin"), weight.getRawData().toByteArray());
        weight.clearRawData().setDataLocation(TensorProto.DataLocation.EXTERNAL).addExternalDataBuilder()
                .setKey("location").setValue("weights.bin");
        Path file = file(model.build());
        assertMessage(OnnxBackbone.of(file)::read, "allowed are models that hold their data, unless the limits allow"
                + " external data, as OnnxBackbone.builder(file).externalData() does or, on the command line,"
                + " --external-data");
        assertEquals(2, OnnxBackbone.builder(file).externalData().build().read().blocks().size());
    }

    @Test
    void openHeightsAndWidthsAreGivenByName() throws IOException {
        ExporterVariant variant = ExporterVariant.of("open", Stem.PATCHES);
        ModelProto.Builder model = ExporterGraphs.write(variant, SEED).model().toBuilder();
        var shape = model.getGraphBuilder().getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder()
                .getShapeBuilder();
        shape.getDimBuilder(2).setDimParam("height");
        shape.getDimBuilder(3).setDimParam("width");
        Path file = file(model.build());
        assertMessage(() -> OnnxBackbone.of(file).read(), "found axis 2 ('height') open");
        assertMessage(() -> OnnxBackbone.builder(file).extent("hight", 8).build().read(),
                "found the extent 'hight', allowed are the open ones of its inputs, [batch_size, height, width]");
        Backbone backbone = OnnxBackbone.builder(file).extent("height", 8).extent("width", 8).build().read();
        assertEquals(2, backbone.blocks().size());
    }

    @Test
    void metadataSayHowImagesAreMade() throws IOException {
        Map<String, String> metadata = Map.of("image_mean", "[0.485, 0.456, 0.406]", "image_std", "(0.229 0.224 0.225)",
                "interpolation", "bicubic", "crop_pct", "0.9", "channels", "bgr");
        ImageInput found = images(metadata, Size.LARGER).images().orElseThrow();
        assertEquals(new ImageInput(12, 12, Channels.BGR, Layout.NCHW, Interpolation.BICUBIC, 0.9,
                List.of(0.485, 0.456, 0.406), List.of(0.229, 0.224, 0.225)), found);
        for (String other : List.of("RGB", "grey", "3")) {
            ImageInput colours = images(Map.of("channels", other), Size.LARGER).images().orElseThrow();
            assertEquals(Channels.RGB, colours.channels(), other);
        }
        assertEquals(new ImageInput(8, 8, Channels.GREY, Layout.NHWC), images(Map.of("channels", "bgr",
                "image_mean", "127.5", "image_std", "127.5", "crop_pct", "all"), Stem.CHANNELS_LAST).images()
                .orElseThrow());
    }

    @ParameterizedTest
    @CsvSource({"bicubic, BICUBIC", "InterpolationMode.BICUBIC, BICUBIC", "PIL.Image.Resampling.BICUBIC, BICUBIC",
            "3, BICUBIC", "cubic, BICUBIC", "BILINEAR, BILINEAR", "InterpolationMode.BILINEAR, BILINEAR",
            "2, BILINEAR", "PILImageResampling.NEAREST, NEAREST", "0, NEAREST"})
    void interpolationsAreReadInEveryForm(String text, Interpolation expected) throws IOException {
        List<String> warnings = new ArrayList<>();
        assertEquals(expected, interpolation(text, warnings));
        assertEquals(List.of(), warnings);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lanczos", "InterpolationMode.BOX", "1", "random"})
    void otherInterpolationsAreWarnedOf(String text) throws IOException {
        List<String> warnings = new ArrayList<>();
        assertEquals(Interpolation.BILINEAR, interpolation(text, warnings));
        assertEquals(1, warnings.size());
        assertTrue(warnings.get(0).startsWith("metadata 'resample': found '" + text + "', allowed are nearest"),
                warnings.get(0));
    }

    private Interpolation interpolation(String text, List<String> warnings) throws IOException {
        Logger logger = Logger.getLogger(Preprocessing.class.getName());
        Filter keep = message -> {
            warnings.add(message.getMessage());
            return false;
        };
        logger.setFilter(keep);
        try {
            return images(Map.of("resample", text)).images().orElseThrow().interpolation();
        } finally {
            logger.setFilter(null);
        }
    }

    private OnnxBackbone images(Map<String, String> metadata, ExporterVariant.Trait... traits) throws IOException {
        ModelProto.Builder model = ExporterGraphs.write(ExporterVariant.of("images", traits), SEED).model().toBuilder();
        metadata.forEach((key, value) -> model.addMetadataProps(StringStringEntryProto.newBuilder().setKey(key)
                .setValue(value)));
        return OnnxBackbone.of(file(model.build()));
    }

    @Test
    void rowsOfAnotherWidthAreRefused() throws IOException {
        OnnxBackbone source = OnnxBackbone.of(file());
        FeatureLayout layout = new FeatureLayout(List.of(new FeatureColumn("p", FeatureColumn.Kind.NUMERIC, 0, 1)));
        PackedExamples rows = PackedExamples.pack(1, 1, 1, (row, inputs, labels) -> inputs[0] = 1);
        assertMessage(() -> source.create(layout, OneTask.LAYOUT, rows, 1), "found rows of 1 elements, allowed are 64");
        assertTrue(source.pretrained());
    }

    private static void assertMessage(Executable call, String part) {
        EmtalException e = assertThrows(EmtalException.class, call);
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }
}
