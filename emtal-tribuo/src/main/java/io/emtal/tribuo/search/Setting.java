package io.emtal.tribuo.search;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A part of a trainer's configuration with the values that it may have. A path leads from the trainer to a property, such
 * as {@code recipe.optimizer.weightDecay}; values are written as in a configuration file.
 */
public final class Setting implements Configurable, Provenancable<ConfiguredObjectProvenance> {

    @Config(mandatory = true, description = "Paths to the properties that have the value, all of them the same.")
    private List<String> paths = new ArrayList<>();

    @Config(mandatory = true, description = "The values.")
    private List<String> values = new ArrayList<>();

    /** For OLCUT. */
    private Setting() {
    }

    /**
     * A setting of several properties that always have the same value.
     *
     * @param paths at least one
     * @param values at least one, all different; 0.1 and 0.10 are not
     * @throws EmtalException if there are none, or two are equal
     */
    public Setting(List<String> paths, List<String> values) {
        this.paths = List.copyOf(paths);
        this.values = List.copyOf(values);
        invalid().ifPresent(message -> {
            throw new EmtalException(message);
        });
    }

    /**
     * A setting of one property.
     *
     * @param path from the trainer to the property
     * @param values at least one, all different; 0.1 and 0.10 are not
     * @return the setting
     * @throws EmtalException if there are none, or two are equal
     */
    public static Setting of(String path, String... values) {
        return new Setting(List.of(path), Arrays.asList(values));
    }

    @Override
    public void postConfig() {
        invalid().ifPresent(message -> {
            throw new PropertyException("", "Setting", message);
        });
    }

    private Optional<String> invalid() {
        boolean valid = !paths.isEmpty() && !values.isEmpty()
                && values.stream().map(Setting::comparable).distinct().count() == values.size();
        return valid ? Optional.empty() : Optional.of("Setting: found paths " + paths + ", values " + values
                + "; allowed are at least one of each, and no value twice, however it is written");
    }

    /** A value, alike for numbers that are written differently. */
    static String comparable(String value) {
        try {
            return new BigDecimal(value).stripTrailingZeros().toString();
        } catch (NumberFormatException e) {
            return value;
        }
    }

    /**
     * Paths to the properties.
     *
     * @return at least one
     */
    public List<String> paths() {
        return List.copyOf(paths);
    }

    /**
     * The values.
     *
     * @return at least one
     */
    public List<String> values() {
        return List.copyOf(values);
    }

    /**
     * What the setting is called in reports.
     *
     * @return the first path
     */
    public String name() {
        return paths.get(0);
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "Setting");
    }

    @Override
    public String toString() {
        return String.join("=", paths) + " in " + values;
    }
}
