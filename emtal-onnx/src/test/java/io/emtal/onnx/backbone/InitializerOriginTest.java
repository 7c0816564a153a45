package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

class InitializerOriginTest {

    @Test
    void wholeConstantsAreNotCopied() {
        Tensor constant = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
        assertSame(constant.floats(), InitializerOrigin.of("w").take(constant));
    }

    @Test
    void takesATransposedPartOfAJointWeight() {
        Tensor joint = Tensor.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 2, 4);
        InitializerOrigin keys = InitializerOrigin.range("qk", 1, 2, 4).permuted(1, 0);
        assertArrayEquals(new float[] {3, 7, 4, 8}, keys.take(joint));
        assertEquals(Tensor.of(new float[] {1, 2, 10, 30, 5, 6, 20, 40}, 2, 4),
                keys.put(joint, new float[] {10, 20, 30, 40}));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void whatIsPutIsTakenAndNothingElseChanges(long seed) {
        Random random = new Random(seed);
        int rank = 1 + random.nextInt(4);
        long[] extents = IntStream.range(0, rank).mapToLong(i -> 1 + random.nextInt(4)).toArray();
        Shape shape = Shape.of(extents);
        float[] zeros = new float[shape.size()];
        int axis = random.nextInt(rank);
        int start = random.nextInt((int) extents[axis]);
        int end = start + 1 + random.nextInt((int) extents[axis] - start);
        List<Integer> axes = new ArrayList<>(IntStream.range(0, rank).boxed().toList());
        Collections.shuffle(axes, random);
        InitializerOrigin origin = InitializerOrigin.range("w", axis, start, end)
                .permuted(axes.toArray(Integer[]::new));
        float[] elements = new float[origin.size(shape)];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = i + 1;
        }
        Tensor put = origin.put(Tensor.of(zeros, extents), elements);
        assertArrayEquals(elements, origin.take(put), "seed " + seed);
        int written = 0;
        for (float element : put.floats()) {
            written += element == 0 ? 0 : 1;
        }
        assertEquals(elements.length, written, "seed " + seed);
    }

    @Test
    void refusesWhatAConstantDoesNotHave() {
        assertThrows(EmtalException.class, () -> InitializerOrigin.range("w", 0, 2, 2));
        assertThrows(EmtalException.class, () -> InitializerOrigin.of("w").permuted(0, 0));
        assertThrows(EmtalException.class, () -> InitializerOrigin.of("w").permuted(1, 0).permuted(1, 0));
        assertThrows(EmtalException.class, () -> InitializerOrigin.range("w", 1, 0, 3).size(Shape.of(4, 2)));
        assertThrows(EmtalException.class, () -> InitializerOrigin.of("w").permuted(1, 0).size(Shape.of(4)));
    }
}
