package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.task.TaskLayout;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.security.MessageDigest;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What a training is a training of: everything that decides its bits, apart from the machine. Only trainings of the same
 * can go on from each other's checkpoints.
 *
 * @param facts what is said of each part, by its name; hashes stand for what is long
 */
record TrainingIdentity(Map<String, String> facts) {

    /** How many rows stand for the inputs of all: reading every image of a large set would take minutes. */
    private static final int SAMPLED_ROWS = 256;

    /** What earlier snapshots did not write; a checkpoint without it is taken for one of the same. */
    private static final Set<String> ADDED = Set.of("parameters");

    /** The seed of the augmented rows that stand for those of all epochs. */
    static final long SAMPLED_EPOCH = 0;

    /** Makes the facts immutable, keeping their order. */
    TrainingIdentity {
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    }

    /**
     * Describes a training.
     *
     * @param phase its phase
     * @param backbone what the phase starts from
     * @param method what is done to it
     * @param recipe how
     * @param tasks the tasks
     * @param parameters what is trained
     * @param rows the rows; all labels and the inputs of at most {@value #SAMPLED_ROWS} of them, evenly spread, are looked at
     * @param seed the seed
     */
    static TrainingIdentity of(Phase phase, Backbone backbone, String method, Recipe recipe, TaskLayout tasks,
                               List<Parameter> parameters, Examples rows, Seed seed) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("phase", phase.name());
        facts.put("backbone", sha256(backbone));
        facts.put("method", method);
        facts.put("recipe", recipe.getProvenance().toString());
        facts.put("workers", Integer.toString(recipe.workers()));
        facts.put("tasks", tasks.tasks() + ", heads " + tasks.headScope());
        facts.put("rows", sha256(rows, tasks.size()));
        facts.put("seed", Long.toString(seed.value()));
        facts.put("parameters", sha256(parameters));
        return new TrainingIdentity(facts);
    }

    private static String sha256(Backbone backbone) {
        MessageDigest digest = StateOutput.sha256();
        OnnxFile.toModel(backbone.graph(), "backbone").toByteString().asReadOnlyByteBufferList().forEach(digest::update);
        return sha256(digest.digest());
    }

    /** Their names say which layers are adapted. */
    private static String sha256(List<Parameter> parameters) {
        try {
            StateOutput output = StateOutput.toNowhere();
            for (Parameter parameter : parameters) {
                output.write(parameter.name());
                output.write(parameter.initial().shape().toString());
            }
            return parameters.size() + ", " + sha256(output.finish());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sha256(Examples rows, int tasks) {
        try {
            StateOutput output = StateOutput.toNowhere();
            for (int row = 0; row < rows.size(); row++) {
                if (rows.original(row) != row) {
                    output.write(rows.original(row));
                }
                for (int t = 0; t < tasks; t++) {
                    output.write((double) rows.label(row, t));
                }
            }
            int[] sample = IntStream.range(0, Math.min(rows.size(), SAMPLED_ROWS))
                    .map(i -> (int) ((long) i * rows.size() / Math.min(rows.size(), SAMPLED_ROWS))).toArray();
            write(rows, sample, output);
            if (rows.augments()) {
                write(rows.augmented(SAMPLED_EPOCH), sample, output);
            }
            return rows.size() + " of " + rows.width() + " inputs, " + sha256(output.finish());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(Examples rows, int[] sample, StateOutput output) throws IOException {
        Examples read = rows.inOrder(sample);
        float[] inputs = new float[rows.width()];
        for (int row : sample) {
            read.inputs(row, FloatBuffer.wrap(inputs));
            output.write(inputs);
        }
    }

    private static String sha256(byte[] digest) {
        return "SHA-256 " + HexFormat.of().formatHex(digest);
    }

    /** Writes the facts. */
    void write(StateOutput output) throws IOException {
        output.write(facts.size());
        for (Map.Entry<String, String> fact : facts.entrySet()) {
            output.write(fact.getKey());
            output.write(fact.getValue());
        }
    }

    /**
     * Reads what was written, and compares.
     *
     * @throws EmtalException if it is of another training
     */
    void check(StateInput input) throws IOException {
        Map<String, String> found = new LinkedHashMap<>();
        for (int left = input.length(2 * Integer.BYTES); left > 0; left--) {
            found.put(input.readText(), input.readText());
        }
        for (Map.Entry<String, String> fact : facts.entrySet()) {
            if (ADDED.contains(fact.getKey()) && !found.containsKey(fact.getKey())) {
                continue;
            }
            String other = found.getOrDefault(fact.getKey(), "nothing");
            EmtalException.check(fact.getValue().equals(other), "%s: found a checkpoint of another training, its %s is %s,"
                    + " allowed is %s; another directory is needed for this one", input.name(), fact.getKey(), other,
                    fact.getValue());
        }
    }
}
