package io.emtal.tribuo.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.data.ImageInput.Channels;
import io.emtal.onnx.data.ImageInput.Layout;
import io.emtal.tribuo.SharedData;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.tribuo.Example;
import org.tribuo.multilabel.MultiLabel;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A trained transformer scores what it is known to, when this package makes the tensors from PNG files. */
class MnistTest {

    private static final int BATCH = 250;
    private static final ImageEncoder ENCODER = ImageEncoder.of(
            new ImageInput(28, 28, Channels.GREY, Layout.NCHW),
            ImagePreprocessing.builder().mean(0.1307).deviation(0.3081).build(), ImageAugmentation.builder().build());

    private static float[][] logits(List<Example<MultiLabel>> examples) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        float[][] logits = new float[examples.size()][];
        String model = SharedData.path("vit-mnist-onnx/vit-mnist-opset17.onnx").toString();
        try (OrtSession session = environment.createSession(model)) {
            for (int start = 0; start < logits.length; start += BATCH) {
                int size = Math.min(BATCH, logits.length - start);
                float[] rows = new float[size * 784];
                for (int i = 0; i < size; i++) {
                    ENCODER.encode("row " + (start + i), examples.get(start + i), rows, i * 784);
                }
                try (OnnxTensor input = OnnxTensor.createTensor(environment, FloatBuffer.wrap(rows),
                        new long[] {size, 1, 28, 28});
                     OrtSession.Result result = session.run(Map.of("pixel_values", input))) {
                    System.arraycopy(result.get(0).getValue(), 0, logits, start, size);
                }
            }
        }
        return logits;
    }

    private static List<Example<MultiLabel>> digits() {
        List<Example<MultiLabel>> examples = new ArrayList<>();
        ImageTable.builder(SharedData.path("images/mnist/index.csv")).labels("digit").build().forEach(examples::add);
        return examples;
    }

    @Test
    void firstImage() throws OrtException {
        float[] expected = {-3.01837f, -0.07440f, 1.40368f, -0.97993f, -0.81936f, -2.99007f, -8.48852f, 12.28994f,
                -4.22387f, 1.67688f};
        assertArrayEquals(expected, logits(digits().subList(0, 1))[0], 3e-5f);
    }

    @Tag("long")
    @Test
    void allImages() throws OrtException {
        List<Example<MultiLabel>> examples = digits();
        float[][] logits = logits(examples);
        int correct = 0;
        double crossEntropy = 0;
        for (int i = 0; i < logits.length; i++) {
            float[] own = logits[i];
            int digit = examples.get(i).getOutput().getNameSet().iterator().next().charAt("digit=".length()) - '0';
            int best = IntStream.range(0, 10).reduce((a, b) -> own[b] > own[a] ? b : a).orElseThrow();
            correct += best == digit ? 1 : 0;
            double sum = IntStream.range(0, 10).mapToDouble(c -> Math.exp(own[c] - own[best])).sum();
            crossEntropy += Math.log(sum) - own[digit] + own[best];
        }
        assertEquals(9721, correct, Arrays.toString(logits[0]));
        assertEquals(0.08713, crossEntropy / logits.length, 2e-5);
    }
}
