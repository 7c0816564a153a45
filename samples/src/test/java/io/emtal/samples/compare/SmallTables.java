package io.emtal.samples.compare;

import io.emtal.samples.table.TableFolder;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;

/** Small data sets of every kind, with missing cells, a constant feature and a nominal one. */
final class SmallTables {
    private static final String FEATURES = """
            "features": [{"name": "x", "type": "numeric"}, {"name": "y", "type": "numeric"},
                         {"name": "constant", "type": "numeric"},
                         {"name": "c", "type": "nominal", "values": ["red", "green", "blue"]}],
            """;

    private SmallTables() {
    }

    static TableFolder regression(Path folder) {
        StringBuilder rows = new StringBuilder("fold,x,y,constant,c,s,t\n");
        Random random = new Random(1);
        for (int i = 0; i < 36; i++) {
            double x = random.nextGaussian();
            double y = random.nextGaussian();
            rows.append(i % 2).append(',').append(features(i, x, y))
                    .append(String.format(Locale.ROOT, "%.3f,%.3f%n", 3 * x + 10, 100 * x * y - 5));
        }
        return new TableFolder(folder).with("schema.json", """
                {"name": "numbers", "kind": "regression",
                 "files": {"data": "data.csv", "fold_column": "fold", "folds": 2},
                """ + FEATURES + """
                 "targets": [{"name": "s", "type": "numeric"}, {"name": "t", "type": "numeric"}]}
                """).with("data.csv", rows.toString());
    }

    /** Label "always" is 1 in each training row, label "never" in none. */
    static TableFolder multiLabel(Path folder) {
        return new TableFolder(folder).with("schema.json", """
                {"name": "tags", "kind": "multilabel", "files": {"train": "train.csv", "test": "test.csv"},
                """ + FEATURES + """
                 "targets": [{"name": "p", "type": "nominal", "values": ["0", "1"]},
                             {"name": "q", "type": "nominal", "values": ["0", "1"]},
                             {"name": "always", "type": "nominal", "values": ["0", "1"]},
                             {"name": "never", "type": "nominal", "values": ["0", "1"]}]}
                """).with("train.csv", tags(30, 1, false)).with("test.csv", tags(20, 2, true));
    }

    private static String tags(int count, long seed, boolean test) {
        StringBuilder rows = new StringBuilder("x,y,constant,c,p,q,always,never\n");
        Random random = new Random(seed);
        for (int i = 0; i < count; i++) {
            double x = random.nextGaussian();
            double y = random.nextGaussian();
            rows.append(features(i, x, y)).append(x > 0 ? 1 : 0).append(',').append(y > 0.5 ? 1 : 0).append(',')
                    .append(test && i % 2 == 0 ? 0 : 1).append(',').append(test && i % 3 == 0 ? 1 : 0).append('\n');
        }
        return rows.toString();
    }

    /** Targets of three kinds, each missing in some rows of either part. */
    static TableFolder mixed(Path folder) {
        StringBuilder rows = new StringBuilder("fold,x,y,constant,c,n,b,k\n");
        Random random = new Random(5);
        for (int i = 0; i < 48; i++) {
            double x = random.nextGaussian();
            double y = random.nextGaussian();
            rows.append(i % 2).append(',').append(features(i, x, y))
                    .append(i % 5 == 0 ? "" : String.format(Locale.ROOT, "%.3f", 3 * x + 10)).append(',')
                    .append(i % 7 == 0 ? "" : x > 0 ? "1" : "0").append(',')
                    .append(i % 3 == 0 ? "" : y > 0 ? "hi" : "lo").append('\n');
        }
        return new TableFolder(folder).with("schema.json", """
                {"name": "mixture", "kind": "mixed",
                 "files": {"data": "data.csv", "fold_column": "fold", "folds": 2},
                """ + FEATURES + """
                 "targets": [{"name": "n", "type": "numeric"}, {"name": "b", "type": "nominal", "values": ["0", "1"]},
                             {"name": "k", "type": "nominal", "values": ["lo", "hi"]}]}
                """).with("data.csv", rows.toString());
    }

    /** Target "single" has one class in the training rows. */
    static TableFolder categorical(Path folder) {
        return new TableFolder(folder).with("schema.json", """
                {"name": "classes", "kind": "categorical", "files": {"train": "train.csv", "test": "test.csv"},
                """ + FEATURES + """
                 "targets": [{"name": "k", "type": "nominal", "values": ["u, first", "v=2", "w"]},
                             {"name": "single", "type": "nominal", "values": ["yes", "no"]}]}
                """).with("train.csv", classes(40, 1, false)).with("test.csv", classes(20, 2, true));
    }

    private static String classes(int count, long seed, boolean test) {
        StringBuilder rows = new StringBuilder("x,y,constant,c,k,single\n");
        Random random = new Random(seed);
        for (int i = 0; i < count; i++) {
            double x = random.nextGaussian();
            rows.append(features(i, x, random.nextGaussian()))
                    .append(x > 0.5 ? "\"u, first\"" : x < -0.5 ? "v=2" : "w").append(',')
                    .append(test && i % 4 == 0 ? "no" : "yes").append('\n');
        }
        return rows.toString();
    }

    private static String features(int row, double x, double y) {
        String colour = row % 5 == 0 ? "" : new String[] {"red", "green", "blue"}[row % 3];
        return String.format(Locale.ROOT, "%.3f,%s,7,%s,", x, row % 7 == 0 ? "" : String.format(Locale.ROOT, "%.3f", y),
                colour);
    }
}
