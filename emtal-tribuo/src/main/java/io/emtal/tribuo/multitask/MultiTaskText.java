package io.emtal.tribuo.multitask;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * The text of an output:
 *
 * <pre>
 * output = [ value { "," value } ]
 * value  = name "=" ( string | "true" | "false" | number ) [ "@" number ]
 * name   = string | one or more letters, digits, "_", "-", "."
 * string = as in JSON
 * number = as Double.toString writes it
 * </pre>
 */
final class MultiTaskText {

    private final String text;
    private int position;

    MultiTaskText(String text) {
        this.text = text;
    }

    static String of(List<TaskValue> values) {
        StringBuilder text = new StringBuilder();
        for (TaskValue value : values) {
            if (!text.isEmpty()) {
                text.append(',');
            }
            appendName(value.task(), text);
            text.append('=');
            if (value instanceof TaskValue.Category category) {
                appendString(category.value(), text);
                appendScore(category.score(), text);
            } else if (value instanceof TaskValue.Binary binary) {
                text.append(binary.value());
                appendScore(binary.score(), text);
            } else if (value instanceof TaskValue.Real real) {
                text.append(real.value());
            }
        }
        return text.toString();
    }

    private static void appendScore(double score, StringBuilder text) {
        if (!Double.isNaN(score)) {
            text.append('@').append(score);
        }
    }

    private static void appendName(String name, StringBuilder text) {
        if (!name.isEmpty() && name.codePoints().allMatch(MultiTaskText::isBare)) {
            text.append(name);
        } else {
            appendString(name, text);
        }
    }

    private static boolean isBare(int c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '-' || c == '.';
    }

    private static void appendString(String string, StringBuilder text) {
        text.append('"');
        string.chars().forEach(c -> {
            switch (c) {
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                default -> {
                    if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
                        text.append(String.format("\\u%04x", c));
                    } else {
                        text.append((char) c);
                    }
                }
            }
        });
        text.append('"');
    }

    List<TaskValue> values() {
        List<TaskValue> values = new ArrayList<>();
        if (!text.isEmpty()) {
            values.add(value());
        }
        while (position < text.length()) {
            expect(',');
            values.add(value());
        }
        return values;
    }

    private TaskValue value() {
        String task = at('"') ? string() : taken(MultiTaskText::isBare, "the name of a task");
        expect('=');
        if (at('"')) {
            return new TaskValue.Category(task, string(), score());
        }
        int start = position;
        String word = taken(c -> isBare(c) || c == '+', "a class in quotation marks, true, false or a number");
        if (word.equals("true") || word.equals("false")) {
            return new TaskValue.Binary(task, word.equals("true"), score());
        }
        return new TaskValue.Real(task, number(word, start));
    }

    private double score() {
        if (!at('@')) {
            return Double.NaN;
        }
        position++;
        int start = position;
        return number(taken(c -> isBare(c) || c == '+', "a number"), start);
    }

    private double number(String word, int start) {
        if (!word.matches("[-+]?[0-9.]+([eE][-+]?[0-9]+)?")) {
            throw unexpected(start, "true, false or a finite number; a class stands in quotation marks");
        }
        try {
            return Double.parseDouble(word);
        } catch (NumberFormatException e) {
            throw unexpected(start, "a number");
        }
    }

    private String taken(IntPredicate allowed, String what) {
        int start = position;
        while (position < text.length() && allowed.test(text.codePointAt(position))) {
            position += Character.charCount(text.codePointAt(position));
        }
        if (position == start) {
            throw unexpected(start, what);
        }
        return text.substring(start, position);
    }

    private String string() {
        StringBuilder string = new StringBuilder();
        expect('"');
        while (!at('"')) {
            if (position == text.length()) {
                throw unexpected(position, "a quotation mark that ends the text before it");
            }
            char c = text.charAt(position++);
            string.append(c == '\\' ? escaped() : c);
        }
        expect('"');
        return string.toString();
    }

    private char escaped() {
        char c = position < text.length() ? text.charAt(position) : ' ';
        position++;
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> {
                if (!text.substring(position, Math.min(position + 4, text.length())).matches("[0-9a-fA-F]{4}")) {
                    throw unexpected(position, "four hexadecimal digits");
                }
                position += 4;
                yield (char) Integer.parseInt(text.substring(position - 4, position), 16);
            }
            default -> throw unexpected(position - 1, "one of \"\\/bfnrtu behind a backslash");
        };
    }

    private boolean at(char c) {
        return position < text.length() && text.charAt(position) == c;
    }

    private void expect(char c) {
        if (!at(c)) {
            throw unexpected(position, "'" + c + "'");
        }
        position++;
    }

    private EmtalException unexpected(int where, String allowed) {
        return new EmtalException("output, character " + (where + 1) + " of " + Quoted.of(text) + ": found "
                + (where < text.length() ? Quoted.of(Character.toString(text.codePointAt(where))) : "the end")
                + ", allowed is " + allowed);
    }
}
