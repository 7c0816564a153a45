package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Measures a merged model beside the original: the processor time of a run in ONNX Runtime, in turns. The argument
 * is a model whose last node is a Gemm head, such as {@code vit-mnist-opset17.onnx}.
 */
final class MergedModelTiming {

    /** With one thread, ONNX Runtime works on the caller's; its processor time leaves out what other programs take. */
    private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();

    private MergedModelTiming() {
    }

    public static void main(String[] arguments) throws OrtException {
        ModelProto original = OnnxFile.load(Path.of(arguments[0]));
        int classes = 10;
        ModelProto one = merged(original, List.of(new CategoricalTask("digit", classes, 1)));
        ModelProto five = merged(original, List.of(new CategoricalTask("digit", classes, 1),
                new CategoricalTask("alphabet", 50, 1), new CategoricalTask("character", 55, 1),
                new CategoricalTask("emoji", 8, 1), new CategoricalTask("tone", 6, 1)));
        for (int batch : new int[] {1, 64}) {
            int runs = batch == 1 ? 4000 : 200;
            double[][] times = times(List.of(original, one, five, original), batch, runs);
            double first = median(times[0]);
            System.out.printf(Locale.ROOT, "batch %d: original %.4f ms an image; one task %.4f (%+.2f %%), five tasks"
                    + " %.4f (%+.2f %%), the original again %+.2f %%%n", batch, first * 1e3 / batch,
                    median(times[1]) * 1e3 / batch, percent(times[1], times[0]), median(times[2]) * 1e3 / batch,
                    percent(times[2], times[0]), percent(times[3], times[0]));
        }
    }

    private static ModelProto merged(ModelProto original, List<Task> tasks) {
        NodeProto head = original.getGraph().getNode(original.getGraph().getNodeCount() - 1);
        Value pooled = new Value(head.getInput(0), ElementType.FLOAT, Shape.of(Shape.BATCH, 64));
        Heads heads = new Heads(new TaskLayout(tasks), 64);
        Map<String, Tensor> values = heads.parameters(1).stream()
                .collect(Collectors.toMap(Parameter::name, Parameter::initial));
        return new ImportedModel(original, Pooling.Kind.VALUE, List.of(pooled)).model(OnnxFile.read(original, 1), "output",
                (graph, p) -> heads.outputs(graph, heads.logits(graph, p, n -> graph.initializer(n, values.get(n)))));
    }

    /** Seconds of each run of each model. */
    private static double[][] times(List<ModelProto> models, int batch, int runs) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        List<OrtSession> sessions = new ArrayList<>();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            for (ModelProto model : models) {
                sessions.add(environment.createSession(model.toByteArray(), options));
            }
        }
        double[][] times = new double[models.size()][runs];
        float[] pixels = new float[batch * 784];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) Math.sin(i);
        }
        try (OnnxTensor images = OnnxTensor.createTensor(environment, FloatBuffer.wrap(pixels),
                new long[] {batch, 1, 28, 28})) {
            for (int run = -runs / 5; run < runs; run++) {
                for (int k = 0; k < times.length; k++) {
                    // Whoever comes first in a turn pays for what the others left in the caches.
                    int m = Math.floorMod(k + run, times.length);
                    long begun = CLOCK.getCurrentThreadCpuTime();
                    sessions.get(m).run(Map.of("pixel_values", images)).close();
                    if (run >= 0) {
                        times[m][run] = (CLOCK.getCurrentThreadCpuTime() - begun) * 1e-9;
                    }
                }
            }
        }
        for (OrtSession session : sessions) {
            session.close();
        }
        return times;
    }

    private static double percent(double[] times, double[] reference) {
        double[] ratios = new double[times.length];
        Arrays.setAll(ratios, i -> times[i] / reference[i]);
        return 100 * (median(ratios) - 1);
    }

    private static double median(double[] values) {
        return Arrays.stream(values).sorted().skip(values.length / 2).findFirst().orElseThrow();
    }
}
