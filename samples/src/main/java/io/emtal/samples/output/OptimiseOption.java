package io.emtal.samples.output;

import io.emtal.onnx.predict.Optimise;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The option that says in which form a dense network is written as an ONNX file. */
public final class OptimiseOption {
    @Option(names = "--optimise", paramLabel = "FORM",
            description = "The form of the ONNX file: portable, the backbone's own operators, or fused, the same network "
                + "rewritten for speed on CPUs. Default: portable.")
    private Optional<Optimise> form;

    /** Made by the command line. */
    private OptimiseOption() {
    }

    /**
     * What the option says.
     *
     * @return empty where it is not given
     */
    public Optional<Optimise> form() {
        return form;
    }
}
