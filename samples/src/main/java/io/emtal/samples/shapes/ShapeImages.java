package io.emtal.samples.shapes;

import io.emtal.onnx.EmtalException;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.image.BufferedImage;
import java.time.OffsetDateTime;
import java.util.Iterator;
import java.util.Random;
import java.util.stream.IntStream;
import org.tribuo.DataSource;
import org.tribuo.Example;
import org.tribuo.OutputFactory;
import org.tribuo.impl.ArrayExample;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.provenance.DataSourceProvenance;
import org.tribuo.provenance.SimpleDataSourceProvenance;

/**
 * Images of one figure before a cluttered, noisy background, drawn as they are asked for. Each has five labels, one
 * for each task: {@code kind=} arrow, ell, tee, heart, moon or drop; {@code colour=} red, yellow, green, cyan, blue or
 * magenta; {@code size=} small, medium or large; {@code position=} top_left, top_right, bottom_left or bottom_right;
 * {@code rotation=} up, right, down or left.
 *
 * <p>Each channel of each pixel is a feature with a value from 0 to 1, black pixels too: {@code y012x034c0} is the red
 * of row 12, column 34, {@code c1} is green, {@code c2} blue. An image depends on its number, the side and the seed
 * only, so a longer source begins with the images of a shorter one.
 */
public final class ShapeImages implements DataSource<MultiLabel> {
    /** The side that the quickstart uses: images of 24 x 24 pixels. */
    public static final int DEFAULT_SIDE = 24;

    private static final int CHANNELS = 3;
    private static final int LARGEST_SIDE = 1000;
    private static final int CLUTTER = 5;
    private static final double NOISE = 12;
    private static final MultiLabelFactory FACTORY = new MultiLabelFactory();

    private final int count;
    private final int side;
    private final long seed;
    private final String[] names;
    private final DataSourceProvenance provenance;

    /**
     * Constructs a source.
     *
     * @param count how many images, at least 1
     * @param side pixels per row and column, 8 to 1000; below about 20 the kinds are hard to tell
     * @param seed another seed gives other images: take one for training and another for testing
     * @throws EmtalException if a number is out of its range
     */
    public ShapeImages(int count, int side, long seed) {
        EmtalException.check(count >= 1, "%d images; allowed are 1 and more", count);
        EmtalException.check(side >= 8 && side <= LARGEST_SIDE, "Side %d; allowed are 8 to %d", side, LARGEST_SIDE);
        this.count = count;
        this.side = side;
        this.seed = seed;
        this.names = names(side);
        this.provenance = new SimpleDataSourceProvenance(
                "ShapeImages(count=" + count + ",side=" + side + ",seed=" + seed + ")", OffsetDateTime.now(), FACTORY);
    }

    private static String[] names(int side) {
        String[] names = new String[side * side * CHANNELS];
        for (int i = 0; i < names.length; i++) {
            int pixel = i / CHANNELS;
            names[i] = "y" + padded(pixel / side) + "x" + padded(pixel % side) + "c" + i % CHANNELS;
        }
        return names;
    }

    /** Three digits, so that the order of the names is the order of the pixels. */
    private static String padded(int number) {
        String digits = Integer.toString(number);
        return "0".repeat(3 - digits.length()) + digits;
    }

    @Override
    public OutputFactory<MultiLabel> getOutputFactory() {
        return FACTORY;
    }

    @Override
    public DataSourceProvenance getProvenance() {
        return provenance;
    }

    @Override
    public Iterator<Example<MultiLabel>> iterator() {
        return IntStream.range(0, count).mapToObj(this::example).iterator();
    }

    private Example<MultiLabel> example(int index) {
        int[] pixels = image(index).getRGB(0, 0, side, side, null, 0, side);
        double[] values = new double[names.length];
        for (int i = 0; i < values.length; i++) {
            int shift = 8 * (CHANNELS - 1 - i % CHANNELS);
            values[i] = (pixels[i / CHANNELS] >> shift & 0xff) / 255.0;
        }
        return new ArrayExample<>(labels(index), names, values);
    }

    /** The labels of an image, which needs not be drawn for that. */
    MultiLabel labels(int index) {
        return Shape.random(random(index)).labels();
    }

    /**
     * Draws an image.
     *
     * @param index its number, from 0
     * @return the image, without an alpha channel
     * @throws EmtalException if there is no such image
     */
    public BufferedImage image(int index) {
        EmtalException.check(index >= 0 && index < count, "Image %d; there are 0 to %d", index, count - 1);
        Random random = random(index);
        // The first numbers are the labels, so that these need no drawing.
        Shape shape = Shape.random(random);
        BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        graphics.setPaint(new GradientPaint(0, 0, background(random), side, side, background(random)));
        graphics.fillRect(0, 0, side, side);
        for (int i = 0; i < CLUTTER; i++) {
            clutter(graphics, random);
        }
        graphics.setPaint(Color.getHSBColor(shape.hue(random), between(0.7, 1, random), between(0.6, 1, random)));
        graphics.fill(shape.outline(side, random));
        graphics.dispose();
        addNoise(image, random);
        return image;
    }

    private Random random(int index) {
        // Consecutive seeds of java.util.Random give correlated first numbers: mix them first.
        long mixed = (seed * 0x9E3779B97F4A7C15L + index) * 0xBF58476D1CE4E5B9L;
        return new Random(mixed ^ mixed >>> 31);
    }

    private static Color background(Random random) {
        return Color.getHSBColor(random.nextFloat(), between(0, 0.45, random), between(0.1, 0.9, random));
    }

    /** A dot or a line, thinner than any figure, in any colour. */
    private void clutter(Graphics2D graphics, Random random) {
        graphics.setPaint(Color.getHSBColor(random.nextFloat(), between(0.4, 1, random), between(0.3, 1, random)));
        double x = random.nextDouble() * side;
        double y = random.nextDouble() * side;
        double length = between(0.08, 0.18, random) * side;
        if (random.nextBoolean()) {
            graphics.fill(new Ellipse2D.Double(x - length / 2, y - length / 2, length, length));
        } else {
            double angle = random.nextDouble() * 2 * Math.PI;
            graphics.setStroke(new BasicStroke(side / 24f));
            graphics.draw(new Line2D.Double(x, y, x + 2 * length * Math.cos(angle), y + 2 * length * Math.sin(angle)));
        }
    }

    private void addNoise(BufferedImage image, Random random) {
        int[] channels = image.getRaster().getPixels(0, 0, side, side, (int[]) null);
        for (int i = 0; i < channels.length; i++) {
            long noisy = Math.round(channels[i] + random.nextGaussian() * NOISE);
            channels[i] = (int) Math.max(0, Math.min(255, noisy));
        }
        image.getRaster().setPixels(0, 0, side, side, channels);
    }

    private static float between(double low, double high, Random random) {
        return (float) (low + random.nextDouble() * (high - low));
    }
}
