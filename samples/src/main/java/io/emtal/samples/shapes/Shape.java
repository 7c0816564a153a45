package io.emtal.samples.shapes;

import java.awt.geom.AffineTransform;
import java.awt.geom.Area;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import org.tribuo.classification.Label;
import org.tribuo.multilabel.MultiLabel;

/**
 * The figure of an image: one class of each task.
 *
 * @param kind its outline
 * @param colour its hue
 * @param size its radius
 * @param position the quarter of the image that its centre is in
 * @param rotation where its top points
 */
record Shape(Kind kind, Colour colour, Size size, Position position, Rotation rotation) {
    /** Outlines within the unit circle, pointing up; none looks like itself before a full turn. */
    enum Kind {
        ARROW(polygon(0, -1, 0.8, -0.1, 0.32, -0.1, 0.32, 1, -0.32, 1, -0.32, -0.1, -0.8, -0.1)),
        ELL(polygon(-0.75, -1, -0.2, -1, -0.2, 0.45, 0.75, 0.45, 0.75, 1, -0.75, 1)),
        TEE(polygon(-0.9, -0.9, 0.9, -0.9, 0.9, -0.35, 0.28, -0.35, 0.28, 1, -0.28, 1, -0.28, -0.35, -0.9, -0.35)),
        HEART(heart()),
        MOON(moon()),
        DROP(drop());

        private final java.awt.Shape outline;

        Kind(java.awt.Shape outline) {
            this.outline = outline;
        }

        private static java.awt.Shape polygon(double... points) {
            Path2D path = new Path2D.Double();
            path.moveTo(points[0], points[1]);
            for (int i = 2; i < points.length; i += 2) {
                path.lineTo(points[i], points[i + 1]);
            }
            path.closePath();
            return path;
        }

        private static java.awt.Shape heart() {
            Path2D path = new Path2D.Double();
            path.moveTo(0, 0.95);
            path.curveTo(-1.6, -0.1, -0.75, -1.35, 0, -0.45);
            path.curveTo(0.75, -1.35, 1.6, -0.1, 0, 0.95);
            path.closePath();
            return path;
        }

        private static java.awt.Shape moon() {
            Area area = new Area(new Ellipse2D.Double(-1, -1, 2, 2));
            area.subtract(new Area(new Ellipse2D.Double(-0.8, -1.35, 1.6, 1.6)));
            return area;
        }

        private static java.awt.Shape drop() {
            Path2D path = new Path2D.Double();
            path.moveTo(0, -1);
            path.curveTo(0.15, -0.45, 0.75, -0.1, 0.7, 0.4);
            path.curveTo(0.65, 1.2, -0.65, 1.2, -0.7, 0.4);
            path.curveTo(-0.75, -0.1, -0.15, -0.45, 0, -1);
            path.closePath();
            return path;
        }
    }

    /** Six hues, as far apart as they can be. */
    enum Colour { RED, YELLOW, GREEN, CYAN, BLUE, MAGENTA }

    /** Radii from a fifth to two fifths of the image's side. */
    enum Size { SMALL, MEDIUM, LARGE }

    /** Quarters of the image. */
    enum Position { TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT }

    /** Quarter turns, clockwise. */
    enum Rotation { UP, RIGHT, DOWN, LEFT }

    private static final double SMALLEST_RADIUS = 0.2;
    private static final double RADIUS_STEP = 0.1;
    private static final double RADIUS_SPREAD = 0.03;
    private static final double NEAREST_CENTRE = 0.07;
    private static final double FARTHEST_CENTRE = 0.2;
    private static final double TURN_SPREAD = Math.toRadians(12);
    private static final double HUE_SPREAD = 0.03;

    /** Draws the lot for each task. */
    static Shape random(Random random) {
        return new Shape(one(Kind.values(), random), one(Colour.values(), random), one(Size.values(), random),
                one(Position.values(), random), one(Rotation.values(), random));
    }

    private static <E> E one(E[] values, Random random) {
        return values[random.nextInt(values.length)];
    }

    /** The outline in an image of some side, varied within the classes. */
    java.awt.Shape outline(int side, Random random) {
        double across = NEAREST_CENTRE + random.nextDouble() * (FARTHEST_CENTRE - NEAREST_CENTRE);
        double down = NEAREST_CENTRE + random.nextDouble() * (FARTHEST_CENTRE - NEAREST_CENTRE);
        double radius = SMALLEST_RADIUS + size.ordinal() * RADIUS_STEP + spread(RADIUS_SPREAD, random);
        double x = 0.5 + (position.ordinal() % 2 == 0 ? -across : across);
        double y = 0.5 + (position.ordinal() < 2 ? -down : down);
        AffineTransform place = AffineTransform.getScaleInstance(side, side);
        place.translate(x, y);
        place.rotate(rotation.ordinal() * Math.PI / 2 + spread(TURN_SPREAD, random));
        place.scale(radius, radius);
        return place.createTransformedShape(kind.outline);
    }

    /** The hue as a part of the full circle, varied within the class. */
    float hue(Random random) {
        return (float) (colour.ordinal() / (double) Colour.values().length + spread(HUE_SPREAD, random));
    }

    private static double spread(double most, Random random) {
        return (2 * random.nextDouble() - 1) * most;
    }

    /** One label {@code task=class} for each task. */
    MultiLabel labels() {
        return new MultiLabel(Set.of(label("kind", kind), label("colour", colour), label("size", size),
                label("position", position), label("rotation", rotation)));
    }

    private static Label label(String task, Enum<?> value) {
        return new Label(task + "=" + value.name().toLowerCase(Locale.ROOT));
    }
}
