package io.emtal.tribuo.table;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.PrimitiveProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import com.oracle.labs.mlrg.olcut.provenance.impl.SkeletalConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DateTimeProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.HashProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.emtal.onnx.EmtalException;
import org.tribuo.provenance.ConfiguredDataSourceProvenance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The configuration of a data source that reads a CSV file, with the file's SHA-256 and time, and facts of the source's own.
 */
public abstract class CsvSourceProvenance extends SkeletalConfiguredObjectProvenance
        implements ConfiguredDataSourceProvenance {

    private static final long serialVersionUID = 1L;

    private static final Map<String, Class<? extends PrimitiveProvenance<?>>> TYPES = Map.of(
            FILE_MODIFIED_TIME, DateTimeProvenance.class, DATASOURCE_CREATION_TIME, DateTimeProvenance.class,
            RESOURCE_HASH, HashProvenance.class);

    private final Map<String, PrimitiveProvenance<?>> facts;

    /**
     * Describes a data source as it is now.
     *
     * @param host the data source
     * @param file its CSV file
     * @param own facts of its own
     * @throws EmtalException if the file cannot be read
     */
    protected CsvSourceProvenance(Configurable host, Path file, List<? extends PrimitiveProvenance<?>> own) {
        super(host, "DataSource");
        facts = new HashMap<>();
        add(new DateTimeProvenance(FILE_MODIFIED_TIME, modified(file)));
        add(new DateTimeProvenance(DATASOURCE_CREATION_TIME, OffsetDateTime.now()));
        add(new HashProvenance(ProvenanceUtil.HashType.SHA256, RESOURCE_HASH,
                ProvenanceUtil.hashResource(ProvenanceUtil.HashType.SHA256, file)));
        own.forEach(this::add);
    }

    /**
     * Reads a provenance.
     *
     * @param map what was written
     * @param type the name of the class, for messages
     * @param own the types of the source's own facts by key
     */
    protected CsvSourceProvenance(Map<String, Provenance> map, String type,
                                  Map<String, Class<? extends PrimitiveProvenance<?>>> own) {
        this(extract(map, type, own));
    }

    private CsvSourceProvenance(ExtractedInfo info) {
        super(info);
        facts = Map.copyOf(info.instanceValues);
    }

    private static OffsetDateTime modified(Path file) {
        try {
            return Files.getLastModifiedTime(file).toInstant().atOffset(ZoneOffset.UTC);
        } catch (IOException e) {
            throw new EmtalException(file + ": found no file that can be read: " + e, e);
        }
    }

    private void add(PrimitiveProvenance<?> fact) {
        facts.put(fact.getKey(), fact);
    }

    private static ExtractedInfo extract(Map<String, Provenance> map, String type,
                                         Map<String, Class<? extends PrimitiveProvenance<?>>> own) {
        Map<String, Provenance> configured = new HashMap<>(map);
        String className = ObjectProvenance.checkAndExtractProvenance(configured, CLASS_NAME, StringProvenance.class, type)
                .getValue();
        String hostName = ObjectProvenance.checkAndExtractProvenance(configured, HOST_SHORT_NAME, StringProvenance.class,
                type).getValue();
        Map<String, Class<? extends PrimitiveProvenance<?>>> types = new HashMap<>(TYPES);
        types.putAll(own);
        Map<String, PrimitiveProvenance<?>> facts = new HashMap<>();
        types.forEach((key, value) -> facts.put(key,
                ObjectProvenance.checkAndExtractProvenance(configured, key, value, type)));
        return new ExtractedInfo(className, hostName, configured, facts);
    }

    @Override
    public Map<String, PrimitiveProvenance<?>> getInstanceValues() {
        Map<String, PrimitiveProvenance<?>> values = super.getInstanceValues();
        values.putAll(facts);
        return values;
    }

    @Override
    public boolean equals(Object other) {
        return other != null && other.getClass() == getClass() && super.equals(other)
                && facts.equals(((CsvSourceProvenance) other).facts);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), facts);
    }
}
