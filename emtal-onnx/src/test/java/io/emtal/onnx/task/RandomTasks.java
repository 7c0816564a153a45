package io.emtal.onnx.task;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Random tasks, labels and logits of a seed. */
record RandomTasks(TaskLayout layout, BatchLabels labels, float[] logits) {

    static RandomTasks of(long seed) {
        Random random = new Random(seed);
        List<Task> tasks = new ArrayList<>();
        int count = 1 + random.nextInt(6);
        for (int t = 0; t < count; t++) {
            double weight = random.nextInt(4) == 0 ? 2.5 : 1;
            tasks.add(switch (random.nextInt(3)) {
                case 0 -> new CategoricalTask("c" + t, 2 + random.nextInt(3), weight);
                case 1 -> new BinaryTask("b" + t, weight);
                default -> new RealTask("r" + t, 5, 2, 6 + random.nextInt(12), weight);
            });
        }
        TaskLayout layout = new TaskLayout(tasks, random.nextBoolean() ? HeadScope.JOINT : HeadScope.PER_TASK);
        int rows = 1 + random.nextInt(9);
        float[] logits = new float[rows * layout.columns()];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) (3 * random.nextGaussian());
        }
        return new RandomTasks(layout, labels(layout, rows, random), logits);
    }

    static BatchLabels labels(TaskLayout layout, int rows, Random random) {
        float[] labels = new float[rows * layout.size()];
        for (int i = 0; i < labels.length; i++) {
            Task task = layout.task(i % layout.size());
            labels[i] = random.nextInt(4) == 0 ? Float.NaN
                    : task instanceof CategoricalTask categorical ? random.nextInt(categorical.classes())
                    : task instanceof BinaryTask ? random.nextInt(2)
                    : (float) random.nextGaussian();
        }
        return new BatchLabels(layout, labels);
    }
}
