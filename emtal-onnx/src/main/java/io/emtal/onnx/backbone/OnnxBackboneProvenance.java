package io.emtal.onnx.backbone;

import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.PrimitiveProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import com.oracle.labs.mlrg.olcut.provenance.impl.SkeletalConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.HashProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.emtal.onnx.EmtalException;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Where a pre-trained backbone comes from: the settings of its source, and the SHA-256 of its file. */
public final class OnnxBackboneProvenance extends SkeletalConfiguredObjectProvenance {

    private static final long serialVersionUID = 1;

    private static final String HASH = "resource-hash";

    /** The file's hash. */
    private final HashProvenance hash;

    /**
     * Describes a source.
     *
     * @param source the source
     * @param file its file
     */
    OnnxBackboneProvenance(OnnxBackbone source, Path file) {
        super(source, "BackboneSource");
        EmtalException.check(Files.isRegularFile(file), "model %s: found no regular file", file);
        this.hash = new HashProvenance(ProvenanceUtil.HashType.SHA256, HASH,
                ProvenanceUtil.hashResource(ProvenanceUtil.HashType.SHA256, file));
    }

    /**
     * Reads a marshalled provenance back.
     *
     * @param map its parts by name
     */
    public OnnxBackboneProvenance(Map<String, Provenance> map) {
        this(extracted(map));
    }

    private OnnxBackboneProvenance(ExtractedInfo info) {
        super(info);
        this.hash = checkAndExtractProvenance(info, HASH, HashProvenance.class,
                OnnxBackboneProvenance.class.getSimpleName());
    }

    private static ExtractedInfo extracted(Map<String, Provenance> map) {
        Map<String, Provenance> configured = new HashMap<>(map);
        String owner = OnnxBackboneProvenance.class.getSimpleName();
        StringProvenance name = ObjectProvenance.checkAndExtractProvenance(map, CLASS_NAME, StringProvenance.class,
                owner);
        StringProvenance shortName = ObjectProvenance.checkAndExtractProvenance(map, HOST_SHORT_NAME,
                StringProvenance.class, owner);
        HashProvenance hash = ObjectProvenance.checkAndExtractProvenance(map, HASH, HashProvenance.class, owner);
        configured.keySet().removeAll(List.of(CLASS_NAME, HOST_SHORT_NAME, HASH));
        return new ExtractedInfo(name.getValue(), shortName.getValue(), configured, Map.of(HASH, hash));
    }

    /**
     * The file's SHA-256.
     *
     * @return in hexadecimal
     */
    public String sha256() {
        return hash.getValue();
    }

    @Override
    public Map<String, PrimitiveProvenance<?>> getInstanceValues() {
        Map<String, PrimitiveProvenance<?>> values = new HashMap<>(super.getInstanceValues());
        values.put(HASH, hash);
        return values;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof OnnxBackboneProvenance o && super.equals(o) && hash.equals(o.hash);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), hash);
    }
}
