package io.emtal.samples.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.samples.output.Measurement;
import io.emtal.samples.progress.TimeLeft;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoreboardTest {
    @TempDir
    Path temp;

    @Test
    void ranksFollowTheMeansAndTheDirectionOfTheMetric() {
        Contest<?> less = Contest.of(SmallTables.regression(temp.resolve("r")).read(), List.of());
        Contest<?> more = Contest.of(SmallTables.categorical(temp.resolve("c")).read(), List.of());
        Scoreboard board = new Scoreboard(List.of(less, more), List.of(
                measured("numbers", "a", 1, "aRRMSE", 0.5), measured("numbers", "a", 2, "aRRMSE", 0.7),
                measured("numbers", "b", 1, "aRRMSE", 0.6), measured("numbers", "b", 2, "aRRMSE", 0.6),
                measured("numbers", "c", 1, "aRRMSE", 0.9),
                measured("classes", "a", 1, "mean_accuracy", 0.8),
                measured("classes", "c", 1, "mean_accuracy", 0.9)),
                name -> name.equals("a") ? Group.EMTAL : Group.PEERS);
        assertEquals(1.5, board.rank(less, "a").orElseThrow(), "even with b");
        assertEquals(1.5, board.rank(less, "b").orElseThrow());
        assertEquals(3, board.rank(less, "c").orElseThrow());
        assertEquals(1, board.rank(more, "c").orElseThrow(), "more is better");
        assertTrue(board.rank(more, "b").isEmpty());
        assertEquals(1.75, board.meanRank("a"));
        assertEquals(1.5, board.meanRank("b"));
        StringWriter text = new StringWriter();
        board.print(new PrintWriter(text, true));
        assertTrue(text.toString().contains("0.6000 (0.1414) #1.5"), text.toString());
        assertTrue(text.toString().matches(
                "(?s).*\nb +1.50 +1 +peers\na +1.75 +2 +emtal\nc +2.00 +2 +peers\n.*"), text.toString());
    }

    @Test
    void theGapToTheBestPeerFollowsTheDirectionOfTheMetric() {
        Contest<?> less = Contest.of(SmallTables.regression(temp.resolve("r")).read(), List.of());
        Contest<?> more = Contest.of(SmallTables.categorical(temp.resolve("c")).read(), List.of());
        Scoreboard board = new Scoreboard(List.of(less, more), List.of(
                measured("numbers", "ours", 1, "aRRMSE", 0.5), measured("numbers", "control", 1, "aRRMSE", 0.1),
                measured("numbers", "a", 1, "aRRMSE", 0.4), measured("numbers", "b", 1, "aRRMSE", 0.8),
                measured("classes", "ours", 1, "mean_accuracy", 0.6),
                measured("classes", "a", 1, "mean_accuracy", 0.5), measured("classes", "b", 1, "mean_accuracy", 0.3)),
                name -> name.equals("ours") ? Group.EMTAL : name.equals("control") ? Group.FAMILY : Group.PEERS);
        assertEquals("a", board.gap(less).orElseThrow().peer());
        assertEquals(25, board.gap(less).orElseThrow().percent(), 1e-9);
        assertEquals(-20, board.gap(more).orElseThrow().percent(), 1e-9);
        StringWriter text = new StringWriter();
        board.print(new PrintWriter(text, true));
        assertTrue(text.toString().contains("25.0 % behind a"), text.toString());
        assertTrue(text.toString().contains("20.0 % ahead of a"), text.toString());
        assertTrue(text.toString().contains("emtal against its family: 2 sets with 1 trainers in common"), text.toString());
    }

    @Test
    void timeLeftFollowsEachTrainersOwnPace() {
        TimeLeft left = new TimeLeft();
        left.expect("slow", 20);
        left.expect("fast", 20);
        left.expect("unknown", 10);
        left.done("slow", 10, 30);
        left.done("fast", 10, 10);
        // 10 x 3 s, 10 x 1 s, and 10 x 2 s for the one that has not run.
        assertEquals(Duration.ofSeconds(60), left.estimate());
        left.dropped("unknown", 10);
        assertEquals(Duration.ofSeconds(40), left.estimate());
        assertEquals("59 s", TimeLeft.format(Duration.ofSeconds(59)));
        assertEquals("2 min 5 s", TimeLeft.format(Duration.ofSeconds(125)));
        assertEquals("3 h 1 min", TimeLeft.format(Duration.ofSeconds(3 * 3600 + 119)));
    }

    private static Measurement measured(String set, String trainer, long seed, String metric, double value) {
        return new Measurement(set, trainer, seed, Map.of(metric, value), 1, 1, OptionalLong.empty());
    }
}
