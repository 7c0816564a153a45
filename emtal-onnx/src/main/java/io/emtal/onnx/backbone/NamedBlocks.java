package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.LinearLayer.Role;
import io.emtal.onnx.backbone.LinearLayers.Linear;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Blocks whose linear layers a user has named. */
final class NamedBlocks {

    private static final List<Role> REST = List.of(Role.ATTENTION_OUTPUT, Role.FC1, Role.FC2);

    private final GraphView view;
    private final LinearLayers layers;
    private final Map<Role, List<Linear>> named = new EnumMap<>(Role.class);
    private final List<Role> roles = new ArrayList<>();

    /**
     * Finds the layers.
     *
     * @param view the graph
     * @param layers its linear layers
     * @param targets what they are called
     * @throws EmtalException if a block would lack a layer, or a layer has two roles
     */
    NamedBlocks(GraphView view, LinearLayers layers, List<Hints.Target> targets) {
        this.view = view;
        this.layers = layers;
        for (Linear layer : layers.all()) {
            List<Role> own = targets.stream().filter(t -> t.matches(layer)).map(Hints.Target::role).distinct().toList();
            EmtalException.check(own.size() <= 1, "%s: found the roles %s, allowed is one",
                    GraphView.label(layer.product()), own);
            own.forEach(role -> named.computeIfAbsent(role, r -> new ArrayList<>()).add(layer));
        }
        roles.addAll(named.containsKey(Role.QKV) ? List.of(Role.QKV) : List.of(Role.QUERY, Role.KEY, Role.VALUE));
        roles.addAll(REST);
        for (Role role : Role.values()) {
            int expected = roles.contains(role) ? count(roles.get(0)) : 0;
            EmtalException.check(count(role) == expected && count(roles.get(0)) > 0, "targets: found %d linear layers"
                    + " of role %s and %d of role %s, allowed are one of each for each block, out of the layers of %s",
                    count(role), role, count(roles.get(0)), roles.get(0),
                    layers.all().stream().map(l -> l.product().name()).toList());
        }
    }

    private int count(Role role) {
        return named.getOrDefault(role, List.of()).size();
    }

    List<Block> blocks() {
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < count(Role.FC1); i++) {
            int index = i;
            List<LinearLayer> all = roles.stream().map(role -> named.get(role).get(index).as(role, index)).toList();
            int attention = all.size() - 2;
            blocks.add(new Block(i, all.subList(0, attention), all.get(attention), all.get(attention + 1)));
        }
        return blocks;
    }

    /** Training reorders the channels between fc1 and fc2, so what lies there must not tell them apart. */
    List<BlockDescription> descriptions() {
        List<BlockDescription> all = new ArrayList<>();
        for (int i = 0; i < count(Role.FC1); i++) {
            Linear fc1 = named.get(Role.FC1).get(i);
            Linear fc2 = named.get(Role.FC2).get(i);
            Optional<ScalarFunction> function = ScalarFunction.giving(view, layers, fc2.input())
                    .filter(f -> f.argument().equals(fc1.result()));
            String activation = function.map(ScalarFunction::name).orElseThrow(() -> GraphView.misfit(
                    ScalarFunction.misfitBehind(view, layers, fc1).orElse(fc2.product()), "the way from the weight '"
                            + fc1.weight() + "' to '" + fc2.weight() + "'", "a function of every element alone, whose"
                            + " constants have equal elements"));
            Value tokens = fc1.input();
            all.add(new BlockDescription(tokens.rank() > 2 ? (int) tokens.extent(-2) : 1, fc2.out(), 0, 0, fc1.out(),
                    activation, BlockDescription.Norm.UNKNOWN));
        }
        return all;
    }
}
