package io.emtal.samples.bench;

import io.emtal.onnx.adapt.ExpertClustering;
import io.emtal.onnx.adapt.ExpertClustering.Grouping;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.QualityRetaining;
import io.emtal.onnx.task.RetainingState;
import io.emtal.onnx.train.AdamW;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What Java computes around the graphs of a training: per step, and once before and after it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class KernelBenchmarks {
    private static final long SEED = 3;
    private static final double LEARNING_RATE = 1e-3;

    /** The network's sizes, as in the other benchmarks; trained are EMTAL's adapters, routers and heads. */
    @Param({"small65", "vit-tiny"})
    public String shape;

    private BenchNetwork network;
    private int[] rows;
    private FloatBuffer inputs;
    private BatchLabels labels;
    private float[] logits;
    private float[] targets;
    private float[] weights;
    private float[] teacher;
    private float[] teacherWeight;
    private double[] losses;
    private RetainingState retaining;
    private AdamW.State optimizer;
    private float[] values;
    private float[] gradient;
    private Map<String, Tensor> trained;
    private float[] weightVectors;

    /** Makes the network and a step's data. */
    @Setup
    public void prepare() {
        BenchShape sizes = BenchShape.valueOf(shape.toUpperCase(Locale.ROOT).replace('-', '_'));
        int batch = sizes.batch();
        network = BenchNetwork.of(sizes, BenchMode.EMTAL_GATED, batch, BenchNetwork.TASKS);
        SplittableRandom random = new SplittableRandom(SEED);
        rows = network.batch(0, batch);
        inputs = ByteBuffer.allocateDirect(batch * network.examples().width() * Float.BYTES)
                .order(ByteOrder.nativeOrder()).asFloatBuffer();
        labels = new BatchLabels(network.tasks(), network.labels(rows));
        int columns = network.tasks().columns();
        logits = gaussian(batch * columns, random);
        targets = new float[batch * columns];
        weights = new float[batch * columns];
        teacher = new float[batch * columns];
        teacherWeight = new float[batch * columns];
        losses = BenchNetwork.LOSSES.means(labels, logits);
        retaining = new QualityRetaining().start(network.tasks(), network.examples().size());
        List<Parameter> parameters = network.parameters();
        optimizer = new AdamW().start(parameters);
        values = new float[parameters.stream().mapToInt(Parameter::size).sum()];
        gradient = gaussian(values.length, random);
        trained = parameters.stream().collect(Collectors.toMap(Parameter::name, Parameter::initial));
        weightVectors = gaussian(sizes.hidden() * sizes.vision().width(), random);
    }

    private static float[] gaussian(int size, SplittableRandom random) {
        float[] elements = new float[size];
        for (int i = 0; i < size; i++) {
            elements[i] = (float) random.nextGaussian();
        }
        return elements;
    }

    /** Of every step: its rows are copied to where the graph reads them. */
    @Benchmark
    public FloatBuffer rows() {
        inputs.clear();
        for (int row : rows) {
            network.examples().inputs(row, inputs);
        }
        return inputs;
    }

    /** Of every step: targets and weights of its labels, and its losses. */
    @Benchmark
    public double[] losses() {
        BenchNetwork.LOSSES.fill(labels, targets, weights);
        return BenchNetwork.LOSSES.means(labels, logits);
    }

    /** Of every step: what Quality Retaining's bank teaches it, and learns from it. */
    @Benchmark
    public double retaining() {
        double weight = retaining.teach(labels, rows, teacher, teacherWeight);
        retaining.record(labels, rows, logits, losses);
        return weight;
    }

    /** Of every step: clipping and AdamW. */
    @Benchmark
    public double adamW() {
        return optimizer.step(values, gradient, LEARNING_RATE);
    }

    /** Before a training, for every block: its channels are grouped into experts. */
    @Benchmark
    public ExpertClustering clustering() {
        return ExpertClustering.of(weightVectors, network.shape().hidden(), BenchMode.EXPERTS, Grouping.CLUSTERED,
                new SplittableRandom(SEED));
    }

    /** After a training: the adapters are merged into the backbone. */
    @Benchmark
    public Backbone merge() {
        return network.adaptation().merge(network.backbone(), trained::get, 1);
    }

    /** Before a training and after it: a network's bytes. */
    @Benchmark
    public byte[] write() {
        return OnnxFile.toModel(network.backbone().graph(), "backbone").toByteArray();
    }
}
