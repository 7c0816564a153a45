package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.onnx.task.OneTask;
import org.junit.jupiter.api.Test;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** What a training asks of its rows: an epoch at a time, augmented where they are trained on, and nowhere else. */
class EpochReadingTest {

    private static final int ROWS = 40;
    private static final VisionTransformer TRANSFORMER = VisionTransformer.builder().image(4, 4, 1).patch(2).width(4)
            .heads(1).depth(1).hidden(4).build();

    /** Rows that write down how they are read. */
    private static final class Recorded implements Examples {

        private final Examples rows;
        private final Long seed;
        private final int[] order;
        private final List<Recorded> views;
        private final Set<Integer> read = Collections.synchronizedSet(new HashSet<>());

        private Recorded(Examples rows, Long seed, int[] order, List<Recorded> views) {
            this.rows = rows;
            this.seed = seed;
            this.order = order;
            this.views = views;
            views.add(this);
        }

        @Override
        public int size() {
            return rows.size();
        }

        @Override
        public int width() {
            return rows.width();
        }

        @Override
        public void inputs(int row, FloatBuffer target) {
            read.add(row);
            rows.inputs(row, target);
        }

        @Override
        public float label(int row, int task) {
            return rows.label(row, task);
        }

        @Override
        public boolean augments() {
            return true;
        }

        @Override
        public Examples augmented(long seed) {
            return new Recorded(rows, seed, null, views);
        }

        @Override
        public Examples inOrder(int[] order) {
            return new Recorded(rows, seed, order.clone(), views);
        }
    }

    private static List<Recorded> train(long seed) {
        ImageInput input = TRANSFORMER.images().orElseThrow();
        SplittableRandom random = new SplittableRandom(seed);
        Examples packed = PackedExamples.pack(ROWS, input.elements(), 1, (row, inputs, labels) -> {
            for (int i = 0; i < inputs.length; i++) {
                inputs[i] = random.nextInt(256) / 255f;
            }
            labels[0] = row % 2;
        });
        List<Recorded> views = new ArrayList<>();
        Recorded rows = new Recorded(packed, null, null, views);
        Backbone backbone = TRANSFORMER.create(FeatureLayout.of(input), OneTask.LAYOUT, packed, seed);
        Recipe recipe = Recipe.builder().pretrainEpochs(2).epochs(2).batchSize(8).validationFraction(0.25).workers(2)
                .build();
        TrainedNetwork network = new Learner(Emtal.builder().experts(2).rank(1).build(), recipe).train(backbone, false,
                new TaskLayout(List.of(new BinaryTask("odd"))), rows, seed, TrainingListener.NONE);
        for (EpochRecord epoch : network.history()) {
            assertTrue(epoch.epoch() == 0 || epoch.inputSeconds() > 0 && epoch.inputSeconds() < epoch.seconds(), epoch.toString());
        }
        return views;
    }

    @Test
    void everyEpochIsReadInItsOrderWithASeedOfItsOwn() {
        List<Recorded> views = train(1);
        assertTrue(views.get(0).read.isEmpty(), "rows were read past the views");
        List<Recorded> epochs = views.stream().filter(v -> v.seed != null && v.order != null).toList();
        assertEquals(4, epochs.size());
        assertEquals(4, epochs.stream().map(v -> v.seed).distinct().count());
        Set<Integer> training = epochs.get(0).read;
        for (Recorded epoch : epochs) {
            assertEquals(training, epoch.read);
            assertEquals(training, new HashSet<>(IntStream.of(epoch.order).boxed().toList()));
            assertEquals(ROWS * 3 / 4, epoch.order.length);
        }
        List<Recorded> plain = views.stream().filter(v -> v.seed == null && v.order != null).toList();
        assertFalse(plain.isEmpty());
        for (Recorded view : plain) {
            assertEquals(new HashSet<>(IntStream.of(view.order).boxed().toList()), view.read);
        }
    }

    @Test
    void theSeedDecidesOrderAndAugmentation() {
        List<Recorded> first = train(2);
        List<Recorded> again = train(2);
        List<Recorded> other = train(3);
        assertEquals(first.size(), again.size());
        for (int i = 0; i < first.size(); i++) {
            assertEquals(first.get(i).seed, again.get(i).seed);
            assertArrayEquals(first.get(i).order, again.get(i).order);
        }
        assertNotEquals(first.stream().map(v -> v.seed).toList(), other.stream().map(v -> v.seed).toList());
    }
}
