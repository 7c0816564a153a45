package io.emtal.samples.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.BatchLabels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** The rival: the training step of the same network by DJL's PyTorch engine, with DJL's AdamW. */
final class TorchRunner implements StepRunner {
    private static final String ENGINE = "PyTorch";

    private final BenchNetwork network;
    private final NDManager manager;
    private final TorchNetwork torch;
    private final Optimizer optimizer = Optimizer.adamW()
            .optLearningRateTracker(Tracker.fixed((float) BenchNetwork.LEARNING_RATE))
            .optEpsilon((float) BenchNetwork.EPSILON).optWeightDecays(0).build();

    private TorchRunner(BenchNetwork network) {
        this.network = network;
        manager = NDManager.newBaseManager(ENGINE);
        torch = new TorchNetwork(network, manager);
    }

    /**
     * Checks that there is a rival.
     *
     * @throws EmtalException saying how to get one
     */
    static void check() {
        System.setProperty("ai.djl.offline", "true");
        EmtalException.check(Engine.hasEngine(ENGINE), "rival: found no PyTorch engine among DJL's engines %s; build with"
                + " mvn package -DskipTests -Pbench, which puts it into the jar", Engine.getAllEngines());
    }

    /**
     * Makes the rival.
     *
     * @param network what is trained
     * @param threads how many threads PyTorch may use; the first rival of a process decides
     */
    static TorchRunner of(BenchNetwork network, int threads) {
        check();
        System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(threads));
        return new TorchRunner(network);
    }

    @Override
    public double[] step(int[] rows) {
        BatchLabels labels = new BatchLabels(network.tasks(), network.labels(rows));
        int columns = network.tasks().columns();
        float[] weighted = new float[rows.length * columns];
        float[] weights = new float[rows.length * columns];
        BenchNetwork.LOSSES.fill(labels, weighted, weights);
        for (int i = 0; i < weighted.length; i++) {
            weighted[i] *= weights[i];
        }
        FloatBuffer inputs = ByteBuffer.allocateDirect(rows.length * network.examples().width() * Float.BYTES)
                .order(ByteOrder.nativeOrder()).asFloatBuffer();
        for (int row : rows) {
            network.examples().inputs(row, inputs);
        }
        float[] logits;
        // What a step makes lives until its end and no longer.
        try (NDManager step = manager.newSubManager()) {
            try (GradientCollector collector = Engine.getEngine(ENGINE).newGradientCollector()) {
                NDArray input = step.create(inputs.rewind(), new Shape(rows.length, network.examples().width()));
                TorchNetwork.Output output = torch.forward(step, input);
                NDArray loss = torch.loss(output, step.create(weighted, new Shape(rows.length, columns)));
                collector.backward(loss);
                logits = output.logits().toFloatArray();
            }
            torch.parameters().forEach((name, parameter) -> {
                try (NDArray gradient = parameter.getGradient()) {
                    optimizer.update(name, parameter, gradient);
                    gradient.subi(gradient);
                }
            });
        }
        return BenchNetwork.LOSSES.means(labels, logits);
    }

    @Override
    public void close() {
        manager.close();
    }
}
