package io.emtal.samples.compare;

import io.emtal.tribuo.multitask.MultiTask;
import java.util.List;
import java.util.stream.Stream;
import org.tribuo.Output;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.regression.Regressor;

/** Every competitor there is. The same name stands for the same method on each kind of targets that it can do. */
final class Competitors {
    private Competitors() {
    }

    /** On targets that are 0 or 1: a {@link MultiLabel} with the names of those that are 1. */
    static List<Competitor<MultiLabel>> multiLabel() {
        return join(EmtalCompetitors.multiLabel(), TribuoPeers.multiLabel());
    }

    /** On numeric targets. */
    static List<Competitor<Regressor>> regression() {
        return join(EmtalCompetitors.regression(), TribuoPeers.regression());
    }

    /** On nominal targets: a {@link MultiLabel} with one label {@code target=value} for each target. */
    static List<Competitor<MultiLabel>> categorical() {
        return join(EmtalCompetitors.categorical(), TribuoPeers.categorical());
    }

    /** On targets of different kinds, or with gaps: a {@link MultiTask} with those that a row has. */
    static List<Competitor<MultiTask>> mixed() {
        return join(EmtalCompetitors.mixed(), TribuoPeers.mixed());
    }

    private static <T extends Output<T>> List<Competitor<T>> join(List<Competitor<T>> ours,
            List<? extends Competitor<T>> peers) {
        return Stream.<Competitor<T>>concat(ours.stream(), peers.stream()).toList();
    }

    /** What a trainer is to the comparison. */
    static Group group(String name) {
        if (name.equals(NamedMethod.EMTAL.toString())) {
            return Group.EMTAL;
        }
        return Stream.of(EmtalCompetitors.multiLabel(), EmtalCompetitors.regression(), EmtalCompetitors.categorical(),
                        EmtalCompetitors.mixed())
                .flatMap(List::stream).anyMatch(ours -> ours.name().equals(name)) ? Group.FAMILY : Group.PEERS;
    }

    /** The names of those that take part unless others are named: all but the search, which takes many trainings. */
    static List<String> usual() {
        return names().stream().filter(name -> !name.equals(EmtalCompetitors.TUNED)).toList();
    }

    /** All names, in the order of the reports. */
    static List<String> names() {
        return Stream.of(multiLabel(), regression(), categorical(), mixed()).flatMap(List::stream).map(Competitor::name)
                .distinct().toList();
    }
}
