package io.emtal.tribuo.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.data.ImageInput.Channels;
import io.emtal.onnx.data.ImageInput.Interpolation;
import io.emtal.onnx.data.ImageInput.Layout;
import io.emtal.tribuo.output.EncodedOutputs;
import io.emtal.tribuo.output.LabelTasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.provenance.SimpleDataSourceProvenance;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

class ImageRowsTest {

    private static final ImageInput INPUT = new ImageInput(16, 16, Channels.RGB, Layout.NCHW, Interpolation.BILINEAR, 1,
            List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));
    private static final ImageAugmentation NONE = ImageAugmentation.builder().build();
    private static final ImageAugmentation ALL = ImageAugmentation.builder().randomResizedCrop(0.3).horizontalFlip(0.5)
            .colourJitter(0.3, 0.3, 0.3).build();
    private static final ImageRows.Limits LIMITS = new ImageRows.Limits(8, 1 << 20, 1 << 16, 2);

    @TempDir
    private Path folder;

    /** Rows that repeat a few images of different sizes. */
    private List<Example<Label>> examples(int size, int files) throws IOException {
        SplittableRandom random = new SplittableRandom(4);
        List<Path> written = new ArrayList<>();
        for (int i = 0; i < files; i++) {
            BufferedImage image = new BufferedImage(20 + i % 7, 30 - i % 5, BufferedImage.TYPE_INT_RGB);
            for (int p = 0; p < image.getWidth() * image.getHeight(); p++) {
                image.setRGB(p % image.getWidth(), p / image.getWidth(), random.nextInt(1 << 24));
            }
            written.add(Files.write(folder.resolve(i + ".png"), Drawings.encode(image, "png")));
        }
        return IntStream.range(0, size).mapToObj(i -> ImageExample.of(new Label("l" + i % 2), written.get(i % files)))
                .toList();
    }

    private static ImageRows rows(List<Example<Label>> examples, ImageAugmentation augmentation,
                                  ImageRows.Limits limits) {
        LabelFactory factory = new LabelFactory();
        MutableDataset<Label> dataset = new MutableDataset<>(new SimpleDataSourceProvenance("drawn", factory), factory);
        dataset.addAll(examples);
        EncodedOutputs outputs = new LabelTasks().codec(dataset.getOutputIDInfo()).encode(examples);
        ImageEncoder encoder = ImageEncoder.of(INPUT, ImagePreprocessing.builder().build(), augmentation);
        return new ImageRows(encoder, examples, outputs, limits);
    }

    private static float[] read(Examples rows, int row) {
        FloatBuffer target = FloatBuffer.allocate(rows.width());
        rows.inputs(row, target);
        assertFalse(target.hasRemaining());
        return target.array();
    }

    private static int[] order(int size, long seed) {
        int[] order = IntStream.range(0, size).toArray();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = size - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int row = order[i];
            order[i] = order[j];
            order[j] = row;
        }
        return order;
    }

    @Test
    void rowsAreWhatTheEncoderWrites() throws IOException {
        List<Example<Label>> examples = examples(30, 10);
        ImageEncoder encoder = ImageEncoder.of(INPUT, ImagePreprocessing.builder().build(), NONE);
        for (ImageAugmentation augmentation : List.of(NONE, ALL)) {
            try (ImageRows rows = rows(examples, augmentation, LIMITS)) {
                assertEquals(30, rows.size());
                Examples ahead = rows.inOrder(order(30, 1));
                for (int row : order(30, 1)) {
                    float[] expected = new float[rows.width()];
                    encoder.encode("row", examples.get(row), expected, 0);
                    assertArrayEquals(expected, read(rows, row));
                    assertArrayEquals(expected, read(ahead, row));
                    assertEquals(rows.label(row, 0), ahead.label(row, 0));
                }
            }
        }
    }

    /** In, against and beside the announced order, by one thread or several, cached or not: the same bits. */
    @Test
    void theSeedAloneDecidesWhatAnEpochLooksLike() throws IOException {
        List<Example<Label>> examples = examples(60, 12);
        float[][] expected = new float[60][];
        try (ImageRows rows = rows(examples, ALL, new ImageRows.Limits(4, 0, 0, 1))) {
            assertTrue(rows.augments());
            Examples epoch = rows.augmented(5);
            for (int row = 0; row < 60; row++) {
                expected[row] = read(epoch, row);
            }
            assertEquals(0, rows.cachedBytes());
            assertFalse(Arrays.equals(expected[3], read(rows, 3)));
            assertFalse(Arrays.equals(expected[3], read(rows.augmented(6), 3)));
            // Rows of one image are varied each in their own way.
            assertFalse(Arrays.equals(expected[0], expected[12]));
        }
        for (ImageRows.Limits limits : List.of(LIMITS, new ImageRows.Limits(1, 5000, 1 << 16, 3))) {
            try (ImageRows rows = rows(examples, ALL, limits)) {
                for (long seed = 0; seed < 3; seed++) {
                    int[] order = order(60, seed);
                    Examples epoch = rows.augmented(5).inOrder(order);
                    for (int row : seed == 0 ? order : order(60, seed + 7)) {
                        assertArrayEquals(expected[row], read(epoch, row), "seed " + seed + ", row " + row);
                    }
                }
            }
        }
    }

    @Test
    void workersShareAnEpoch() throws Exception {
        List<Example<Label>> examples = examples(200, 20);
        try (ImageRows rows = rows(examples, ALL, LIMITS)) {
            int[] order = order(200, 3);
            Examples plain = rows.augmented(9);
            Examples epoch = rows.augmented(9).inOrder(order);
            ExecutorService threads = Executors.newFixedThreadPool(3);
            List<Future<?>> workers = new ArrayList<>();
            for (int w = 0; w < 3; w++) {
                int worker = w;
                workers.add(threads.submit(() -> {
                    for (int start = worker * 10; start < order.length; start += 30) {
                        for (int i = start; i < Math.min(start + 10, order.length); i++) {
                            assertArrayEquals(read(plain, order[i]), read(epoch, order[i]), "row " + order[i]);
                        }
                    }
                }));
            }
            for (Future<?> worker : workers) {
                worker.get();
            }
            threads.shutdown();
        }
    }

    /** Rows that come several times in an epoch, one of them more often than announced, as where a batch is padded. */
    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void repeatedRowsAreDecodedAhead() throws InterruptedException {
        AtomicInteger ahead = new AtomicInteger();
        AtomicInteger late = new AtomicInteger();
        Thread reader = Thread.currentThread();
        List<Example<Label>> examples = IntStream.range(0, 40).mapToObj(i -> ImageExample.of(new Label("l" + i % 2),
                Drawings.watched(Drawings.quarters(20 + i, 20, BufferedImage.TYPE_INT_RGB),
                        () -> (Thread.currentThread() == reader ? late : ahead).incrementAndGet()))).toList();
        int[] order = IntStream.range(0, 200).map(i -> i * 7 % 40).toArray();
        try (ImageRows rows = rows(examples, ALL, new ImageRows.Limits(8, 0, 0, 1))) {
            Examples plain = rows.augmented(3);
            float[][] expected = IntStream.range(0, 40).mapToObj(row -> read(plain, row)).toArray(float[][]::new);
            late.set(0);
            Examples epoch = plain.inOrder(order);
            for (int i = 0; i < order.length; i++) {
                while (ahead.get() < Math.min(i + 7, order.length)) {
                    Thread.sleep(1);
                }
                for (int times = i % 10 == 9 ? 5 : 1; times > 0; times--) {
                    assertArrayEquals(expected[order[i]], read(epoch, order[i]), "position " + i);
                }
            }
            assertEquals(0, late.get());
            assertEquals(order.length, ahead.get());
        }
    }

    @Test
    void withoutAugmentationNothingIsVaried() throws IOException {
        try (ImageRows rows = rows(examples(4, 4), NONE, LIMITS)) {
            assertFalse(rows.augments());
            assertArrayEquals(read(rows, 2), read(rows.augmented(1), 2));
        }
    }

    /** A hundred thousand rows of a few images: what is decoded ahead and kept stays within its bounds. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void memoryIsBoundedOverManyRows(boolean augmented) throws IOException {
        int size = 100_000;
        int elements = INPUT.elements();
        ImageRows.Limits limits = new ImageRows.Limits(32, 36L * elements, 1 << 16, 1);
        ImageAugmentation augmentation = augmented ? ImageAugmentation.builder().horizontalFlip(0.5).build() : NONE;
        try (ImageRows rows = rows(examples(size, 40), augmentation, limits)) {
            int[] order = order(size, 6);
            Examples epoch = rows.augmented(1).inOrder(order);
            FloatBuffer target = FloatBuffer.allocate(elements);
            long before = 0;
            for (int i = 0; i < size; i++) {
                epoch.inputs(order[i], target.clear());
                if (i == 2000) {
                    before = usedMemory();
                }
            }
            long grown = usedMemory() - before;
            // All rows as floats would be 307 MB, as bytes 77 MB.
            assertTrue(grown < 8_000_000, "the heap grew by " + grown + " bytes");
            assertTrue(rows.cachedBytes() <= 36L * elements && rows.cachedBytes() > 0, "kept " + rows.cachedBytes());
        }
    }

    private static long usedMemory() {
        long used = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            System.gc();
            used = Math.min(used, Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
        }
        return used;
    }

    @Test
    void largeImagesAreNotKept() throws IOException {
        try (ImageRows rows = rows(examples(10, 10), ALL, new ImageRows.Limits(4, 1 << 20, 700 * 3, 1))) {
            for (int row = 0; row < 10; row++) {
                read(rows, row);
            }
            // Of 20 to 26 by 26 to 30 pixels, some are above 700.
            assertTrue(rows.cachedBytes() > 0 && rows.cachedBytes() < 10 * 700 * 3, "kept " + rows.cachedBytes());
        }
    }

    @Test
    void aDamagedImageFailsTheReadThatNeedsIt() throws IOException {
        List<Example<Label>> examples = examples(20, 20);
        Files.write(folder.resolve("11.png"), Arrays.copyOf(Files.readAllBytes(folder.resolve("11.png")), 200));
        try (ImageRows rows = rows(examples, NONE, LIMITS)) {
            Examples ahead = rows.inOrder(IntStream.range(0, 20).toArray());
            for (int row = 0; row < 11; row++) {
                read(ahead, row);
            }
            String message = assertThrows(EmtalException.class, () -> read(ahead, 11)).getMessage();
            assertTrue(message.startsWith("row 11, ") && message.contains("11.png"), message);
            read(ahead, 12);
        }
    }

    /** The flag is there before a file is read, too. */
    @Test
    void anInterruptBreaksNoReadOff() throws IOException {
        try (ImageRows rows = rows(examples(20, 20), NONE, new ImageRows.Limits(8, 0, 0, 2))) {
            Examples ahead = rows.inOrder(IntStream.range(0, 20).toArray());
            for (int row = 0; row < 20; row++) {
                float[] expected = read(rows, row);
                Thread.currentThread().interrupt();
                assertArrayEquals(expected, read(row % 2 == 0 ? rows : ahead, row), "row " + row);
                assertTrue(Thread.interrupted(), "row " + row);
            }
        }
    }

    @Test
    void rowsCanBeReadAfterTheThreadsEnded() throws IOException {
        ImageRows rows = rows(examples(20, 5), ALL, LIMITS);
        float[] expected = read(rows.augmented(2), 7);
        Examples epoch = rows.augmented(2).inOrder(order(20, 1));
        rows.close();
        rows.close();
        assertArrayEquals(expected, read(epoch, 7));
        assertArrayEquals(expected, read(rows.augmented(2).inOrder(new int[] {7, 8}), 7));
        assertNotEquals(0, rows.size());
    }
}
