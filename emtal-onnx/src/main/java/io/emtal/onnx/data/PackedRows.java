package io.emtal.onnx.data;

import io.emtal.onnx.EmtalException;

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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Rows of one length outside the heap, written once, one behind the other, and read in any order: in memory, or in a
 * temporary file (system property {@code java.io.tmpdir}) that is mapped piece by piece, so that only the pages in use
 * take memory. The file goes when the rows are closed, or the virtual machine ends. Numbers are in native order.
 *
 * <p>Reading is thread-safe.
 */
public final class PackedRows implements AutoCloseable {

    private static final int WRITTEN_AT_ONCE = 1 << 20;

    private final int rowBytes;
    private final int size;
    private final int rowsOfPiece;
    private final List<ByteBuffer> pieces;
    private final List<FloatBuffer> floats;
    /** {@code null} for rows in memory. */
    private final FileChannel file;

    private PackedRows(int rowBytes, int size, int rowsOfPiece, List<ByteBuffer> pieces, FileChannel file) {
        this.rowBytes = rowBytes;
        this.size = size;
        this.rowsOfPiece = rowsOfPiece;
        this.pieces = pieces;
        this.floats = pieces.stream().map(ByteBuffer::asFloatBuffer).toList();
        this.file = file;
    }

    /**
     * Starts to write a known number of rows, in memory if they fit there, else in a file.
     *
     * @param what names the rows in messages
     * @param rows their number
     * @param rowBytes the length of a row, a multiple of 4
     * @param memory how many bytes may lie in memory, and how many a piece of a file has at most
     * @return the writer
     * @throws EmtalException if one row takes more, or a file cannot be made
     */
    public static Writer writer(String what, int rows, int rowBytes, int memory) {
        long bytes = (long) rows * rowBytes;
        return bytes <= memory ? new Writer(what, rowBytes, memory, (int) bytes, null)
                : fileWriter(what, rowBytes, memory);
    }

    /**
     * Starts to write a number of rows that is not known yet, in a file.
     *
     * @param what names the rows in messages
     * @param rowBytes the length of a row, a multiple of 4
     * @param pieceBytes how many bytes are mapped at a time at most
     * @return the writer
     * @throws EmtalException if one row takes more, or the file cannot be made
     */
    public static Writer fileWriter(String what, int rowBytes, int pieceBytes) {
        return fileWriter(what, rowBytes, pieceBytes, Path.of(System.getProperty("java.io.tmpdir")));
    }

