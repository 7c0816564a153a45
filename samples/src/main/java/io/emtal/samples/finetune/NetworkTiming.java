package io.emtal.samples.finetune;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.ImageInput;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Measures networks beside each other in ONNX Runtime, on one thread each. */
final class NetworkTiming {
    private static final int BATCH = 16;
    private static final int WARM_UPS = 3;
    private static final int RUNS = 31;

    /** With one thread, ONNX Runtime works on the caller's; its processor time leaves out what other programs take. */
    private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();

    private NetworkTiming() {
    }

    /**
     * The processor time of an image, in batches of {@value #BATCH} where a network takes such.
     *
     * @param networks ONNX models of one input
     * @param images what an image is
     * @return milliseconds a network: the median of runs in turns
     * @throws EmtalException if ONNX Runtime refuses a network
     */
    static double[] millisPerImage(List<byte[]> networks, ImageInput images) {
        double[][] times = new double[networks.size()][RUNS];
        List<Network> all = new ArrayList<>();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            for (byte[] network : networks) {
                all.add(Network.of(OrtEnvironment.getEnvironment().createSession(network, options), images));
            }
            for (int run = -WARM_UPS; run < RUNS; run++) {
                for (int i = 0; i < times.length; i++) {
                    // Whoever comes first in a turn pays for what the others left in the caches.
                    int next = Math.floorMod(i + run, times.length);
                    double millis = all.get(next).millisPerImage();
                    if (run >= 0) {
                        times[next][run] = millis;
                    }
                }
            }
            return Arrays.stream(times).mapToDouble(own -> Arrays.stream(own).sorted().skip(RUNS / 2).findFirst()
                    .orElseThrow()).toArray();
        } catch (OrtException e) {
            throw new EmtalException("timing: ONNX Runtime refuses a network: " + e.getMessage(), e);
        } finally {
            all.forEach(Network::close);
        }
    }

    private record Network(OrtSession session, String input, OnnxTensor images) implements AutoCloseable {
        static Network of(OrtSession session, ImageInput images) throws OrtException {
            String input = session.getInputNames().iterator().next();
            long[] shape = ((TensorInfo) session.getInputInfo().get(input).getInfo()).getShape();
            shape[0] = shape[0] > 0 ? shape[0] : BATCH;
            if (Arrays.stream(shape).anyMatch(extent -> extent < 1)) {
                boolean planes = images.layout() == ImageInput.Layout.NCHW;
                int channels = images.channels().count();
                shape = new long[] {shape[0], planes ? channels : images.height(),
                    planes ? images.height() : images.width(), planes ? images.width() : channels};
            }
            float[] pixels = new float[(int) shape[0] * images.elements()];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) Math.sin(i);
            }
            return new Network(session, input,
                    OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), FloatBuffer.wrap(pixels), shape));
        }

        double millisPerImage() throws OrtException {
            long begun = CLOCK.getCurrentThreadCpuTime();
            session.run(Map.of(input, images)).close();
            return (CLOCK.getCurrentThreadCpuTime() - begun) * 1e-6 / images.getInfo().getShape()[0];
        }

        @Override
        public void close() {
            images.close();
            try {
                session.close();
            } catch (OrtException e) {
                throw new EmtalException("timing: ONNX Runtime failed to close a session: " + e.getMessage(), e);
            }
        }
    }
}
