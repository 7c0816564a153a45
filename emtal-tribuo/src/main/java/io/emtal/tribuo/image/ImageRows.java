package io.emtal.tribuo.image;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.tribuo.output.EncodedOutputs;
import org.tribuo.Example;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Images as rows. Where the order of reading is known, threads of this object decode a bounded number of images ahead;
 * a reader that comes too early decodes itself instead of waiting, so that nothing depends on these threads but time.
 */
final class ImageRows implements Examples {

    private final ImageEncoder encoder;
    private final List<? extends Example<?>> examples;
    private final EncodedOutputs outputs;
    private final Limits limits;
    private final Map<Object, Pixels> cache = new ConcurrentHashMap<>();
    private final AtomicLong cachedBytes = new AtomicLong();
    private final ThreadPoolExecutor threads;

    /**
     * Bounds on memory.
     *
     * @param ahead the most images that are decoded ahead of the reader; as many stay behind it
     * @param cacheBytes the most bytes of decoded images that stay in memory
     * @param imageBytes the most bytes of one of them
     * @param threads the number of threads that decode
     */
    record Limits(int ahead, long cacheBytes, long imageBytes, int threads) {

        private static final long AHEAD_BYTES = 1 << 25;

        /**
         * At most a thousand images and 32 MiB ahead, but 16 images; an eighth of the heap, up to 256 MiB, of images of
         * up to 1 MiB.
         */
        static Limits of(int elements) {
            int processors = Runtime.getRuntime().availableProcessors();
            return new Limits((int) Math.max(16, Math.min(1024, AHEAD_BYTES / elements)),
                    Math.min(1 << 28, Runtime.getRuntime().maxMemory() / 8), 1 << 20,
                    Math.max(1, Math.min(8, processors / 2)));
        }
    }

    ImageRows(ImageEncoder encoder, List<? extends Example<?>> examples, EncodedOutputs outputs, Limits limits) {
        this.encoder = encoder;
        this.examples = examples;
        this.outputs = outputs;
        this.limits = limits;
        threads = new ThreadPoolExecutor(limits.threads(), limits.threads(), 0, TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(), runnable -> {
                    Thread thread = new Thread(runnable, "emtal-images");
                    thread.setDaemon(true);
                    return thread;
                }, new ThreadPoolExecutor.DiscardPolicy());
    }

    @Override
    public int size() {
        return examples.size();
    }

    @Override
    public int width() {
        return encoder.elements();
    }

    @Override
    public void inputs(int row, FloatBuffer target) {
        write(load(row, OptionalLong.empty()), target);
    }

    @Override
    public float label(int row, int task) {
        return outputs.label(row, task);
    }

    @Override
    public boolean augments() {
        return !encoder.augmentation().isOff();
    }

    @Override
    public Examples augmented(long seed) {
        return new View(augments() ? OptionalLong.of(seed) : OptionalLong.empty(), new int[0]);
    }

    @Override
    public Examples inOrder(int[] order) {
        return new View(OptionalLong.empty(), order);
    }

    /** Ends the threads. Rows can still be read. */
    @Override
    public void close() {
        threads.shutdownNow();
    }

    /** The bytes of the images that are kept. */
    long cachedBytes() {
        return cachedBytes.get();
    }

    private void write(Pixels image, FloatBuffer target) {
        float[] row = new float[width()];
        encoder.write(image, row, 0);
        target.put(row);
    }

    /** A row's image in the network's size, augmented if there is a seed. */
    private Pixels load(int row, OptionalLong seed) {
        Pixels kept = kept(row);
        ImageAugmentation augmentation = encoder.augmentation();
        if (seed.isEmpty()) {
            return augmentation.crops() ? encoder.centre(kept) : kept;
        }
        SplittableRandom random = new SplittableRandom(new SplittableRandom(seed.getAsLong() + row).nextLong());
        return augmentation.vary(augmentation.crops() ? encoder.crop(kept, random) : kept, random);
    }

