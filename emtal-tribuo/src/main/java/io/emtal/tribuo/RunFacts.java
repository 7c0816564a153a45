package io.emtal.tribuo;

import com.google.protobuf.ByteString;
import com.oracle.labs.mlrg.olcut.provenance.MapProvenance;
import com.oracle.labs.mlrg.olcut.provenance.PrimitiveProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DoubleProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.HashProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;

import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/** What a training adds to a model's provenance, under names that begin with {@value #PREFIX}. */
final class RunFacts {

    /** What the names begin with. */
    static final String PREFIX = "emtal-";

    private RunFacts() {
    }

    /**
     * Adds the facts of a run.
     *
     * @param run what the caller of the training wants in the provenance
     * @param report how the network came about
     * @param workers the number of threads that trained, which decides the last bits
     * @param backbone the backbone before training
     * @param network the dense network
     * @param runtime the version of ONNX Runtime
     * @return a new map
     */
    static Map<String, Provenance> of(Map<String, Provenance> run, TrainingReport report, int workers,
                                      ByteString backbone, ByteString network, String runtime) {
        Map<String, Provenance> facts = of(run, report, network);
        String version = RunFacts.class.getPackage().getImplementationVersion();
        add(facts, new StringProvenance(PREFIX + "version", version == null ? "unknown" : version));
        add(facts, new StringProvenance(PREFIX + "onnxruntime-version", runtime));
        add(facts, new StringProvenance(PREFIX + "execution-provider", "CPUExecutionProvider"));
        add(facts, new IntProvenance(PREFIX + "workers", workers));
        add(facts, new IntProvenance(PREFIX + "best-epoch", report.bestEpoch()));
        add(facts, new IntProvenance(PREFIX + "rows-without-label", report.rowsWithoutLabel()));
        add(facts, sha256(PREFIX + "backbone-sha256", backbone));
        facts.put(PREFIX + "train-losses", losses(report, report.best().trainLosses()));
        facts.put(PREFIX + "validation-losses", losses(report, report.best().validationLosses()));
        return facts;
    }

    /**
     * Adds, or replaces, what is known of a network.
     *
     * @param run facts of a run
     * @param report how the network came about
     * @param network the dense network
     * @return a new map
     */
    static Map<String, Provenance> of(Map<String, Provenance> run, TrainingReport report, ByteString network) {
        Map<String, Provenance> facts = new HashMap<>(run);
        add(facts, new DoubleProvenance(PREFIX + "agreement", report.agreement()));
        report.stop().ifPresent(stop -> add(facts, new StringProvenance(PREFIX + "stop", stop.toString())));
        add(facts, sha256(PREFIX + "model-sha256", network));
        return facts;
    }

    private static void add(Map<String, Provenance> facts, PrimitiveProvenance<?> fact) {
        facts.put(fact.getKey(), fact);
    }

    private static MapProvenance<DoubleProvenance> losses(TrainingReport report, double[] losses) {
        Map<String, DoubleProvenance> byTask = new HashMap<>();
        for (int t = 0; t < losses.length; t++) {
            String task = report.tasks().task(t).name();
            byTask.put(task, new DoubleProvenance(task, losses[t]));
        }
        return byTask.isEmpty() ? new MapProvenance<>() : new MapProvenance<>(byTask);
    }

    private static HashProvenance sha256(String key, ByteString bytes) {
        MessageDigest digest = ProvenanceUtil.HashType.SHA256.getDigest();
        bytes.asReadOnlyByteBufferList().forEach(digest::update);
        return new HashProvenance(ProvenanceUtil.HashType.SHA256, key,
                HexFormat.of().withUpperCase().formatHex(digest.digest()));
    }
}
