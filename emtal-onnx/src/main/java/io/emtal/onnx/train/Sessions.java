package io.emtal.onnx.train;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.OnnxFile;

/** Opens ONNX Runtime sessions as training uses them: one thread a run where workers run side by side. */
final class Sessions {

    private Sessions() {
    }

    static OrtSession open(Graph graph, String name) {
        return open(OnnxFile.toModel(graph, name), name, 1);
    }

    static OrtSession open(OnnxMl.ModelProto model, String name, int threads) {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            return OrtEnvironment.getEnvironment().createSession(model.toByteArray(), options);
        } catch (OrtException e) {
            throw failed(name, e);
        }
    }

    /** Options of a run after which its session gives back memory that it does not use; whoever asks closes them. */
    static OrtSession.RunOptions givingBack() throws OrtException {
        OrtSession.RunOptions options = new OrtSession.RunOptions();
        options.addRunConfigEntry("memory.enable_memory_arena_shrinkage", "cpu:0");
        return options;
    }

    static EmtalException failed(String what, OrtException cause) {
        return new EmtalException(what + ": ONNX Runtime failed: " + cause.getMessage(), cause);
    }
}
