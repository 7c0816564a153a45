package io.emtal.tribuo.search;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/**
 * Draws a search's candidates: the trainer's own configuration, and others in which two settings are changed, or more
 * where these are used up. So few show what each change does; and all values are dealt like cards, so that each comes
 * about equally often.
 */
final class CandidateDraw {

    private static final int CHANGES = 2;

    /** After so many draws in a row of what was drawn before, any number of settings is changed. */
    private static final int MOST_REPEATED = 100;

    private final SplittableRandom random;
    private final List<Change> changes;
    private final List<Change> deck = new ArrayList<>();

    private CandidateDraw(List<Change> changes, SplittableRandom random) {
        this.changes = changes;
        this.random = random;
    }

    private record Change(Setting setting, String value) {
    }

    /**
     * Draws candidates that are all different.
     *
     * @param own the trainer's own configuration, the first candidate
     * @param space the settings
     * @param budget the most candidates; there are fewer if there are not so many combinations
     * @param random decides
     * @throws io.emtal.onnx.EmtalException if a setting's path leads nowhere
     */
    static List<Candidate> draw(TrainerConfiguration own, List<Setting> space, int budget, SplittableRandom random) {
        Candidate first = Candidate.of(0, own, space);
        List<Change> changes = space.stream().flatMap(setting -> setting.values().stream()
                .filter(value -> !first.has(setting, value)).map(value -> new Change(setting, value))).toList();
        // No path and no value is there twice: each combination is another configuration.
        double combinations = changes.stream().collect(Collectors.groupingBy(Change::setting, Collectors.counting()))
                .values().stream().mapToDouble(count -> 1 + count).reduce(1, (a, b) -> a * b);
        CandidateDraw draw = new CandidateDraw(changes, random);
        List<Candidate> candidates = new ArrayList<>(List.of(first));
        Set<List<String>> tried = new HashSet<>(Set.of(first.comparable()));
        int repeated = 0;
        while (candidates.size() < budget && candidates.size() < combinations) {
            TrainerConfiguration configuration = own;
            for (Change change : draw.deal(repeated < MOST_REPEATED ? CHANGES : 1 + random.nextInt(space.size()))) {
                for (String path : change.setting().paths()) {
                    configuration = configuration.with(path, change.value());
                }
            }
            Candidate drawn = Candidate.of(candidates.size(), configuration, space);
            if (tried.add(drawn.comparable())) {
                candidates.add(drawn);
                repeated = 0;
            } else {
                repeated++;
            }
        }
        return candidates;
    }

    /** Changes of so many settings, or of all if there are fewer. What cannot be dealt now stays in the deck. */
    private List<Change> deal(int count) {
        List<Change> dealt = new ArrayList<>();
        Set<Setting> changed = new HashSet<>();
        take(count, dealt, changed);
        if (dealt.size() < count) {
            deck.addAll(changes);
            Collections.shuffle(deck, new Random(random.nextLong()));
            take(count, dealt, changed);
        }
        return dealt;
    }

    private void take(int count, List<Change> dealt, Set<Setting> changed) {
        deck.removeIf(change -> dealt.size() < count && changed.add(change.setting()) && dealt.add(change));
    }
}