    static Writer fileWriter(String what, int rowBytes, int pieceBytes, Path folder) {
        EmtalException.check(rowBytes <= pieceBytes, "%s: found %d bytes a row, allowed are %d", what, rowBytes, pieceBytes);
        try {
            Path path = Files.createTempFile(folder, "emtal-rows", ".tmp");
            // Where a mapped file cannot be deleted it stays until the virtual machine ends.
            path.toFile().deleteOnExit();
            return new Writer(what, rowBytes, pieceBytes, Math.max(WRITTEN_AT_ONCE / rowBytes, 1) * rowBytes,
                    FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE,
                            StandardOpenOption.DELETE_ON_CLOSE));
        } catch (IOException e) {
            throw new EmtalException(what + ": found no file for rows in " + folder + " (java.io.tmpdir), allowed is a folder"
                    + " that takes files: " + e, e);
        }
    }

    /** Writes rows. To be closed, whether or not they were finished. */
    public static final class Writer implements AutoCloseable {

        private final String what;
        private final int rowBytes;
        private final int pieceBytes;
        /** All rows in memory, or those that the file does not have yet. */
        private final ByteBuffer block;
        /** {@code null} in memory, and once it belongs to finished rows. */
        private FileChannel file;
        private long rows;

        private Writer(String what, int rowBytes, int pieceBytes, int blockBytes, FileChannel file) {
            this.what = what;
            this.rowBytes = rowBytes;
            this.pieceBytes = pieceBytes;
            this.block = ByteBuffer.allocateDirect(blockBytes).order(ByteOrder.nativeOrder());
            this.file = file;
        }

        /**
         * Writes the next row.
         *
         * @return where, to be filled by absolute or relative writes before the next call; what is left alone is
         *     undefined
         * @throws EmtalException if the file cannot be written, or there are more rows than an int counts
         */
        public ByteBuffer next() {
            if (rows == Integer.MAX_VALUE) {
                throw new EmtalException(what + ": found more than " + rows + " rows, allowed are so many");
            }
            if (!block.hasRemaining()) {
                flush();
            }
            ByteBuffer row = block.slice(block.position(), rowBytes).order(ByteOrder.nativeOrder());
            block.position(block.position() + rowBytes);
            rows++;
            return row;
        }

        private void flush() {
            EmtalException.check(file != null, "%s: found more rows than the %d that were announced", what, rows);
            block.flip();
            uninterrupted(() -> {
                while (block.hasRemaining()) {
                    file.write(block);
                }
                return block.clear();
            });
        }

        /**
         * Ends the writing.
         *
         * @return the rows
         * @throws EmtalException if the file cannot be written or mapped
         */
        public PackedRows finish() {
            int count = (int) rows;
            if (file == null) {
                return new PackedRows(rowBytes, count, Math.max(1, count), List.of(block.clear()
                        .order(ByteOrder.nativeOrder())), null);
            }
            flush();
            int rowsOfPiece = pieceBytes / rowBytes;
            List<ByteBuffer> pieces = uninterrupted(() -> {
                List<ByteBuffer> mapped = new ArrayList<>();
                // Written before it is mapped: a full disk is an error here, and would crash what writes to a mapping.
                for (long row = 0; row < count; row += rowsOfPiece) {
                    mapped.add(file.map(FileChannel.MapMode.READ_ONLY, row * rowBytes,
                            Math.min(rowsOfPiece, count - row) * rowBytes).order(ByteOrder.nativeOrder()));
                }
                return mapped;
            });
            PackedRows finished = new PackedRows(rowBytes, count, rowsOfPiece, pieces, file);
            file = null;
            return finished;
        }

        /** Uses the file on a thread that nobody interrupts: an interrupt would close it. It stays with its own thread. */
        private <T> T uninterrupted(Access<T> access) {
            try {
                return CompletableFuture.supplyAsync(() -> {
                    try {
                        return access.run();
                    } catch (IOException e) {
                        throw failed(e);
                    }
                }, task -> new Thread(task, "emtal-rows").start()).join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof EmtalException failed ? failed : e;
            }
        }

        /** What is done to a file. */
        private interface Access<T> {

            T run() throws IOException;
        }

        private EmtalException failed(IOException e) {
            return new EmtalException(what + ": found no room for " + rows + " rows of " + rowBytes + " bytes in a file in "
                    + System.getProperty("java.io.tmpdir") + " (java.io.tmpdir): " + e.getMessage(), e);
        }

        /** Deletes the file of rows that were not finished. */
        @Override
        public void close() {
            closeFile(file);
            file = null;
        }
    }

    /**
     * The number of rows.
     *
     * @return 0 or more
     */
    public int size() {
        return size;
    }

    /**
     * Copies numbers of a row.
     *
     * @param row from 0
     * @param first which number to begin with, counted in floats
     * @param count how many
     * @param target gets them at its position, which moves on
     */
    public void floats(int row, int first, int count, FloatBuffer target) {
        int at = row % rowsOfPiece * (rowBytes / Float.BYTES) + first;
        target.put(floats.get(row / rowsOfPiece).slice(at, count));
    }

    /**
     * A single-precision number of a row.
     *
     * @param row from 0
     * @param offset where it begins, in bytes
     * @return the number
     */
    public float getFloat(int row, int offset) {
        return pieces.get(row / rowsOfPiece).getFloat(row % rowsOfPiece * rowBytes + offset);
    }

    /**
     * A double-precision number of a row.
     *
     * @param row from 0
     * @param offset where it begins, in bytes
     * @return the number
     */
    public double getDouble(int row, int offset) {
        return pieces.get(row / rowsOfPiece).getDouble(row % rowsOfPiece * rowBytes + offset);
    }

    /** Deletes the file, if there is one; the rows must not be read from then on. */
    @Override
    public void close() {
        closeFile(file);
    }

    private static void closeFile(FileChannel file) {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
