package io.emtal.onnx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Pieces of work that do not depend on each other, some at a time on threads of their own. An interrupt of the caller or
 * of one of the threads is an interrupt of all of them, and so is what a piece throws; pieces that have not begun by then
 * are left out.
 *
 * @param <R> what a piece gives
 */
public final class SideBySide<R> {

    private final List<Supplier<R>> work;
    private final Object[] results;
    private final List<Thread> threads = new ArrayList<>();
    private int begun;
    /** Whether pieces that have not begun are left out. */
    private boolean ended;
    /** Whether that is for an interrupt, and not for a failure. */
    private boolean interrupted;
    private Throwable failure;

    private SideBySide(List<Supplier<R>> work) {
        this.work = work;
        results = new Object[work.size()];
    }

    /**
     * How many pieces are done at a time.
     *
     * @param parallelism so many, or 0 for one a processor
     * @return 1 or more
     */
    public static int threads(int parallelism) {
        return parallelism > 0 ? parallelism : Runtime.getRuntime().availableProcessors();
    }

    /**
     * How many processors each piece has to itself.
     *
     * @param threads how many pieces are done at a time
     * @return 1 or more
     */
    public static int processorsEach(int threads) {
        return Math.max(1, Runtime.getRuntime().availableProcessors() / threads);
    }

    /**
     * Does all pieces.
     *
     * @param <R> what a piece gives
     * @param work the pieces; what they give is not null
     * @param threads how many are done at a time; where that is one, the caller does them
     * @return what the pieces gave, in their order, without those that were left out; the caller is interrupted then
     * @throws RuntimeException if a piece does, the first one, once all threads have ended
     */
    public static <R> List<R> all(List<Supplier<R>> work, int threads) {
        SideBySide<R> all = new SideBySide<>(work);
        if (Math.min(threads, work.size()) <= 1) {
            all.alone();
        } else {
            all.on(Math.min(threads, work.size()));
        }
        @SuppressWarnings("unchecked")
        Stream<R> given = (Stream<R>) Arrays.stream(all.results);
        return given.filter(Objects::nonNull).toList();
    }

    private void alone() {
        for (int i = 0; i < results.length && !Thread.currentThread().isInterrupted(); i++) {
            results[i] = work.get(i).get();
        }
    }

    private void on(int count) {
        synchronized (this) {
            IntStream.range(0, count).forEach(i -> threads.add(new Thread(this::pieces, "emtal-side-" + i)));
            threads.forEach(thread -> {
                thread.setDaemon(true);
                thread.start();
            });
        }
        threads.forEach(this::await);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure != null) {
            throw (RuntimeException) failure;
        }
    }

    private void await(Thread thread) {
        while (true) {
            try {
                thread.join();
                return;
            } catch (InterruptedException e) {
                end(null, true);
            }
        }
    }

    private void pieces() {
        for (int piece = next(); piece < results.length; piece = next()) {
            try {
                results[piece] = work.get(piece).get();
                if (Thread.currentThread().isInterrupted()) {
                    end(null, true);
                }
            } catch (RuntimeException | Error e) {
                end(e, Thread.currentThread().isInterrupted());
            }
        }
    }

    private synchronized int next() {
        return ended ? results.length : begun++;
    }

    /** Ends all pieces. What a failure has ended is interrupted for that. */
    private synchronized void end(Throwable thrown, boolean byInterrupt) {
        interrupted |= byInterrupt && failure == null;
        failure = failure == null ? thrown : failure;
        ended = true;
        threads.forEach(Thread::interrupt);
    }
}
