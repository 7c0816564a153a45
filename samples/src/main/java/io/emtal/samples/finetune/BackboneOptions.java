package io.emtal.samples.finetune;

import io.emtal.onnx.backbone.OnnxBackbone;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Option;

/** The options that say how a backbone's file is read. */
final class BackboneOptions {
    @Option(names = "--external-data", description = "Allow tensors in other files of the backbone's folder.")
    private boolean externalData;

    @Option(names = "--extent", paramLabel = "NAME=N",
            description = "What an open extent of the input stands for, such as height=224; may be given several "
                + "times.")
    private Map<String, Long> extents = Map.of();

    OnnxBackbone.Builder source(Path file) {
        OnnxBackbone.Builder builder = OnnxBackbone.builder(file);
        if (externalData) {
            builder.externalData();
        }
        extents.forEach(builder::extent);
        return builder;
    }
}
