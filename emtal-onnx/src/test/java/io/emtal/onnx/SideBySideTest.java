package io.emtal.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;

class SideBySideTest {

    private static final Supplier<String> UNTIL_INTERRUPTED = () -> {
        try {
            new CountDownLatch(1).await();
            return "never";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    };

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 50})
    void resultsAreInTheOrderOfTheWork(int threads) {
        List<Supplier<Integer>> work = IntStream.range(0, 20).<Supplier<Integer>>mapToObj(i -> () -> i).toList();
        assertEquals(IntStream.range(0, 20).boxed().toList(), SideBySide.all(work, threads));
        assertEquals(List.of(), SideBySide.all(List.of(), threads));
    }

    @Test
    void asManyPiecesAsThreadsAreDoneAtATime() {
        CyclicBarrier together = new CyclicBarrier(3);
        List<Supplier<Integer>> work = IntStream.range(0, 6).<Supplier<Integer>>mapToObj(i -> () -> {
            try {
                return together.await() >= 0 ? 1 : 0;
            } catch (InterruptedException | BrokenBarrierException e) {
                throw new IllegalStateException(e);
            }
        }).toList();
        assertEquals(6, SideBySide.all(work, 3).size());
    }

    @Test
    void oneThreadIsTheCaller() {
        Thread caller = Thread.currentThread();
        assertSame(caller, SideBySide.all(List.of(Thread::currentThread, Thread::currentThread), 1).get(1));
        assertSame(caller, SideBySide.all(List.<Supplier<Thread>>of(Thread::currentThread), 4).get(0));
    }

    /** Those that are being done give what they have; those that have not begun give nothing. */
    @Test
    void anInterruptEndsAll() {
        Thread caller = Thread.currentThread();
        for (Runnable interrupt : List.<Runnable>of(caller::interrupt, () -> Thread.currentThread().interrupt())) {
            AtomicInteger begun = new AtomicInteger();
            CountDownLatch running = new CountDownLatch(1);
            Supplier<String> interrupting = () -> {
                try {
                    running.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                interrupt.run();
                return UNTIL_INTERRUPTED.get();
            };
            Supplier<String> other = () -> {
                running.countDown();
                return UNTIL_INTERRUPTED.get();
            };
            Supplier<String> last = () -> "begun " + begun.incrementAndGet();
            assertEquals(List.of("interrupted", "interrupted"), SideBySide.all(List.of(interrupting, other, last), 2));
            assertTrue(Thread.interrupted(), "the interrupt is still there");
            assertEquals(0, begun.get());
        }
        Supplier<String> interrupting = () -> {
            caller.interrupt();
            return "done";
        };
        assertEquals(List.of("done"), SideBySide.all(List.of(interrupting, interrupting), 1));
        assertTrue(Thread.interrupted(), "the interrupt is still there");
    }

    @Test
    void whatOneThrowsEndsTheOthers() {
        AtomicInteger ended = new AtomicInteger();
        Supplier<String> other = () -> {
            UNTIL_INTERRUPTED.get();
            ended.incrementAndGet();
            throw new IllegalArgumentException("after the interrupt");
        };
        for (Throwable thrown : List.of(new IllegalStateException("first"), new AssertionError("first"))) {
            Supplier<String> failing = () -> {
                if (thrown instanceof Error error) {
                    throw error;
                }
                throw (RuntimeException) thrown;
            };
            ended.set(0);
            assertSame(thrown, assertThrows(thrown.getClass(),
                    () -> SideBySide.all(List.of(other, other, failing, other), 3)));
            assertEquals(2, ended.get());
            assertFalse(Thread.currentThread().isInterrupted());
        }
    }
}
