package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Rows whose inputs were computed once, with the labels of those that they were computed from: in memory, or in a
 * temporary file that is mapped piece by piece and goes when the rows are closed, or the virtual machine ends.
 */
final class CachedRows implements Examples {

    private final Examples labels;
    private final int width;
    private final int rowsOfPiece;
    private final List<FloatBuffer> pieces;
    /** {@code null} for rows in memory. */
    private final FileChannel file;

    private CachedRows(Examples labels, int width, int rowsOfPiece, List<FloatBuffer> pieces, FileChannel file) {
        this.labels = labels;
        this.width = width;
        this.rowsOfPiece = rowsOfPiece;
        this.pieces = pieces;
        this.file = file;
    }

    /**
     * Computes rows.
     *
     * @param rows the rows that are computed from, and their labels
     * @param evaluator computes them
     * @param memory how many bytes may lie in memory, and how many a piece of a file has at most
     * @throws EmtalException if one row takes more, or the file cannot be written
     */
    static CachedRows of(Examples rows, Evaluator evaluator, int memory) {
        int width = evaluator.columns();
        long rowBytes = (long) width * Float.BYTES;
        EmtalException.check(rowBytes <= memory, "frozen prefix: found %d bytes a row, allowed are %d", rowBytes, memory);
        int rowsOfPiece = (int) (memory / rowBytes);
        int[] order = IntStream.range(0, rows.size()).toArray();
        if (order.length <= rowsOfPiece) {
            FloatBuffer piece = ParameterBuffer.direct(order.length * width);
            evaluator.forEachBatch(order, piece::put);
            return new CachedRows(rows, width, rowsOfPiece, List.of(piece), null);
        }
        FileChannel file = null;
        try {
            Path path = Files.createTempFile("emtal-rows", ".tmp");
            // Where a mapped file cannot be deleted it stays until the virtual machine ends.
            path.toFile().deleteOnExit();
            file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE,
                    StandardOpenOption.DELETE_ON_CLOSE);
            // Written before it is mapped: a full disk is an error here, and would crash what writes to a mapping.
            write(evaluator, order, file);
            List<FloatBuffer> pieces = new ArrayList<>();
            for (int row = 0; row < order.length; row += rowsOfPiece) {
                pieces.add(file.map(FileChannel.MapMode.READ_ONLY, row * rowBytes,
                        Math.min(rowsOfPiece, order.length - row) * rowBytes).order(ByteOrder.nativeOrder()).asFloatBuffer());
            }
            return new CachedRows(rows, width, rowsOfPiece, pieces, file);
        } catch (IOException | UncheckedIOException e) {
            close(file);
            throw new EmtalException("frozen prefix: " + order.length + " rows of " + rowBytes + " bytes do not go into a file"
                    + " in " + System.getProperty("java.io.tmpdir") + " (java.io.tmpdir): " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            close(file);
            throw e;
        }
    }

    private static void write(Evaluator evaluator, int[] order, FileChannel file) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(evaluator.rows() * evaluator.columns() * Float.BYTES)
                .order(ByteOrder.nativeOrder());
        evaluator.forEachBatch(order, batch -> {
            bytes.clear().limit(batch.remaining() * Float.BYTES);
            bytes.asFloatBuffer().put(batch);
            try {
                while (bytes.hasRemaining()) {
                    file.write(bytes);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static void close(FileChannel file) {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public int size() {
        return labels.size();
    }

    @Override
    public int width() {
        return width;
    }

    @Override
    public void inputs(int row, FloatBuffer target) {
        target.put(pieces.get(row / rowsOfPiece).slice(row % rowsOfPiece * width, width));
    }

    @Override
    public float label(int row, int task) {
        return labels.label(row, task);
    }

    /** Deletes the file, if there is one. The rows that they were computed from stay open. */
    @Override
    public void close() {
        close(file);
    }
}