    /** What is worth keeping of an image: the whole if random regions of it are wanted, else what predictions see. */
    private Pixels kept(int row) {
        String where = "row " + row;
        Object key = ImageEncoder.image(where, examples.get(row));
        Pixels kept = cache.get(key);
        if (kept != null) {
            return kept;
        }
        Pixels decoded = encoder.decode(where, examples.get(row));
        Pixels made = encoder.augmentation().crops() ? decoded : encoder.centre(decoded);
        int bytes = made.data().length;
        if (bytes <= limits.imageBytes()) {
            // First come, first kept: with a new order every epoch, nothing tells which of them to drop.
            if (cachedBytes.addAndGet(bytes) > limits.cacheBytes() || cache.putIfAbsent(key, made) != null) {
                cachedBytes.addAndGet(-bytes);
            }
        }
        return made;
    }

    /** The same rows, augmented or not, and read ahead in an order. */
    private final class View implements Examples {

        private final OptionalLong seed;
        private final int[] order;
        /** Where a row stands in the order, at first where it does first; −1 where nowhere. */
        private final int[] positions;
        /** By position, where its row comes again; −1 where it does not. */
        private final int[] following;
        /** Tasks by position modulo the length: those ahead of the reader and as many behind it. */
        private final Ahead[] ring;
        private int next;
        /** The furthest position that was read. */
        private int reached;

        private record Ahead(int position, FutureTask<Pixels> task) {
        }

        private View(OptionalLong seed, int[] order) {
            this.seed = seed;
            this.order = order.clone();
            this.ring = new Ahead[2 * limits.ahead()];
            this.positions = order.length == 0 ? new int[0] : new int[examples.size()];
            Arrays.fill(positions, -1);
            this.following = new int[order.length];
            for (int i = order.length - 1; i >= 0; i--) {
                following[i] = positions[order[i]];
                positions[order[i]] = i;
            }
            start(0);
        }

        @Override
        public int size() {
            return ImageRows.this.size();
        }

        @Override
        public int width() {
            return ImageRows.this.width();
        }

        @Override
        public float label(int row, int task) {
            return ImageRows.this.label(row, task);
        }

        @Override
        public void inputs(int row, FloatBuffer target) {
            FutureTask<Pixels> task = positions.length == 0 || positions[row] < 0 ? null : task(row);
            write(task == null ? load(row, seed) : finish(row, task), target);
        }

        /**
         * The task of a row, at the place nearest to the furthest that was read: the padding of a batch reads a row
         * more often than it stands in the order.
         */
        private synchronized FutureTask<Pixels> task(int row) {
            int position = positions[row];
            while (following[position] >= 0 && following[position] - reached <= reached - position) {
                position = following[position];
            }
            positions[row] = position;
            return start(position);
        }

        /** Starts what is to be ready once a position is read, and gives that position's task, unless it is too old. */
        private synchronized FutureTask<Pixels> start(int position) {
            reached = Math.max(reached, position);
            // A reader that jumps does not wait for all that it left out.
            next = Math.max(next, position - limits.ahead());
            for (int end = Math.min(order.length, position + limits.ahead()); next < end; next++) {
                int row = order[next];
                FutureTask<Pixels> task = new FutureTask<>(() -> load(row, seed));
                ring[next % ring.length] = new Ahead(next, task);
                threads.execute(task);
            }
            Ahead found = ring[position % ring.length];
            return found != null && found.position() == position ? found.task() : null;
        }

        /** Decodes, or waits until another thread has. An interrupt takes no image away: it stays with the thread. */
        private Pixels finish(int row, FutureTask<Pixels> task) {
            task.run();
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        return task.get();
                    } catch (InterruptedException e) {
                        interrupted = true;
                    } catch (ExecutionException e) {
                        if (e.getCause() instanceof RuntimeException cause) {
                            throw cause;
                        }
                        throw new EmtalException("row " + row + ": the image could not be decoded: " + e.getCause(),
                                e.getCause());
                    }
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        @Override
        public boolean augments() {
            return ImageRows.this.augments();
        }

        @Override
        public Examples augmented(long other) {
            return new View(augments() ? OptionalLong.of(other) : OptionalLong.empty(), order);
        }

        @Override
        public Examples inOrder(int[] other) {
            return new View(seed, other);
        }
    }
}
