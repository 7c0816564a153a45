package io.emtal.onnx;

import java.util.Locale;

/**
 * The one exception that this library throws for bad input, bad configuration and failed training. Its message
 * states where (task, row, node, tensor, file, line), what was found and what is allowed.
 *
 * <p>It is an {@link IllegalArgumentException} because the contract of Tribuo's trainers and models asks for one.
 */
public class EmtalException extends IllegalArgumentException {

    /**
     * Constructs the exception.
     *
     * @param message where, what was found, what is allowed
     */
    public EmtalException(String message) {
        super(message);
    }

    /**
     * Constructs the exception with its cause.
     *
     * @param message where, what was found, what is allowed
     * @param cause what went wrong underneath
     */
    public EmtalException(String message, Throwable cause) {
        super(message, cause);
    }

    /**
     * Throws unless a condition holds.
     *
     * @param condition what must be true
     * @param format the message's format, as in {@link String#format}
     * @param arguments the format's arguments
     */
    public static void check(boolean condition, String format, Object... arguments) {
        if (!condition) {
            throw new EmtalException(String.format(Locale.ROOT, format, arguments));
        }
    }
}
