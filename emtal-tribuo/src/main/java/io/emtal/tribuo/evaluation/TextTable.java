package io.emtal.tribuo.evaluation;

import io.emtal.onnx.EmtalException;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A table for people: as text, its first column to the left and the others to the right, or as HTML.
 *
 * @param head the heads of the columns
 * @param rows the cells, as many a row as there are heads
 */
public record TextTable(List<String> head, List<List<String>> rows) {

    private static final String GAP = "  ";

    /** Checks that all rows are as wide as the head. */
    public TextTable {
        head = List.copyOf(head);
        rows = rows.stream().map(List::copyOf).toList();
        for (List<String> row : rows) {
            EmtalException.check(row.size() == head.size(), "table: found a row of %d cells, allowed are %d",
                    row.size(), head.size());
        }
    }

    /**
     * Writes the table as text.
     *
     * @return lines, each with its end; control characters in cells are escaped
     */
    public String toText() {
        List<List<String>> lines = Stream.concat(Stream.of(head), rows.stream())
                .map(row -> row.stream().map(TextTable::printable).toList()).toList();
        int[] widths = IntStream.range(0, head.size())
                .map(column -> lines.stream().mapToInt(row -> row.get(column).length()).max().orElseThrow()).toArray();
        StringBuilder text = new StringBuilder();
        lines.forEach(row -> {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < widths.length; column++) {
                String space = " ".repeat(widths[column] - row.get(column).length());
                line.append(column == 0 ? row.get(column) + space : GAP + space + row.get(column));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        });
        return text.toString();
    }

    private static String printable(String cell) {
        StringBuilder text = new StringBuilder();
        cell.codePoints().forEach(c -> {
            if (Character.isISOControl(c)) {
                text.append(String.format("\\u%04x", c));
            } else {
                text.appendCodePoint(c);
            }
        });
        return text.toString();
    }

    /**
     * Writes the table as HTML.
     *
     * @return a table element; markup in cells is escaped
     */
    public String toHTML() {
        return "<table>\n" + html("th", head) + rows.stream().map(row -> html("td", row)).collect(Collectors.joining())
                + "</table>\n";
    }

    private static String html(String element, List<String> row) {
        return row.stream().map(cell -> "<" + element + ">" + escape(cell) + "</" + element + ">")
                .collect(Collectors.joining("", "<tr>", "</tr>\n"));
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
