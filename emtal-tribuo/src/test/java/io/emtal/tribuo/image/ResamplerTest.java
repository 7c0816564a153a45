package io.emtal.tribuo.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.emtal.onnx.data.ImageInput.Interpolation;
import io.emtal.tribuo.image.Resampler.Region;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.Arrays;

class ResamplerTest {

    private static final int HEIGHT = 7;
    private static final int WIDTH = 9;

    private static Pixels pattern(int channels) {
        Pixels image = new Pixels(HEIGHT, WIDTH, channels);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                for (int c = 0; c < channels; c++) {
                    image.data()[(y * WIDTH + x) * channels + c] = (byte) (x * 37 + y * y * 11 + x * y * 5 + c * 90);
                }
            }
        }
        return image;
    }

    /** What Pillow 12.3.0 makes of the same image with Image.resize((width, height), filter, box). */
    @ParameterizedTest
    @CsvSource({
        "BILINEAR, 3, 4, 0 0 7 9, 49 131 141 73 125 156 113 106 118 112 115 103",
        "BILINEAR, 4, 4, 0 1 7 7, 59 129 171 75 116 179 108 106 143 130 119 102 115 111 121 109",
        "BILINEAR, 4, 5, 0.75 1.5 5.75 5.75, "
                + "80 126 173 164 60 144 199 162 75 119 137 132 114 143 78 112 133 89 123 104",
        "BILINEAR, 10, 13, 0 0 7 9, "
                + "0 20 46 71 97 122 148 174 199 205 54 20 40 6 28 55 83 110 137 165 193 166 98 46 46 68 "
                + "19 43 73 103 133 162 192 178 115 26 56 86 109 42 67 100 132 165 197 229 93 46 71 103 135 160 "
                + "80 107 142 176 211 194 114 87 94 129 164 122 59 126 155 171 147 177 163 85 122 125 107 144 105 44 "
                + "168 199 182 53 75 111 141 180 126 16 57 90 114 58 91 118 116 153 136 45 87 105 108 150 103 32 "
                + "73 108 126 91 126 127 74 119 119 93 138 116 75 140 176 163 33 59 106 152 198 146 35 82 128 164",
        "BICUBIC, 3, 4, 0 0 7 9, 37 137 148 67 129 162 108 107 121 109 116 102",
        "BICUBIC, 4, 4, 0 1 7 7, 52 130 186 66 118 193 102 106 149 129 116 105 113 107 122 108",
        "BICUBIC, 4, 5, 0.75 1.5 5.75 5.75, "
                + "75 123 182 175 50 149 215 164 58 122 139 130 109 154 74 108 136 85 124 104",
        "BICUBIC, 10, 13, 0 0 7 9, "
                + "0 16 45 70 96 120 146 171 215 226 41 3 39 2 22 53 79 107 133 161 212 184 96 33 37 65 "
                + "14 37 71 100 130 164 196 200 114 0 46 92 116 39 63 100 131 164 206 235 81 23 70 102 142 169 "
                + "74 99 143 192 243 214 103 63 85 147 194 126 46 130 164 183 150 193 171 74 126 136 111 161 104 32 "
                + "169 215 197 41 57 108 146 204 134 3 46 94 123 40 74 111 123 177 148 31 69 101 116 173 102 16 "
                + "61 101 126 91 138 136 68 116 121 96 152 120 71 143 195 181 18 39 103 161 227 156 20 68 136 178",
        "NEAREST, 3, 4, 0 0 7 9, 53 137 221 49 151 255 103 207 81 205 73 197",
        "NEAREST, 4, 4, 0 1 7 7, 37 111 185 3 91 185 23 117 233 91 205 63 207 85 219 97",
        "NEAREST, 4, 5, 0.75 1.5 5.75 5.75, "
                + "95 137 179 221 7 138 185 232 23 70 34 91 148 205 6 143 205 11 73 135"})
    void agreesWithPillow(Interpolation interpolation, int height, int width, String region, String expected) {
        double[] r = Arrays.stream(region.split(" ")).mapToDouble(Double::parseDouble).toArray();
        Pixels found = Resampler.resize(pattern(1), new Region(r[0], r[1], r[2], r[3]), height, width, interpolation);
        int[] values = Arrays.stream(expected.split(" ")).mapToInt(Integer::parseInt).toArray();
        assertEquals(values.length, found.data().length);
        for (int i = 0; i < values.length; i++) {
            assertEquals(values[i], found.data()[i] & 0xff, "pixel " + i);
        }
    }

    @ParameterizedTest
    @EnumSource(Interpolation.class)
    void channelsAreResizedAlike(Interpolation interpolation) {
        Region region = new Region(1, 2, 5, 5.5);
        Pixels whole = Resampler.resize(pattern(3), region, 4, 6, interpolation);
        for (int c = 0; c < 3; c++) {
            Pixels one = new Pixels(HEIGHT, WIDTH, 1);
            for (int i = 0; i < one.data().length; i++) {
                one.data()[i] = pattern(3).data()[i * 3 + c];
            }
            Pixels resized = Resampler.resize(one, region, 4, 6, interpolation);
            for (int i = 0; i < 24; i++) {
                assertEquals(resized.data()[i], whole.data()[i * 3 + c], "channel " + c + ", pixel " + i);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Interpolation.class)
    void anImageOfTheWantedSizeStaysAsItIs(Interpolation interpolation) {
        Pixels image = pattern(1);
        Region whole = Region.centre(image, HEIGHT, WIDTH, 1);
        assertSame(image, Resampler.resize(image, whole, HEIGHT, WIDTH, interpolation));
        Pixels part = Resampler.resize(image, new Region(2, 3, 4, 5), 4, 5, interpolation);
        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < 5; x++) {
                assertEquals(image.get(y + 2, x + 3, 0), part.get(y, x, 0));
            }
        }
        Pixels constant = new Pixels(3, 5, 1);
        Arrays.fill(constant.data(), (byte) 201);
        byte[] expected = new byte[44];
        Arrays.fill(expected, (byte) 201);
        assertArrayEquals(expected, Resampler.resize(constant, new Region(0, 0, 3, 5), 4, 11, interpolation).data());
    }

    @Test
    void theCentreIsTheLargestOfItsShape() {
        Pixels wide = new Pixels(10, 30, 1);
        assertEquals(new Region(0, 10, 10, 10), Region.centre(wide, 5, 5, 1));
        assertEquals(new Region(1, 11, 8, 8), Region.centre(wide, 224, 224, 0.8));
        assertEquals(new Region(0, 5, 10, 20), Region.centre(wide, 2, 4, 1));
        assertEquals(new Region(2.5, 0, 5, 30), Region.centre(wide, 1, 6, 1));
    }
}
