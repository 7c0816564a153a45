package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * What a user says of a graph, in place of what would be looked for.
 *
 * @param targets the linear layers of all blocks; empty to look for them
 * @param pooling what heads read; empty to look for it
 */
record Hints(List<Target> targets, Optional<Pooling> pooling) {

    static final Hints NONE = new Hints(List.of(), Optional.empty());

    /**
     * Linear layers by name.
     *
     * @param role their place in their blocks
     * @param pattern for the whole name of the node that multiplies, or of the weight
     */
    record Target(LinearLayer.Role role, Pattern pattern) {

        /** Reads {@code ROLE=REGEX}. */
        static Target parse(String text) {
            String name = text.substring(0, Math.max(0, text.indexOf('=')));
            LinearLayer.Role[] roles = LinearLayer.Role.values();
            LinearLayer.Role role = Arrays.stream(roles).filter(r -> r.name().equals(name)).findFirst()
                    .orElseThrow(() -> new EmtalException("target '" + text + "': allowed is ROLE=REGEX with a role of "
                            + Arrays.toString(roles)));
            try {
                return new Target(role, Pattern.compile(text.substring(name.length() + 1)));
            } catch (PatternSyntaxException e) {
                throw new EmtalException("target '" + text + "': found no regular expression: " + e.getMessage(), e);
            }
        }

        boolean matches(LinearLayers.Linear layer) {
            return pattern.matcher(layer.product().name()).matches() || pattern.matcher(layer.weight()).matches();
        }
    }
}
