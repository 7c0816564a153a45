package io.emtal.onnx;

/** Names and cells from a file as messages show them: on one line, and not longer than a line. */
public final class Quoted {

    private static final int LONGEST = 100;

    private Quoted() {
    }

    /**
     * Puts a name in quotes.
     *
     * @param name any text
     * @return the text in quotes; control characters become their code, what is too long ends in an ellipsis
     */
    public static String of(String name) {
        if (name.length() <= LONGEST && name.chars().allMatch(c -> c >= ' ' && c <= '~')) {
            return "'" + name + "'";
        }
        StringBuilder quoted = new StringBuilder("'");
        name.codePoints().limit(LONGEST).forEach(c -> {
            if (Character.isISOControl(c) || Character.getType(c) == Character.FORMAT
                    || Character.getType(c) == Character.LINE_SEPARATOR
                    || Character.getType(c) == Character.PARAGRAPH_SEPARATOR) {
                quoted.append(String.format("\\u%04x", c));
            } else {
                quoted.appendCodePoint(c);
            }
        });
        return quoted.append(name.codePointCount(0, name.length()) > LONGEST ? "…'" : "'").toString();
    }
}
