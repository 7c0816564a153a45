package io.emtal.samples.bench;

/** Takes training steps of a network. */
interface StepRunner extends AutoCloseable {
    /**
     * Takes one step.
     *
     * @param rows the rows
     * @return the mean loss of each task before the step, without label smoothing
     */
    double[] step(int[] rows);

    @Override
    void close();
}
