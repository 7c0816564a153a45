package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.adapt.HeadsOnly;
import io.emtal.onnx.adapt.Lora;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.QualityRetaining;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

class OutOfBagTest {

    /** Numbers and a nominal column between them. */
    private static final FeatureLayout FEATURES = new FeatureLayout(List.of(
            new FeatureColumn("f", FeatureColumn.Kind.NUMERIC, 0, 1), new FeatureColumn("g", FeatureColumn.Kind.NOMINAL, 1, 2),
            new FeatureColumn("h", FeatureColumn.Kind.NUMERIC, 3, 1)));

    private static final List<Task> NUMBERS = List.of(new RealTask("r", 0, 1, 1), new RealTask("s", 2, 3, 1));
    private static final List<Task> CLASSES = List.of(new CategoricalTask("c", 3), new BinaryTask("b"));
    private static final List<Task> MIXED = List.of(new BinaryTask("b"), new RealTask("r", 0, 1, 1),
            new CategoricalTask("c", 3));

    /** An ensemble with random weights, and rows of which some labels are missing. */
    private static final class Case {

        private final PackedExamples rows;
        private final NetworkCompiler compiler;
        private final HeldOut heldOut;
        private final float[] values;

        private Case(SplittableRandom random, int size, int members, List<Task> tasks, AdaptationMethod method,
                     double fraction) {
            TaskLayout layout = new TaskLayout(tasks);
            rows = PackedExamples.pack(size, FEATURES.width(), tasks.size(), (row, inputs, labels) -> {
                for (int i = 0; i < inputs.length; i++) {
                    inputs[i] = (float) random.nextGaussian();
                }
                for (int t = 0; t < labels.length; t++) {
                    labels[t] = row > 0 && random.nextInt(3) == 0 ? Float.NaN
                            : tasks.get(t) instanceof RealTask ? (float) random.nextGaussian() : random.nextInt(2);
                }
            });
            Backbone backbone = FeatureEnsemble.builder().members(members).width(8).depth(2).hidden(12).bins(4).build()
                    .create(FEATURES, layout, rows, random.nextLong());
            Heads heads = new Heads(layout, backbone.pooledWidth(), backbone.members());
            compiler = new NetworkCompiler(backbone, method.adapt(backbone, 1), heads, heads.parameters(1), layout,
                    new Recipe().losses(), QualityRetaining.off());
            int[] order = IntStream.range(0, size).toArray();
            ShuffleSampler.shuffle(order, random);
            heldOut = HeldOut.of(rows, order, 0.1, fraction, heads.memberWeights());
            values = ParameterBuffer.initial(compiler.parameters());
            for (int i = 0; i < values.length; i++) {
                values[i] += (float) (0.3 * random.nextGaussian());
            }
        }

        private Judge judge(NetworkCompiler network, ParameterBuffer buffer, Optional<Judge.MemberListener> listener) {
            return new Judge(Phase.ADAPT, network, rows, heldOut, buffer, listener);
        }
    }

    private static Case random(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return new Case(random, random.nextInt(8, 300), random.nextInt(2, 14),
                List.of(NUMBERS, CLASSES, MIXED).get(random.nextInt(3)),
                List.of(new FullDense(), new HeadsOnly(), Lora.builder().build()).get(random.nextInt(3)),
                random.nextDouble(0.05, 0.6));
    }

    @Test
    void membersThatHaveSeenARowNeedNotBeComputed() throws Exception {
        for (long seed = 0; seed < 60; seed++) {
            Case one = random(seed);
            String where = "seed " + seed;
            int members = one.compiler.heads().members();
            int[] heard = new int[one.rows.size()];
            try (ParameterBuffer buffer = new ParameterBuffer(one.compiler.parameters(), "");
                 Judge all = one.judge(one.compiler, buffer, Optional.of((rows, memberLogits) -> {
                     assertEquals(rows.length * members * one.compiler.tasks().columns(), memberLogits.length, where);
                     IntStream.of(rows).forEach(row -> heard[row]++);
                 }));
                 Judge some = one.judge(one.compiler, buffer, Optional.empty())) {
                assertArrayEquals(all.logits(one.values), some.logits(one.values), 1e-4f, where);
                assertArrayEquals(all.losses(one.values), some.losses(one.values), 1e-5, where);
                for (int row : one.heldOut.judged()) {
                    assertEquals(2, heard[row], where);
                }
                assertEquals(2 * one.heldOut.judged().length, IntStream.of(heard).sum(), where);
            }
        }
    }

    /** Of 13 members that judge 8 parts, 2 are computed for each. */
    @Test
    void fewMembersAreComputed() {
        Case one = new Case(new SplittableRandom(1), 250, 13, NUMBERS, new FullDense(), 0.125);
        long columns = one.compiler.tasks().columns();
        assertEquals(2 * columns, Judge.graph(one.compiler, one.heldOut, false).outputs().get(0).extent(1));
        assertEquals(13 * columns, Judge.graph(one.compiler, one.heldOut, true).outputs().get(0).extent(1));
    }

    /** As behind a frozen prefix. */
    @Test
    void allAreComputedWhereTheyCannotBeChosen() throws Exception {
        Case one = new Case(new SplittableRandom(2), 50, 5, MIXED, new FullDense(), 0.2);
        Backbone backbone = one.compiler.backbone();
        NetworkCompiler whole = one.compiler.withBackbone(new Backbone(backbone.graph(), backbone.blocks(),
                backbone.frozen()));
        assertEquals(10L * one.compiler.tasks().columns(),
                Judge.graph(whole, one.heldOut, false).outputs().get(0).extent(1));
        try (ParameterBuffer buffer = new ParameterBuffer(one.compiler.parameters(), "");
             Judge all = one.judge(whole, buffer, Optional.empty());
             Judge some = one.judge(one.compiler, buffer, Optional.empty())) {
            assertArrayEquals(all.logits(one.values), some.logits(one.values), 1e-4f);
        }
    }

    @Test
    void whatIsComputedIsEstimated() {
        Case one = new Case(new SplittableRandom(3), 250, 16, NUMBERS, new FullDense(), 0.125);
        MemoryEstimate some = MemoryEstimate.of(one.compiler, new Recipe(), 16,
                Optional.of(Judge.graph(one.compiler, one.heldOut, false)));
        MemoryEstimate all = MemoryEstimate.of(one.compiler, new Recipe(), 16,
                Optional.of(Judge.graph(one.compiler, one.heldOut, true)));
        assertTrue(some.outside() < all.outside(), some + ", " + all);
    }
}
