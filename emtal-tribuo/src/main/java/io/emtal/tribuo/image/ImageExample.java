package io.emtal.tribuo.image;

import io.emtal.onnx.EmtalException;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.impl.ArrayExample;

import java.awt.image.BufferedImage;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/**
 * Examples of images by reference: the image stands in the metadata and is decoded when it is needed. As Tribuo asks
 * for features, every such example has the same one, {@value #FEATURE} with the value 1.
 *
 * <p>A file's name survives Tribuo's serialisation of examples; images in memory do not.
 */
public final class ImageExample {

    /** The key of the metadata that holds the image. */
    public static final String METADATA = "emtal-image";

    /** The name of the only feature. */
    public static final String FEATURE = "image";

    private ImageExample() {
    }

    /**
     * An image in a file.
     *
     * @param output the output
     * @param file a PNG, JPEG, GIF or BMP file; read when the image is needed
     * @param <T> the type of output
     * @return the example
     * @throws EmtalException if the file is not of the default file system
     */
    public static <T extends Output<T>> Example<T> of(T output, Path file) {
        checkFileSystem(file);
        return example(output, file.toAbsolutePath().normalize().toString());
    }

    /**
     * An encoded image in memory.
     *
     * @param output the output
     * @param file what a PNG, JPEG, GIF or BMP file holds; not copied
     * @param <T> the type of output
     * @return the example
     */
    public static <T extends Output<T>> Example<T> of(T output, byte[] file) {
        return example(output, file);
    }

    /**
     * A decoded image in memory. Where {@link javax.imageio.ImageIO} read it from a JPEG file with a colour profile,
     * its pixels are converted by the profile; those of an example of the file itself are not.
     *
     * @param output the output
     * @param image a grey or RGB image of integer samples, or one with a palette; not copied
     * @param <T> the type of output
     * @return the example
     */
    public static <T extends Output<T>> Example<T> of(T output, BufferedImage image) {
        return example(output, image);
    }

    /**
     * An image of the Deep Java Library.
     *
     * @param output the output
     * @param image an image that wraps a {@link BufferedImage}, as those of DJL's own factory do; not copied
     * @param <T> the type of output
     * @return the example
     * @throws EmtalException if it wraps something else
     */
    public static <T extends Output<T>> Example<T> of(T output, ai.djl.modality.cv.Image image) {
        Object wrapped = image.getWrappedImage();
        EmtalException.check(wrapped instanceof BufferedImage, "image: found a DJL image of %s, allowed is one of %s",
                wrapped.getClass().getName(), BufferedImage.class.getName());
        return example(output, wrapped);
    }

    /**
     * Whether an example carries an image.
     *
     * @param example any example
     * @return true if its metadata holds one
     */
    public static boolean carriesImage(Example<?> example) {
        return example.containsMetadata(METADATA);
    }

    /** A file's name alone must say where it is. */
    static void checkFileSystem(Path file) {
        EmtalException.check(file.getFileSystem().equals(FileSystems.getDefault()),
                "%s: found a file of the file system '%s', allowed are files of the default one", file,
                file.getFileSystem().provider().getScheme());
    }

    private static <T extends Output<T>> Example<T> example(T output, Object image) {
        return new ArrayExample<>(output, new String[] {FEATURE}, new double[] {1},
                Map.of(METADATA, Objects.requireNonNull(image, "image")));
    }
}
