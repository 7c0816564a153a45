package io.emtal.tribuo.search;

import com.oracle.labs.mlrg.olcut.config.ConfigurationData;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.config.property.Property;
import com.oracle.labs.mlrg.olcut.config.property.SimpleProperty;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.EmtalTrainer;
import org.tribuo.Output;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** A trainer's OLCUT configuration, whose properties can be changed by their paths. Immutable. */
final class TrainerConfiguration {

    private final String root;
    private final Map<String, ConfigurationData> components;

    private TrainerConfiguration(String root, Map<String, ConfigurationData> components) {
        this.root = root;
        this.components = components;
    }

    static TrainerConfiguration of(EmtalTrainer<?> trainer) {
        List<ConfigurationData> all = ProvenanceUtil.extractConfiguration(trainer.getProvenance());
        Map<String, ConfigurationData> components = new LinkedHashMap<>();
        all.forEach(component -> components.put(component.getName(), component));
        return new TrainerConfiguration(all.get(0).getName(), components);
    }

    /**
     * The value of a property.
     *
     * @throws EmtalException if there is no such property, or it is no single value
     */
    String value(String path) {
        ConfigurationData at = components.get(root);
        String[] steps = path.split("\\.", -1);
        for (int i = 0; i < steps.length - 1; i++) {
            at = below(at, steps[i], path);
        }
        String value = simple(at, steps[steps.length - 1], path);
        EmtalException.check(!components.containsKey(value), "search: setting '%s': found an object, %s, allowed is a single"
                + " value of it", path, components.containsKey(value) ? components.get(value).getClassName() : "");
        return value;
    }

    /**
     * This configuration with another value of a property.
     *
     * @throws EmtalException if there is no such property, or it is no single value
     */
    TrainerConfiguration with(String path, String value) {
        value(path);
        Map<String, ConfigurationData> changed = new LinkedHashMap<>(components);
        String[] steps = path.split("\\.", -1);
        ConfigurationData at = components.get(root);
        String name = root;
        for (int i = 0; i < steps.length - 1; i++) {
            // A copy of its own: what other objects refer to, too, stays as it is for them.
            String own = name + "-" + steps[i];
            ConfigurationData below = below(at, steps[i], path);
            changed.put(name, changed(at, name, steps[i], own));
            at = below;
            name = own;
        }
        changed.put(name, changed(at, name, steps[steps.length - 1], value));
        return new TrainerConfiguration(root, changed);
    }

    private static ConfigurationData changed(ConfigurationData component, String name, String property, String value) {
        Map<String, Property> properties = new HashMap<>(component.getProperties());
        properties.put(property, new SimpleProperty(value));
        return new ConfigurationData(name, component.getClassName(), properties);
    }

    private ConfigurationData below(ConfigurationData at, String step, String path) {
        String name = simple(at, step, path);
        EmtalException.check(components.containsKey(name), "search: setting '%s': found the value %s for '%s', allowed is an"
                + " object with properties", path, name, step);
        return components.get(name);
    }

    private static String simple(ConfigurationData at, String step, String path) {
        Property property = at.getProperties().get(step);
        EmtalException.check(property != null, "search: setting '%s': found no '%s' in %s, allowed are %s", path, step,
                at.getClassName(), new TreeSet<>(at.getProperties().keySet()));
        if (property instanceof SimpleProperty simple) {
            return simple.getValue();
        }
        throw new EmtalException("search: setting '" + path + "': found a list or map at '" + step
                + "', allowed is a single value");
    }

    /**
     * Makes the trainer.
     *
     * @throws EmtalException if a value is not allowed where it stands
     */
    <T extends Output<T>> EmtalTrainer<T> make() {
        ConfigurationManager manager = new ConfigurationManager();
        manager.addConfiguration(new ArrayList<>(components.values()));
        try {
            @SuppressWarnings("unchecked")
            EmtalTrainer<T> made = (EmtalTrainer<T>) manager.lookup(root);
            return made;
        } catch (PropertyException e) {
            Throwable first = e;
            while (first.getCause() != null) {
                first = first.getCause();
            }
            throw new EmtalException("search: found a configuration that is not allowed: " + first.getMessage(), e);
        }
    }
}
