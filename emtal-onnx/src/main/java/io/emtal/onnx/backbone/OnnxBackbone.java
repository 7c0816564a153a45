package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl;
import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.ReadLimits;
import io.emtal.onnx.task.TaskLayout;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A pre-trained transformer encoder from an ONNX file, as exporters of PyTorch, timm or Hugging Face write it. Blocks
 * are found by their structure, not by names; the batch may be open or 1; an old classification head is cut off. A
 * graph that is not understood is refused with the first node that did not fit: for such a graph, the linear layers
 * and the value to pool can be named.
 *
 * <p>The file's batch must be at axis 0 of its only input. The file may hold up to 1.5 GiB.
 */
public final class OnnxBackbone implements BackboneSource {

    @Config(mandatory = true, description = "The ONNX file.")
    private Path file;

    @Config(description = "Whether tensors may lie in other files of the model's directory.")
    private boolean externalData = false;

    @Config(description = "What named open extents of the input stand for, such as height = 224.")
    private Map<String, String> extents = new LinkedHashMap<>();

    @Config(description = "Linear layers to adapt where they are not to be looked for, each as ROLE=REGEX: roles are"
            + " QKV, or QUERY, KEY and VALUE, then ATTENTION_OUTPUT, FC1, FC2.")
    private List<String> targets = new ArrayList<>();

    @Config(description = "How the named values are pooled: VALUE, CLASS_TOKEN, MEAN or PAIR.")
    private Pooling.Kind pooling = Pooling.Kind.VALUE;

    @Config(description = "Values of the file to pool where they are not to be looked for.")
    private List<String> pooled = new ArrayList<>();

    @Config(description = "What the weights of the blocks' linear layers are multiplied by before the training, above 0 and"
            + " up to 1.")
    private double shrink = 1;

    /** For OLCUT, and {@link #builder}. */
    private OnnxBackbone() {
    }

    /**
     * The transformer of an ONNX file.
     *
     * @param file an {@code .onnx} file that holds all its tensors
     * @return the source; the file is read when the backbone is asked for
     */
    public static OnnxBackbone of(Path file) {
        return builder(file).build();
    }

    /**
     * Starts from the defaults: all in one file, everything looked for.
     *
     * @param file an {@code .onnx} file
     * @return a builder
     */
    public static Builder builder(Path file) {
        return new Builder(file);
    }

    /** Sets what differs from the defaults. */
    public static final class Builder {

        private final List<Consumer<OnnxBackbone>> settings = new ArrayList<>();

        private Builder(Path file) {
            Objects.requireNonNull(file, "file");
            settings.add(made -> made.file = file);
        }

        private Builder set(Consumer<OnnxBackbone> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Allows tensors in other files, which must be regular files inside the real directory of the model.
         *
         * @return this builder
         */
        public Builder externalData() {
            return set(made -> made.externalData = true);
        }

        /**
         * Fixes an open extent of the input behind the batch.
         *
         * @param name its name in the file, such as {@code height}
         * @param extent what it stands for, at least 1
         * @return this builder
         */
        public Builder extent(String name, long extent) {
            return set(made -> made.extents.put(name, Long.toString(extent)));
        }

        /**
         * Names linear layers instead of looking for them. All roles that a block has must be named; the i-th layer of
         * a role, in the order of the computation, belongs to block i.
         *
         * @param role the place of the layers in their blocks
         * @param pattern a regular expression for the whole name of the node that multiplies, or of the weight
         * @return this builder
         */
        public Builder target(LinearLayer.Role role, String pattern) {
            return set(made -> made.targets.add(role + "=" + pattern));
        }

        /**
         * Names what heads read instead of looking for it.
         *
         * @param what the values, and how a vector comes of them
         * @return this builder
         */
        public Builder pooling(Pooling what) {
            return set(made -> {
                made.pooling = what.kind();
                made.pooled = what.values();
            });
        }

        /**
         * Lets the backbone forget a part of what it knows before it is adapted: the weights of its blocks' linear layers
         * are multiplied by a factor, as in the shrinking of warm starts (Ash and Adams 2020, arXiv 1910.08475). For
         * images unlike those of the pre-training, of which low-rank updates could not take back what is in their way.
         * The blocks that are not adapted shrink, too.
         *
         * @param factor above 0 and up to 1, which leaves the weights as they are
         * @return this builder
         */
        public Builder shrink(double factor) {
            return set(made -> made.shrink = factor);
        }

        /**
         * Makes the source.
         *
         * @return the source
         * @throws EmtalException if a pattern is no regular expression, or a value is out of its range
         */
        public OnnxBackbone build() {
            OnnxBackbone made = new OnnxBackbone();
            settings.forEach(setting -> setting.accept(made));
            made.check();
            return made;
        }
    }

