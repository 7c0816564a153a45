package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl;
import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.ReadLimits;

import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/** A pre-trained transformer encoder from an ONNX file. */
public final class OnnxBackbone implements BackboneSource {

    @Config(mandatory = true, description = "The ONNX file.")
    private Path file;

    @Config(description = "Whether tensors may lie in other files of the model's directory.")
    private boolean externalData = false;

    /** For OLCUT. */
    private OnnxBackbone() {
    }

    /**
     * The transformer of an ONNX file.
     *
     * @param file an {@code .onnx} file that holds all its tensors
     * @return the source; the file is read when the backbone is asked for
     */
    public static OnnxBackbone of(Path file) {
        OnnxBackbone made = new OnnxBackbone();
        made.file = Objects.requireNonNull(file, "file");
        return made;
    }

    /**
     * Reads the file and finds the transformer in it.
     *
     * @return the backbone
     * @throws EmtalException if the file cannot be read, or is not understood: with the first node that did not fit
     */
    public Backbone read() {
        ReadLimits limits = externalData ? ReadLimits.DEFAULT.withExternalData() : ReadLimits.DEFAULT;
        OnnxMl.ModelProto model = OnnxFile.load(file, limits);
        try {
            return read(model);
        } catch (EmtalException e) {
            throw new EmtalException("model " + file + ": " + e.getMessage(), e);
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
        return new Recogniser(model, OnnxFile.readOpen(model, Map.of(), ReadLimits.DEFAULT)).backbone();
    }

    @Override
    public Backbone create(FeatureLayout layout, Examples rows, long seed) {
        Backbone backbone = read();
        EmtalException.check(layout.width() == backbone.inputWidth(), "backbone %s: found rows of %d elements, allowed"
                + " are %d for its input %s", file, layout.width(), backbone.inputWidth(), backbone.input().shape());
        return backbone;
    }

    @Override
    public boolean pretrained() {
        return true;
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "BackboneSource");
    }
}
