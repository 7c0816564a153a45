package io.emtal.tribuo.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.tribuo.EmtalTrainer;
import org.junit.jupiter.api.Test;
import org.tribuo.classification.Label;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

class CandidateDrawTest {

    private static final TrainerConfiguration OWN = TrainerConfiguration.of(new EmtalTrainer<Label>());

    private static List<Candidate> draw(List<Setting> space, int budget, long seed) {
        return CandidateDraw.draw(OWN, space, budget, new SplittableRandom(seed));
    }

    @Test
    void twoSettingsAreChangedAndEachValueComesAboutEquallyOften() {
        List<Setting> space = SearchTrainer.tables();
        List<Candidate> drawn = draw(space, 20, 3);
        assertEquals(20, drawn.size());
        Candidate own = drawn.get(0);
        Map<String, Integer> counts = new HashMap<>();
        for (Candidate candidate : drawn.subList(1, 20)) {
            int changes = 0;
            for (int i = 0; i < space.size(); i++) {
                String value = candidate.comparable().get(i);
                if (!value.equals(own.comparable().get(i))) {
                    counts.merge(space.get(i).name() + " " + value, 1, Integer::sum);
                    changes++;
                }
            }
            assertEquals(2, changes, candidate.values()::toString);
        }
        // 38 changes to 18 values that are not the trainer's own.
        assertEquals(18, counts.size(), counts::toString);
        assertTrue(counts.values().stream().allMatch(count -> count >= 1 && count <= 4), counts::toString);
    }

    @Test
    void withBudgetEnoughAllCombinationsCome() {
        // The first setting has not the trainer's own value, 0; each other one has.
        List<Setting> space = List.of(Setting.of("recipe.dropout", "0.1", "0.2"),
                Setting.of("backbone.width", "64", "32"), Setting.of("backbone.bins", "8", "4"), Setting.of("recipe.patience", "6", "12", "24"));
        List<Candidate> drawn = assertTimeoutPreemptively(Duration.ofMinutes(1), () -> draw(space, 1000, 1));
        assertEquals(3 * 2 * 2 * 3, drawn.size());
        assertEquals(drawn.size(), drawn.stream().map(Candidate::comparable).distinct().count());
    }

    @Test
    void theTrainersOwnConfigurationIsAloneWhereNothingCanBeChanged() {
        assertEquals(1, draw(List.of(), 20, 1).size());
        assertEquals(1, draw(List.of(Setting.of("recipe.dropout", "0.0")), 20, 1).size());
    }
}
