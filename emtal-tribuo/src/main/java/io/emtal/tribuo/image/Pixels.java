package io.emtal.tribuo.image;

/**
 * A decoded image: unsigned bytes, line by line, a pixel's channels behind one another.
 *
 * @param height the number of lines
 * @param width the number of pixels of a line
 * @param channels the number of channels: 1 for grey, 3 for red, green and blue
 * @param data [height, width, channels]; never changed once the image is handed on
 */
record Pixels(int height, int width, int channels, byte[] data) {

    Pixels(int height, int width, int channels) {
        this(height, width, channels, new byte[Math.multiplyExact(Math.multiplyExact(height, width), channels)]);
    }

    /** The value of a channel, 0 to 255. */
    int get(int y, int x, int channel) {
        return data[(y * width + x) * channels + channel] & 0xff;
    }

    /** The image mirrored left to right. */
    Pixels mirrored() {
        return oriented(2);
    }

    /**
     * The image as it is meant to be seen.
     *
     * @param orientation the orientation of EXIF, 1 to 8: where the first line and the first column of the data belong
     */
    Pixels oriented(int orientation) {
        if (orientation == 1) {
            return this;
        }
        boolean turned = orientation >= 5;
        Pixels seen = turned ? new Pixels(width, height, channels) : new Pixels(height, width, channels);
        for (int y = 0; y < seen.height; y++) {
            for (int x = 0; x < seen.width; x++) {
                int fromY = turned ? x : y;
                int fromX = turned ? y : x;
                // 2, 3, 7, 8: columns run backwards; 3, 4, 6, 7: lines do.
                if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) {
                    fromX = width - 1 - fromX;
                }
                if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) {
                    fromY = height - 1 - fromY;
                }
                System.arraycopy(data, (fromY * width + fromX) * channels, seen.data, (y * seen.width + x) * channels,
                        channels);
            }
        }
        return seen;
    }
}
