package io.emtal.tribuo.search;

import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A configuration that a search may try.
 *
 * @param number from 0
 * @param configuration the trainer's whole configuration
 * @param values the values of the settings by their names
 */
record Candidate(int number, TrainerConfiguration configuration, Map<String, String> values) {

    /**
     * Looks the settings' values up.
     *
     * @throws io.emtal.onnx.EmtalException if a path leads nowhere
     */
    static Candidate of(int number, TrainerConfiguration configuration, List<Setting> space) {
        Map<String, String> values = new LinkedHashMap<>();
        for (Setting setting : space) {
            setting.paths().forEach(configuration::value);
            values.put(setting.name(), configuration.value(setting.name()));
        }
        return new Candidate(number, configuration, values);
    }

    /** The values at all paths of the settings, alike for numbers that are written differently. */
    List<String> comparable(List<Setting> space) {
        return space.stream().flatMap(setting -> setting.paths().stream()).map(this::comparable).toList();
    }

    /** Where its trainings are saved: not where those of a search for other settings are. */
    String directory() {
        return "candidate-" + number + "-" + HexFormat.of().toHexDigits(values.toString().hashCode());
    }

    /** Whether a search of these settings could draw this one. */
    boolean isIn(List<Setting> space) {
        return space.stream().allMatch(setting -> setting.values().stream().map(Setting::comparable)
                .anyMatch(value -> setting.paths().stream().map(this::comparable).allMatch(value::equals)));
    }

    private String comparable(String path) {
        return Setting.comparable(configuration.value(path));
    }
}
