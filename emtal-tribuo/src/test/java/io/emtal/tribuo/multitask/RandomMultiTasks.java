package io.emtal.tribuo.multitask;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Outputs with names that a format could trip over. */
public final class RandomMultiTasks {

    private static final String[] PIECES = {"\"", "'", "=", "/", ",", ";", "\n", "\r\n", "\t", "\\", "\\u0041", "@",
        "?", ":", " ", "<b>", "&amp;", "=1+1", "größe", "日本", "\uD83D\uDE00", "\u2028", "\u0000", "\u00a0", "true",
        "false", "NaN", "3.5", "1e5", "a", "Z", "_", "-", ".", "%s", "{0}", "#"};

    private RandomMultiTasks() {
    }

    /** A text of up to four pieces, the empty one included. */
    public static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(5); i > 0; i--) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }

    /** An output of up to five tasks, some with scores. */
    public static MultiTask draw(Random random) {
        List<TaskValue> values = new ArrayList<>();
        Set<String> tasks = new LinkedHashSet<>();
        for (int i = random.nextInt(6); i > 0; i--) {
            tasks.add(text(random));
        }
        for (String task : tasks) {
            double score = random.nextBoolean() ? Double.NaN : random.nextDouble();
            values.add(switch (random.nextInt(3)) {
                case 0 -> new TaskValue.Category(task, text(random), score);
                case 1 -> new TaskValue.Binary(task, random.nextBoolean(), score);
                default -> new TaskValue.Real(task, number(random));
            });
        }
        return MultiTask.of(values);
    }

    private static double number(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> random.nextInt(100) - 50;
            case 1 -> Double.MIN_VALUE;
            case 2 -> -Double.MAX_VALUE;
            case 3 -> -0.0;
            default -> random.nextGaussian() * Math.pow(10, random.nextInt(20) - 10);
        };
    }
}
