package io.emtal.onnx.task;

import java.util.List;

/** A task for tests in which it does not matter what is predicted. */
public final class OneTask {

    /** A number, standardised as it is. */
    public static final TaskLayout LAYOUT = new TaskLayout(List.of(new RealTask("y", 0, 1, 1)));

    private OneTask() {
    }
}
