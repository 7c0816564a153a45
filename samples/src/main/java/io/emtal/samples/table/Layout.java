package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import java.util.List;
import java.util.OptionalInt;

/** Where the rows of a table are, and how they are split into training and test rows. */
public sealed interface Layout {
    /**
     * The files of the rows.
     *
     * @return their names in the folder
     */
    List<String> files();

    /**
     * A training file and a test file.
     *
     * @param train the training file's name in the folder
     * @param test the test file's name
     * @param trainRows how many rows it must have, where the schema says so
     * @param testRows likewise for the test file
     */
    record TrainTest(String train, String test, OptionalInt trainRows, OptionalInt testRows) implements Layout {
        @Override
        public List<String> files() {
            return List.of(train, test);
        }
    }

    /**
     * One file whose first column says in which fold a row is tested.
     *
     * @param data the file's name in the folder
     * @param column the name of the fold's column
     * @param folds how many folds there are; the cells hold 0 to folds - 1
     * @param rows how many rows the file must have, where the schema says so
     */
    record Folds(String data, String column, int folds, OptionalInt rows) implements Layout {
        /**
         * Checks the number of folds.
         *
         * @throws EmtalException if there are fewer than two
         */
        public Folds {
            EmtalException.check(folds >= 2, "%d folds; allowed are 2 or more", folds);
        }

        @Override
        public List<String> files() {
            return List.of(data);
        }
    }
}
