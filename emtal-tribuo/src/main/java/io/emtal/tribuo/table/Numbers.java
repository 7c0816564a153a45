package io.emtal.tribuo.table;

/** Decimal numbers as cells hold them, whatever the locale. */
public final class Numbers {

    /** What messages say of them. */
    public static final String ALLOWED =
            "allowed are decimal numbers with a point in the range of doubles, such as -1.5e3";

    private Numbers() {
    }

    /**
     * Reads a number: an optional sign, digits with at most one point among them, an optional exponent.
     *
     * @param text the text
     * @return the number, infinite if it is too large; not-a-number if it is none
     */
    public static double parse(String text) {
        int length = text.length();
        int at = sign(text, 0);
        int whole = digits(text, at);
        at += whole;
        int fraction = 0;
        if (at < length && text.charAt(at) == '.') {
            fraction = digits(text, at + 1);
            at += fraction + 1;
        }
        if (whole + fraction == 0) {
            return Double.NaN;
        }
        if (at < length && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
            at = sign(text, at + 1);
            int exponent = digits(text, at);
            at += exponent;
            if (exponent == 0) {
                return Double.NaN;
            }
        }
        return at == length ? Double.parseDouble(text) : Double.NaN;
    }

    private static int sign(String text, int at) {
        return at < text.length() && (text.charAt(at) == '+' || text.charAt(at) == '-') ? at + 1 : at;
    }

    private static int digits(String text, int start) {
        int at = start;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        return at - start;
    }
}
