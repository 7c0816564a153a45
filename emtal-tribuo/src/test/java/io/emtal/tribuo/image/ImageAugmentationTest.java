package io.emtal.tribuo.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.SplittableRandom;

class ImageAugmentationTest {

    private static Pixels noise(int height, int width, int channels, long seed) {
        Pixels image = new Pixels(height, width, channels);
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < image.data().length; i++) {
            image.data()[i] = (byte) (64 + random.nextInt(128));
        }
        return image;
    }

    @Test
    void allIsOffUnlessAskedFor() {
        ImageAugmentation none = ImageAugmentation.builder().build();
        assertTrue(none.isOff());
        Pixels image = noise(4, 4, 3, 1);
        assertSame(image, none.vary(image, new SplittableRandom(1)));
        assertFalse(ImageAugmentation.builder().horizontalFlip(0.1).build().isOff());
        assertFalse(ImageAugmentation.builder().colourJitter(0, 0, 0.1).build().isOff());
        assertThrows(EmtalException.class, () -> ImageAugmentation.builder().randomResizedCrop(1.1).build());
        assertThrows(EmtalException.class, () -> ImageAugmentation.builder().horizontalFlip(Double.NaN).build());
        assertThrows(EmtalException.class, () -> ImageAugmentation.builder().colourJitter(0, -0.1, 0).build());
    }

    @Test
    void flipsAsOftenAsAsked() {
        ImageAugmentation flip = ImageAugmentation.builder().horizontalFlip(0.3).build();
        Pixels image = noise(3, 5, 3, 2);
        int flipped = 0;
        for (int seed = 0; seed < 1000; seed++) {
            Pixels varied = flip.vary(image, new SplittableRandom(seed));
            if (varied != image) {
                flipped++;
                for (int y = 0; y < 3; y++) {
                    for (int x = 0; x < 5; x++) {
                        assertEquals(image.get(y, 4 - x, 1), varied.get(y, x, 1));
                    }
                }
            }
        }
        assertEquals(300, flipped, 60);
        assertArrayEquals(image.data(), image.mirrored().mirrored().data());
    }

    @Test
    void regionsLieWithinTheImageAndHaveTheirArea() {
        ImageAugmentation crop = ImageAugmentation.builder().randomResizedCrop(0.2).build();
        double least = 1;
        double most = 0;
        for (int seed = 0; seed < 2000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Pixels image = new Pixels(20 + random.nextInt(40), 20 + random.nextInt(40), 1);
            Resampler.Region region = crop.region(image, 14, 21, random);
            String message = "seed " + seed + ": " + region;
            assertTrue(region.top() >= 0 && region.left() >= 0
                    && region.top() + region.height() <= image.height() + 1e-9
                    && region.left() + region.width() <= image.width() + 1e-9, message);
            double area = region.height() * region.width() / (image.height() * image.width());
            least = Math.min(least, area);
            most = Math.max(most, area);
            double ratio = region.width() / region.height() * 14 / 21;
            assertTrue(ratio > 0.749 && ratio < 1.334, message);
        }
        assertEquals(0.2, least, 0.02);
        assertTrue(most > 0.8, "largest area " + most);
    }

    @Test
    void coloursVaryWithinTheirFactors() {
        Pixels image = noise(8, 8, 3, 3);
        ImageAugmentation brightness = ImageAugmentation.builder().colourJitter(0.2, 0, 0).build();
        ImageAugmentation contrast = ImageAugmentation.builder().colourJitter(0, 0.3, 0).build();
        ImageAugmentation saturation = ImageAugmentation.builder().colourJitter(0, 0, 1).build();
        for (int seed = 0; seed < 50; seed++) {
            Pixels brighter = brightness.vary(image, new SplittableRandom(seed));
            double factor = mean(brighter) / mean(image);
            assertTrue(factor > 0.79 && factor < 1.21, "seed " + seed + ": " + factor);
            for (int i = 0; i < image.data().length; i++) {
                assertEquals(Math.min(255, factor * (image.data()[i] & 0xff)), brighter.data()[i] & 0xff, 1.5);
            }
            Pixels flatter = contrast.vary(image, new SplittableRandom(seed));
            assertEquals(luminance(image), luminance(flatter), 1, "seed " + seed);
            Pixels paler = saturation.vary(image, new SplittableRandom(seed));
            assertEquals(luminance(image), luminance(paler), 2, "seed " + seed);
            assertArrayEquals(paler.data(), saturation.vary(image, new SplittableRandom(seed)).data());
        }
        Pixels grey = noise(8, 8, 1, 3);
        assertTrue(Arrays.equals(grey.data(), saturation.vary(grey, new SplittableRandom(1)).data()));
    }

    private static double mean(Pixels image) {
        double sum = 0;
        for (byte value : image.data()) {
            sum += value & 0xff;
        }
        return sum / image.data().length;
    }

    private static double luminance(Pixels image) {
        double sum = 0;
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < image.width(); x++) {
                sum += 0.299 * image.get(y, x, 0) + 0.587 * image.get(y, x, 1) + 0.114 * image.get(y, x, 2);
            }
        }
        return sum / (image.height() * image.width());
    }
}
