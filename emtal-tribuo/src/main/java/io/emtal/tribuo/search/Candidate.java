package io.emtal.tribuo.search;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A configuration that a search may try.
 *
 * @param number from 0
 * @param configuration the trainer's whole configuration
 * @param values the values of the settings by their names
 * @param comparable the values at all paths of each setting, alike for numbers that are written differently
 */
record Candidate(int number, TrainerConfiguration configuration, Map<String, String> values, List<String> comparable) {

    /**
     * Looks the settings' values up.
     *
     * @throws io.emtal.onnx.EmtalException if a path leads nowhere
     */
    static Candidate of(int number, TrainerConfiguration configuration, List<Setting> space) {
        Map<String, String> values = new LinkedHashMap<>();
        List<String> comparable = new ArrayList<>();
        for (Setting setting : space) {
            comparable.add(setting.paths().stream().map(path -> Setting.comparable(configuration.value(path)))
                    .collect(Collectors.joining(" ")));
            values.put(setting.name(), configuration.value(setting.name()));
        }
        return new Candidate(number, configuration, values, comparable);
    }

    /** Where its trainings are saved: not where those of a search for other settings are. */
    String directory() {
        return "candidate-" + number + "-" + HexFormat.of().toHexDigits(values.toString().hashCode());
    }

    /** Whether it has a setting's value at all its paths. */
    boolean has(Setting setting, String value) {
        return setting.paths().stream().map(path -> Setting.comparable(configuration.value(path)))
                .allMatch(Setting.comparable(value)::equals);
    }
}
