package io.emtal.samples.resume;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jline.utils.Signals;

/**
 * As long as this is open, Ctrl-C and a request to terminate interrupt the thread that opened it, so that its training
 * ends within one step, saved. The second of them ends the process at once. Where the platform has no such signals,
 * nothing happens.
 */
public final class StopOnSignal implements AutoCloseable {
    /** What a shell reports of a process that Ctrl-C has ended. */
    public static final int EXIT_CODE = 130;

    private static final List<String> SIGNALS = List.of("INT", "TERM");

    private final PrintWriter err;
    private final Thread thread = Thread.currentThread();
    private final Map<String, Object> before = new LinkedHashMap<>();
    private boolean requested;

    /**
     * Starts to listen.
     *
     * @param err is told of a signal
     */
    public StopOnSignal(PrintWriter err) {
        this.err = err;
        for (String signal : SIGNALS) {
            Object handler = Signals.register(signal, this::stop);
            if (handler != null) {
                before.put(signal, handler);
            }
        }
    }

    private synchronized void stop() {
        requested = true;
        restore();
        err.println("Stopping after this step. Once more to end at once.");
        err.flush();
        thread.interrupt();
    }

    /**
     * Whether there was a signal.
     *
     * @return true from the first on
     */
    public synchronized boolean requested() {
        return requested;
    }

    private void restore() {
        before.forEach(Signals::unregister);
        before.clear();
    }

    /** Stops to listen, and clears the thread's interrupt, so that it can write what it has. */
    @Override
    public synchronized void close() {
        restore();
        if (requested) {
            Thread.interrupted();
        }
    }
}