    @Override
    public void postConfig() {
        try {
            check();
        } catch (EmtalException e) {
            throw new PropertyException(e, "", "OnnxBackbone", e.getMessage());
        }
    }

    private void check() {
        hints();
        extents();
        EmtalException.check(shrink > 0 && shrink <= 1, "OnnxBackbone: shrink: found %s, allowed is a number above 0 and up to"
                + " 1", shrink);
    }

    private Hints hints() {
        return new Hints(targets.stream().map(Hints.Target::parse).toList(),
                pooled.isEmpty() ? Optional.empty() : Optional.of(new Pooling(pooling, pooled)));
    }

    private Map<String, Long> extents() {
        Map<String, Long> parsed = new LinkedHashMap<>();
        extents.forEach((name, extent) -> {
            EmtalException.check(extent.matches("[1-9][0-9]{0,8}"), "OnnxBackbone: extent '%s': found %s, allowed is a"
                    + " number from 1", name, extent);
            parsed.put(name, Long.valueOf(extent));
        });
        return parsed;
    }

    /**
     * Reads the file and finds the transformer in it.
     *
     * @return the backbone with the weights of the file, which have not shrunk
     * @throws EmtalException if the file cannot be read, or is not understood: with the first node that did not fit
     */
    public Backbone read() {
        OnnxMl.ModelProto model = load();
        try {
            return read(model, extents(), hints());
        } catch (EmtalException e) {
            throw new EmtalException("model " + file + ": " + e.getMessage(), e);
        }
    }

    private OnnxMl.ModelProto load() {
        try {
            return OnnxFile.load(file, externalData ? ReadLimits.DEFAULT.withExternalData() : ReadLimits.DEFAULT);
        } catch (EmtalException e) {
            if (e.getMessage().endsWith("unless the limits allow external data")) {
                throw new EmtalException(e.getMessage() + ", as OnnxBackbone.builder(file).externalData() does or, on"
                        + " the command line, --external-data", e);
            }
            throw e;
        }
    }

    /**
     * Finds the transformer in a model.
     *
     * @param model the model, with all its tensors
     * @return the backbone
     * @throws EmtalException if the model is not understood: with the first node that did not fit
     */
    public static Backbone read(OnnxMl.ModelProto model) {
        return read(model, Map.of(), Hints.NONE);
    }

    private static Backbone read(OnnxMl.ModelProto model, Map<String, Long> extents, Hints hints) {
        checkNames(model, extents);
        Graph one = OnnxFile.read(model, 1, extents, ReadLimits.DEFAULT);
        Graph open = OnnxFile.open(model, one, extents, ReadLimits.DEFAULT);
        return new Recogniser(model, open, one, hints).backbone();
    }

    /** A name that no extent has would be passed over. */
    private static void checkNames(OnnxMl.ModelProto model, Map<String, Long> extents) {
        List<String> open = model.getGraph().getInputList().stream()
                .flatMap(input -> input.getType().getTensorType().getShape().getDimList().stream())
                .map(OnnxMl.TensorShapeProto.Dimension::getDimParam).filter(name -> !name.isEmpty()).distinct().toList();
        extents.keySet().forEach(name -> EmtalException.check(open.contains(name),
                "found the extent %s, allowed are the open ones of its inputs, %s", Quoted.of(name), open));
    }

    /**
     * {@inheritDoc} Reads the file.
     */
    @Override
    public Optional<ImageInput> images() {
        return read().describe().images();
    }

    @Override
    public Backbone create(FeatureLayout layout, TaskLayout tasks, Examples rows, long seed) {
        Backbone backbone = read();
        EmtalException.check(layout.width() == backbone.inputWidth(), "backbone %s: found rows of %d elements, allowed"
                + " are %d for its input %s", file, layout.width(), backbone.inputWidth(), backbone.input().shape());
        return shrink == 1 ? backbone : backbone.shrunk(shrink);
    }

    @Override
    public boolean pretrained() {
        return true;
    }

    /**
     * {@inheritDoc}
     *
     * @return the settings, and the SHA-256 of the file
     * @throws EmtalException if the file cannot be read
     */
    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new OnnxBackboneProvenance(this, file);
    }
}
