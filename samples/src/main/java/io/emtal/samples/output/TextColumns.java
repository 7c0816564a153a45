package io.emtal.samples.output;

import java.io.PrintWriter;
import java.util.List;

/** Columns of text, side by side under each other, as many as fit on a line. */
public final class TextColumns {
    private static final int WIDTH = 118;
    private static final String GAP = "  ";

    private TextColumns() {
    }

    /**
     * Prints columns. Where not all fit, the others follow below, behind the heads again.
     *
     * @param out where to
     * @param heads what stands in front of each line
     * @param columns the cells of each column, as many as there are heads
     */
    public static void print(PrintWriter out, List<String> heads, List<List<String>> columns) {
        int from = 0;
        while (from < columns.size()) {
            int width = width(heads);
            int to = from;
            while (to < columns.size() && (to == from || width + GAP.length() + width(columns.get(to)) <= WIDTH)) {
                width += GAP.length() + width(columns.get(to));
                to++;
            }
            out.println();
            for (int line = 0; line < heads.size(); line++) {
                StringBuilder text = new StringBuilder(pad(heads.get(line), width(heads)));
                for (List<String> column : columns.subList(from, to)) {
                    text.append(GAP).append(pad(column.get(line), width(column)));
                }
                out.println(text.toString().stripTrailing());
            }
            from = to;
        }
    }

    private static int width(List<String> cells) {
        return cells.stream().mapToInt(String::length).max().orElse(0);
    }

    private static String pad(String cell, int width) {
        return cell + " ".repeat(width - cell.length());
    }
}
