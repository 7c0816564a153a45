package io.emtal.onnx.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.emtal.onnx.task.QualityRetaining.Weighting;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The numbers that a correct implementation of losses and Quality Retaining reproduces, by their number. */
class MethodNumbersTest {

    private static final TaskLayout ONE = new TaskLayout(List.of(new CategoricalTask("t", 3)));
    private static final BatchLabels LABEL_0 = new BatchLabels(ONE, new float[] {0});
    private static final float[] STUDENT = {2, 0, -1};
    private static final float[] FIRST = {1, 0, 0};
    private static final float[] SECOND = {2, 1, 0};
    private static final double CROSS_ENTROPY = 0.169846;
    private static final double TOLERANCE = 2e-6;

    @Test
    void number09_klDivergenceAndItsGradient() {
        assertEquals(0.324380, retaining(constant(1), FIRST).loss(), TOLERANCE);
        assertEquals(0.123436, retaining(constant(1), SECOND).loss(), TOLERANCE);
        Retained both = retaining(constant(2), FIRST, SECOND);
        assertEquals(0.447815, both.loss(), TOLERANCE);
        assertArrayEquals(new float[] {0.597441f, -0.237633f, -0.359807f}, both.gradient(), 2e-6f);
        assertEquals(0.796359, retaining(constant(1), new float[3]).loss(), TOLERANCE);
    }

    @Test
    void number10_crossEntropySmoothingRunningLossAndReferenceOrder() {
        Losses losses = new Losses();
        double unsmoothed = losses.means(LABEL_0, STUDENT)[0];
        assertEquals(CROSS_ENTROPY, unsmoothed, TOLERANCE);
        double smoothed = LossGraph.of(losses, LABEL_0, STUDENT).loss();
        assertEquals(0.336513, smoothed, TOLERANCE);

        QualityRetaining reference = QualityRetaining.builder().weighting(Weighting.MEAN_FROM_TEN).build();
        RetainingState state = reference.start(ONE, 1);
        assertEquals(10, state.runningLoss(0));
        state.record(LABEL_0, null, STUDENT, new double[] {unsmoothed});
        assertEquals(9.508492, state.runningLoss(0), TOLERANCE);

        // The reference moves the running loss before it reads the bank: this mean beside the bank of before.
        var bank = filled(reference, FIRST, SECOND).snapshot();
        var mean = state.snapshot();
        state.restore(new RetainingState.Snapshot(bank.bank(), bank.visits(), mean.means(), mean.meanCounts(),
                bank.best(), bank.bestError()));
        double retained = retained(reference, state).loss();
        assertEquals(0.047096, retained, TOLERANCE);
        assertEquals(0.383609, smoothed + retained, TOLERANCE);
    }

    @Test
    void number11_theBankIsReadBeforeItIsWritten() {
        QualityRetaining settings = constant(2);
        RetainingState state = settings.start(ONE, 1);
        assertEquals(0, retained(settings, state).loss());
        state.record(LABEL_0, null, FIRST, new double[] {1});
        state.record(LABEL_0, null, SECOND, new double[] {1});
        assertArrayEquals(FIRST, state.slot(0, 0, 0));
        assertArrayEquals(SECOND, state.slot(0, 0, 1));
        assertEquals(2, state.visits(0, 0));
        for (int unseen = 1; unseen < 3; unseen++) {
            assertEquals(0, state.visits(0, unseen));
            assertArrayEquals(new float[3], state.slot(0, unseen, 0));
        }
        // Reading gives constants to the graph and leaves the bank as it is: no gradient can reach it.
        float[] before = state.snapshot().bank();
        retained(settings, state);
        assertArrayEquals(before, state.snapshot().bank());

        Retained same = retaining(constant(2), STUDENT, STUDENT);
        assertEquals(0, same.loss(), 1e-6);
        assertArrayEquals(new float[3], same.gradient(), 1e-6f);
    }

    @Test
    void number12_halvingTheRunningLossDoublesThatTasksGradientOnly() {
        TaskLayout two = new TaskLayout(List.of(new CategoricalTask("t", 3), new CategoricalTask("u", 2)));
        BatchLabels labels = new BatchLabels(two, new float[] {0, 1});
        float[] logits = {2, 0, -1, 0.5f, -0.5f};
        QualityRetaining settings = new QualityRetaining();
        RetainingState state = settings.start(two, 1);
        state.record(labels, null, new float[] {1, 0, 0, -1, 1}, new double[] {0.8, 0.6});
        float[] gradient = gradient(settings, two, state, labels, logits);

        var s = state.snapshot();
        state.restore(new RetainingState.Snapshot(s.bank(), s.visits(), new double[] {s.means()[0] / 2, s.means()[1]},
                s.meanCounts(), s.best(), s.bestError()));
        float[] halved = gradient(settings, two, state, labels, logits);
        for (int c = 0; c < 5; c++) {
            assertNotEquals(0, gradient[c]);
            assertEquals((c < 3 ? 2 : 1) * gradient[c], halved[c], 1e-6, "column " + c);
        }

        double before = state.runningLoss(1);
        state.record(new BatchLabels(two, new float[] {2, Float.NaN}), null, logits, new double[] {3, Double.NaN});
        assertEquals(before, state.runningLoss(1));
        assertNotEquals(0.4, state.runningLoss(0), 1e-3);
    }

    private record Retained(double loss, float[] gradient) {
    }

    private static QualityRetaining constant(int slots) {
        return QualityRetaining.builder().slots(slots).weighting(Weighting.CONSTANT).build();
    }

    private static RetainingState filled(QualityRetaining settings, float[]... slots) {
        RetainingState state = settings.start(ONE, 1);
        for (float[] logits : slots) {
            state.record(LABEL_0, null, logits, new double[] {1});
        }
        return state;
    }

    private static Retained retaining(QualityRetaining settings, float[]... slots) {
        return retained(settings, filled(settings, slots));
    }

    private static Retained retained(QualityRetaining settings, RetainingState state) {
        float[] teacher = new float[3];
        float[] teacherWeight = new float[3];
        double constant = state.teach(LABEL_0, null, teacher, teacherWeight);
        LossGraph graph = LossGraph.of(settings, ONE, STUDENT, teacher, teacherWeight);
        return new Retained(graph.loss() + constant, graph.gradient());
    }

    private static float[] gradient(QualityRetaining settings, TaskLayout layout, RetainingState state,
            BatchLabels labels, float[] logits) {
        float[] teacher = new float[logits.length];
        float[] teacherWeight = new float[logits.length];
        state.teach(labels, null, teacher, teacherWeight);
        return LossGraph.of(settings, layout, logits, teacher, teacherWeight).gradient();
    }
}
