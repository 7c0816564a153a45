package io.emtal.onnx.predict;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

class DensePredictorTest {

    /** y = 2·(x0 + … + x5), and x0. The input is [batch, 2, 3]. */
    private static ByteString network() {
        GraphBuilder graph = new GraphBuilder();
        Value input = graph.input("x", ElementType.FLOAT, Shape.BATCH, 2, 3);
        Value flat = graph.reshape(input, 0, 6);
        Value weights = graph.initializer("w", Tensor.of(new float[] {2, 1, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0}, 6, 2));
        graph.output("y", graph.matMul(flat, weights));
        return OnnxFile.toModel(graph.build(), "sum").toByteString();
    }

    private static float[] rows(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] rows = new float[count * 6];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = random.nextInt(10);
        }
        return rows;
    }

    private static float[] expected(float[] rows) {
        float[] expected = new float[rows.length / 3];
        for (int i = 0; i < rows.length; i++) {
            expected[i / 6 * 2] += 2 * rows[i];
        }
        for (int r = 0; r < rows.length / 6; r++) {
            expected[r * 2 + 1] = rows[r * 6];
        }
        return expected;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 255, 256, 257, 1000})
    void everyNumberOfRowsComesBackInOrder(int count) {
        float[] rows = rows(count, count);
        try (DensePredictor predictor = new DensePredictor(network(), 1)) {
            assertEquals(6, predictor.inputWidth());
            assertEquals(2, predictor.outputWidth());
            assertArrayEquals(expected(rows), predictor.predict(rows, count));
        }
    }

    @Test
    void buffersOfEveryKindAreReadFromTheirPositionWithoutMovingIt() {
        float[] rows = rows(7, 1);
        for (ByteOrder order : new ByteOrder[] {ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN}) {
            FloatBuffer direct = ByteBuffer.allocateDirect((rows.length + 3) * Float.BYTES).order(order).asFloatBuffer();
            direct.position(3).put(rows).position(3);
            try (DensePredictor predictor = new DensePredictor(network(), 2)) {
                assertArrayEquals(expected(rows), predictor.predict(direct, 7), order.toString());
                assertEquals(3, direct.position());
            }
        }
    }

    @Test
    void tooFewRowsAreRejected() {
        try (DensePredictor predictor = new DensePredictor(network(), 1)) {
            var e = assertThrows(EmtalException.class, () -> predictor.predict(new float[11], 2));
            assertTrue(e.getMessage().contains("11"), e.getMessage());
        }
    }

    @Test
    void fault1_whatIsNoModelIsRejectedBeforeAnyNativeCall() {
        assertThrows(EmtalException.class, () -> new DensePredictor(ByteString.copyFromUtf8("no model"), 1));
        assertThrows(EmtalException.class, () -> new DensePredictor(ByteString.EMPTY, 1));
        assertThrows(EmtalException.class, () -> new DensePredictor(network().substring(0, 40), 1));
    }

    @Test
    void fault24_closingTwiceIsNoErrorAndUseAfterCloseIsOne() {
        DensePredictor unused = new DensePredictor(network(), 1);
        unused.close();
        unused.close();
        assertThrows(IllegalStateException.class, () -> unused.predict(new float[6], 1));
        DensePredictor used = new DensePredictor(network(), 1);
        used.predict(new float[6], 1);
        used.close();
        used.close();
        assertThrows(IllegalStateException.class, () -> used.predict(new float[6], 1));
        assertEquals(network(), used.model());
    }

    @Test
    void fault24_manyThreadsPredictWhileOneCloses() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 50; round++) {
                DensePredictor predictor = new DensePredictor(network(), 1);
                float[] rows = rows(300, round);
                float[] expected = expected(rows);
                List<Callable<Integer>> tasks = new ArrayList<>();
                for (int t = 0; t < 4; t++) {
                    tasks.add(() -> {
                        int done = 0;
                        while (true) {
                            float[] predicted;
                            try {
                                predicted = predictor.predict(rows, 300);
                            } catch (IllegalStateException closed) {
                                return done;
                            }
                            assertArrayEquals(expected, predicted);
                            if (++done == 3) {
                                predictor.close();
                            }
                        }
                    });
                }
                for (Future<Integer> done : threads.invokeAll(tasks)) {
                    done.get();
                }
            }
        } finally {
            threads.shutdown();
        }
    }

    /** Threads find their predictor closed at any moment, and go on with the one that takes its place. */
    @ParameterizedTest
    @ValueSource(ints = {1, 8, 32})
    void fault24_threadsPredictWhileOneClosesAndReopens(int count) throws Exception {
        AtomicReference<DensePredictor> current = new AtomicReference<>(new DensePredictor(network(), 1));
        AtomicInteger predictions = new AtomicInteger();
        AtomicInteger running = new AtomicInteger(count);
        AtomicInteger closures = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(count + 1);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < count; t++) {
                float[] rows = rows(20 + t, t);
                float[] expected = expected(rows);
                all.add(threads.submit(() -> {
                    try {
                        for (int done = 0; done < 300 || closures.get() < 3;) {
                            try {
                                assertArrayEquals(expected, current.get().predict(rows, rows.length / 6));
                                done++;
                                predictions.incrementAndGet();
                            } catch (IllegalStateException closed) {
                                Thread.onSpinWait();
                            }
                        }
                    } finally {
                        running.decrementAndGet();
                    }
                }));
            }
            all.add(threads.submit(() -> {
                while (running.get() > 0) {
                    current.getAndSet(new DensePredictor(network(), 1)).close();
                    closures.incrementAndGet();
                }
            }));
            for (Future<?> done : all) {
                done.get();
            }
            assertTrue(predictions.get() >= 300 * count, "predictions " + predictions);
        } finally {
            threads.shutdown();
            current.get().close();
        }
    }
}
