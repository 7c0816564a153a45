package io.emtal.tribuo.table;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.SharedData;
import io.emtal.tribuo.Warnings;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.table.TableSource.TableSourceProvenance;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tribuo.DataSource;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.MutableDataset;
import org.tribuo.provenance.DataSourceProvenance;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TableSourceTest {

    private static final TableSchema SCHEMA = TableSchema.builder().numeric("x").nominal("c", "red", "green, dark")
            .realTask("r").binaryTask("b").categoricalTask("k", "lo", "hi").build();

    private static final String ROWS = """
            x,c,r,b,k
            1,red,-2.5e1,0,lo
            ,"green, dark",,1,
            3,,7,,hi
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void writeSchema() throws IOException {
        Files.writeString(folder.resolve("schema.json"), SCHEMA.toJson());
    }

    private Path csv(String text) throws IOException {
        return csv(text.getBytes(StandardCharsets.UTF_8));
    }

    private Path csv(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("table.csv"), bytes);
    }

    /** Features and output of every example. */
    private static List<String> read(DataSource<MultiTask> source) {
        List<String> rows = new ArrayList<>();
        for (Example<MultiTask> example : source) {
            Map<String, Double> features = new TreeMap<>();
            for (Feature feature : example) {
                features.put(feature.getName(), feature.getValue());
            }
            rows.add(features + " " + example.getOutput());
        }
        return rows;
    }

    private static final List<String> EXPECTED = List.of("{c@red=1.0, x=1.0} b=false,k=\"lo\",r=-25.0",
            "{c@green, dark=1.0} b=true", "{x=3.0} k=\"hi\",r=7.0");

    @Test
    void emptyCellsAreMissingFeaturesAndLabels() throws IOException {
        TableSource source = TableSource.of(csv(ROWS));
        assertEquals(EXPECTED, read(source));
        assertEquals(EXPECTED, read(source), "every iterator reads the file anew");
        MutableDataset<MultiTask> dataset = new MutableDataset<>(source);
        assertEquals(3, dataset.size());
        assertEquals(4, dataset.getOutputInfo().size());
    }

    @Test
    void cellsWithAMarkAreMissingLikeEmptyOnes() throws IOException {
        TableSchema marked = new TableSchema(SCHEMA.features(), SCHEMA.tasks(), Set.of("NA", "-999"));
        String rows = "x,c,r,b,k\n1,red,-2.5e1,0,lo\n-999,\"green, dark\",NA,1,NA\n3,NA,7,\"NA\",hi\n";
        assertEquals(EXPECTED, read(TableSource.of(csv(rows), marked)));
        assertMessage(() -> read(TableSource.of(csv(rows))), "line 3, column 'r': found 'NA', allowed are decimal numbers"
                + " with a point in the range of single precision, such as -1.5e3, and the empty cell for a missing value");
        assertMessage(() -> read(TableSource.of(csv(rows.replace("7", "na")), marked)),
                "and the empty cell or '-999' or 'NA' for a missing value");
        assertMessage(() -> read(TableSource.builder(csv(rows)).schema(marked).ignore("c").build()), "line 3: found no feature");
    }

    /** As pandas writes whole numbers in a column with gaps. */
    @Test
    void yesAndNoAreReadHoweverTheyAreWritten() throws IOException {
        assertEquals(EXPECTED, read(TableSource.of(csv(ROWS.replace("e1,0,", "e1,0.0,").replace(",,1,", ",,+1e0,")))));
        assertEquals(List.of("{x=1.0} b=true", "{x=2.0} b=false"), read(MemoryTable.ofMaps(SCHEMA,
                List.of(Map.of("x", 1, "b", 1.0), Map.of("x", 2, "b", 0f)))));
    }

    @Test
    void columnsStandInAnyOrderAndOthersAreIgnoredByName() throws IOException {
        Path file = csv("k,id,b,c,r,x\nlo,7,0,red,-25,1\n");
        assertEquals(EXPECTED.subList(0, 1), read(TableSource.builder(file).ignore("id", "fold").build()));
        String message = assertThrows(EmtalException.class, () -> read(TableSource.of(file))).getMessage();
        assertTrue(message.contains("line 1: found the column 'id' as number 2, which the schema does not have"), message);
    }

    @Test
    void featuresThatAreIgnoredAreNone() throws IOException {
        List<String> expected = List.of("{x=1.0} b=false,k=\"lo\",r=-25.0", "{x=3.0} k=\"hi\",r=7.0");
        for (String text : List.of("x,c,r,b,k\n1,red,-25,0,lo\n3,,7,,hi\n", "x,r,b,k\n1,-25,0,lo\n3,7,,hi\n")) {
            Path file = csv(text);
            TableSource source = TableSource.builder(file).ignore("c", "fold").build();
            assertEquals(expected, read(source));
            TableSchema kept = new TableSchema(SCHEMA.features().subList(0, 1), SCHEMA.tasks());
            assertEquals(kept, source.schema());
            assertEquals(kept.toJson(), fact(source.getProvenance(), TableSourceProvenance.SCHEMA));
            assertEquals(Set.of("x"), new MutableDataset<>(source).getFeatureIDMap().keySet());
            try (TableReader reader = TableReader.of(SCHEMA).ignore("c").open(file)) {
                TableReader.Row row = reader.next();
                assertEquals(1, row.feature(0));
                assertTrue(Double.isNaN(row.feature(1)), "positions are those of the schema");
                assertEquals(-25, row.task(0));
            }
        }
        Path file = csv(ROWS);
        assertMessage(() -> TableSource.builder(file).ignore("c", "x").build(), file
                + ": found all 2 features of the schema among the ignored columns ['c', 'x'], at least one");
        assertMessage(() -> read(TableSource.builder(file).ignore("c").build()), "line 3: found no feature");
    }

    @Test
    void tasksAreNotIgnoredUnlessNoneIsLookedAt() throws IOException {
        Path file = csv(ROWS);
        String expected = file + ": found the task 'b' among the columns to be ignored, allowed are features";
        assertMessage(() -> TableSource.builder(file).ignore("fold", "b").build(), expected);
        assertMessage(() -> TableReader.of(SCHEMA).ignore("b").open(file), expected);
        assertMessage(() -> TableSchema.infer(file, List.of("k", "b"), List.of("x", "b")), expected);
        assertEquals(3, read(TableSource.builder(file).ignore("b").unlabelled().build()).size());
    }

    private static void assertMessage(Executable call, String part) {
        String message = assertThrows(EmtalException.class, call).getMessage();
        assertTrue(message.contains(part), message);
    }

    @Test
    void rowsWithoutAnyLabelAreKeptAndRowsToPredictNeedNoTasks() throws IOException {
        assertEquals(List.of("{x=1.0} "), read(TableSource.of(csv("x,c,r,b,k\n1,,,,\n"))));
        TableSource unlabelled = TableSource.builder(csv("c,x\nred,1\n")).unlabelled().build();
        assertSame(MultiTaskFactory.UNKNOWN_MULTITASK, unlabelled.iterator().next().getOutput());
        TableSource notLookedAt = TableSource.builder(csv(ROWS.replace("-2.5e1", "no number"))).unlabelled().build();
        assertEquals(3, read(notLookedAt).size());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "1,red | \"1,5\",red | line 2, column 'x': found '1,5', allowed are decimal numbers",
        "1,red | NaN,red | line 2, column 'x': found 'NaN'",
        "1,red | Infinity,red | line 2, column 'x': found 'Infinity'",
        "1,red | 1d,red | line 2, column 'x': found '1d'",
        "1,red | 0x1p3,red | line 2, column 'x': found '0x1p3'",
        "1,red | 1e,red | line 2, column 'x': found '1e'",
        "1,red | .,red | line 2, column 'x': found '.'",
        "1,red | 1e999,red | line 2, column 'x': found '1e999'",
        "1,red | 1e39,red | line 2, column 'x': found '1e39', allowed are decimal numbers",
        "3,,7,, | 3,,-3.5e38,, | line 4, column 'r': found '-3.5e38', allowed are decimal numbers",
        "1,red | 1,\u001bpink | line 2, column 'c': found '\\u001bpink', allowed are the column's values ['red', 'green, dark']",
        "3,,7,,hi | 3,,7,2,hi | line 4, column 'b': found '2', allowed are the column's values ['0', '1']",
        "3,,7,,hi | 3,,7,0.5,hi | line 4, column 'b': found '0.5', allowed are the column's values ['0', '1']",
        "3,,7,,hi | 3,,7,yes,hi | line 4, column 'b': found 'yes'",
        "3,,7,,hi | 3,,7,,HI | line 4, column 'k': found 'HI'",
        "3,,7,,hi | ,,7,,hi | line 4: found no feature",
        "3,,7,,hi | 3,,7,hi | line 4: found 4 cells",
        "3,,7,,hi | 3,,7,,\"hi | line 4: found a quoted cell",
        "x,c,r | x,d,r | line 1: found no column 'c'",
        "x,c,r,b,k | x,c,r,b,b | line 1: found the column 'b' twice"})
    void faultsNameFileLineAndColumn(String good, String bad, String expected) throws IOException {
        Path file = csv(ROWS.replace(good, bad));
        String message = assertThrows(EmtalException.class, () -> read(TableSource.of(file))).getMessage();
        assertTrue(message.startsWith(file.toString()) && message.contains(expected), message);
    }

    @Test
    void tablesWithoutRowsAreRefused() throws IOException {
        for (String text : List.of("x,c,r,b,k\n", "")) {
            Path file = csv(text);
            String message = assertThrows(EmtalException.class, () -> read(TableSource.of(file))).getMessage();
            assertTrue(message.startsWith(file.toString()), message);
        }
    }

    @Test
    void faultsCanBeCountedInsteadOfRefused() throws IOException {
        Path file = csv(ROWS.replace("1,red", "one,pink").replace("3,,7", "3,,seven"));
        assertEquals(List.of("{c@green, dark=1.0} b=true", "{x=3.0} k=\"hi\""),
                read(TableSource.builder(file).lenient().build()));
        Path none = csv("x,c,r,b,k\none,,1,1,lo\n");
        assertTrue(assertThrows(EmtalException.class, () -> read(TableSource.builder(none).lenient().build())).getMessage()
                .contains("found no row with a feature"));
    }

    @Test
    void numbersBeyondSinglePrecisionCountAsFaults() throws IOException {
        Path file = csv(ROWS.replace("1,red", "1e39,red").replace("3,,7", "3.4e38,,7e38"));
        assertEquals(List.of("{c@red=1.0} b=false,k=\"lo\",r=-25.0", "{c@green, dark=1.0} b=true",
                "{x=3.4E38} k=\"hi\""), read(TableSource.builder(file).lenient().build()));
    }

    /** Test rows may have no label of some task. */
    @Test
    void aTaskWithoutALabelIsLeftOutWithAWarning() throws IOException {
        Path file = csv("x,c,r,b,k\n1,red,,0,lo\n2,,,1,hi\n");
        String warning = file + ": found no value in 2 rows for the tasks ['r'], which are left out";
        try (Warnings warnings = new Warnings(TableSource.class)) {
            assertEquals(2, read(TableSource.builder(file).unlabelled().build()).size());
            assertEquals(List.of(), warnings.messages());
            assertEquals(3, new MutableDataset<>(TableSource.of(file)).getOutputInfo().size(), "two classes and b");
            assertEquals(List.of(warning), warnings.messages());
        }
    }

    /** A row that was left out would shift the predictions of those behind it. */
    @Test
    void rowsToBePredictedAreNotLeftOut() throws IOException {
        Path file = csv("x,c,r,b,k\n1,red,,,\none,,,,\n2,,,,\n");
        try (Warnings warnings = new Warnings(TableSource.class)) {
            List<Integer> sizes = new ArrayList<>();
            TableSource.builder(file).unlabelled().lenient().build().forEach(example -> sizes.add(example.size()));
            assertEquals(List.of(2, 0, 1), sizes);
            assertEquals(List.of(file + ": took 1 cells as missing that are not as their column's type says, and found 1"
                    + " rows without features"), warnings.messages());
        }
        Path gap = csv("x,c\n1,red\n,\n");
        assertMessage(() -> read(TableSource.builder(gap).unlabelled().build()), "line 3: found no feature");
    }

    @Test
    void aLocaleWithDecimalCommasMakesNoDifference() throws IOException {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            assertEquals(EXPECTED, read(TableSource.of(csv("\uFEFF" + ROWS.replace("\n", "\r\n")))));
        } finally {
            Locale.setDefault(before);
        }
    }

    /** Mutations of a good table are read, or refused with the file's name; nothing else comes out. */
    @Test
    void mutatedTablesAreReadOrRefused() throws IOException {
        byte[] good = ROWS.getBytes(StandardCharsets.UTF_8);
        int read = 0;
        for (int seed = 0; seed < 1000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] bad = good.clone();
            for (int i = 0; i < 2; i++) {
                bad[random.nextInt(bad.length)] = (byte) (random.nextBoolean() ? "\",\n\r1.e".charAt(random.nextInt(7))
                        : random.nextInt(256));
            }
            Path file = csv(bad);
            try {
                read += read(TableSource.of(file)).isEmpty() ? 0 : 1;
            } catch (EmtalException e) {
                assertTrue(e.getMessage().startsWith(file.toString()), "seed " + seed + ": " + e.getMessage());
            }
        }
        assertTrue(read > 0 && read < 1000, read + " of 1000 were read");
    }

    @Test
    void provenanceHoldsSchemaAndHash() throws IOException {
        Path file = csv(ROWS);
        DataSourceProvenance first = TableSource.of(file).getProvenance();
        assertEquals(first, assertInstanceOf(TableSourceProvenance.class, ProvenanceUtil.unmarshalProvenance(
                ProvenanceUtil.marshalProvenance(first))));
        assertEquals(SCHEMA.toJson(), fact(first, TableSourceProvenance.SCHEMA));
        csv(ROWS.replace("red", "\"red\""));
        assertNotEquals(fact(first, DataSourceProvenance.RESOURCE_HASH),
                fact(TableSource.of(file).getProvenance(), DataSourceProvenance.RESOURCE_HASH));
    }

    private static Object fact(DataSourceProvenance provenance, String key) {
        return ((TableSourceProvenance) provenance).getInstanceValues().get(key).getValue();
    }

    @Test
    void tablesAreConfigured() throws IOException {
        Path file = csv(ROWS.replace("3,,7", "three,,7"));
        Path xml = Files.writeString(folder.resolve("config.xml"), """
                <config>
                  <component name="table" type="io.emtal.tribuo.table.TableSource">
                    <property name="file" value="%s"/>
                    <property name="schemaFile" value="%s"/>
                    <property name="strict" value="false"/>
                    <propertylist name="ignored"><item>id</item></propertylist>
                  </component>
                </config>
                """.formatted(file, folder.resolve("schema.json")));
        TableSource source = (TableSource) new ConfigurationManager(xml.toString()).lookup("table");
        assertEquals(EXPECTED.subList(0, 2), read(source));
        assertDoesNotThrow(() -> ProvenanceUtil.extractConfiguration(source.getProvenance()));
        Files.writeString(xml, Files.readString(xml).replace("schema.json", "none.json"));
        assertThrows(PropertyException.class, () -> new ConfigurationManager(xml.toString()).lookup("table"));
        assertThrows(EmtalException.class, () -> TableSource.builder(file).schema(SCHEMA)
                .schemaFile(folder.resolve("schema.json")).build(), "two schemas");
    }

    /** A row. */
    public record Cells(Double x, String c, Integer r, Boolean b, Level k) {
    }

    /** Constants whose names are values. */
    public enum Level {
        /** Below. */
        lo,
        /** Above. */
        hi
    }

    @Test
    void rowsInMemoryAreRead() {
        assertEquals(EXPECTED, read(MemoryTable.ofMaps(SCHEMA, List.of(
                Map.of("x", 1, "c", "red", "r", -25, "b", 0, "k", "lo"), Map.of("c", "green, dark", "b", true),
                Map.of("x", 3f, "k", "hi", "r", 7L)))));
        assertEquals(EXPECTED, read(MemoryTable.ofRecords(SCHEMA, List.of(new Cells(1., "red", -25, false, Level.lo),
                new Cells(null, "green, dark", null, true, null), new Cells(3., null, 7, null, Level.hi)))));
    }

    @Test
    void faultsInMemoryNameRowAndColumn() {
        Map<String, Object> good = Map.of("x", 1);
        for (var bad : Map.<Map<String, Object>, String>of(
                Map.of("x", "1"), "row 1, column 'x': found '1' of String",
                Map.of("x", Double.NaN), "row 1, column 'x': found 'NaN'",
                Map.of("x", -1e39), "row 1, column 'x': found '-1.0E39' of Double, allowed are finite",
                Map.of("c", "pink"), "row 1, column 'c': found 'pink' of String, allowed are ['red', 'green, dark']",
                Map.of("x", 1, "b", 2), "row 1, column 'b': found '2'",
                Map.of("x", 1, "y", 2), "row 1: found the column 'y'",
                Map.of("b", 1), "row 1: found no feature").entrySet()) {
            String message = assertThrows(EmtalException.class,
                    () -> MemoryTable.ofMaps(SCHEMA, List.of(good, bad.getKey()))).getMessage();
            assertTrue(message.contains(bad.getValue()), message);
        }
        assertThrows(EmtalException.class, () -> MemoryTable.ofMaps(SCHEMA, List.of()));
    }

    /** The layout of the shared tables is the schema's, and what is inferred of a table that has no schema is the same. */
    @ParameterizedTest
    @CsvSource({"andro,data,49", "atp1d,data,337", "edm,data,154", "emotions,train,391", "enb,data,768", "jura,data,359",
        "oes97,data,334", "scene,test,1196", "slump,data,103"})
    void sharedTablesAreReadAndInferred(String set, String name, int rows) {
        Path file = SharedData.path("tabular/" + set + "/" + name + ".csv");
        TableSource source = TableSource.builder(file).ignore("fold").build();
        assertEquals(rows, read(source).size());
        List<String> tasks = source.schema().tasks().stream().map(Column::name).toList();
        TableSchema inferred = TableSchema.infer(file, tasks, name.equals("data") ? List.of("fold") : List.of());
        assertEquals(source.schema(), inferred);
        assertEquals(read(source), read(TableSource.builder(file).schema(inferred).ignore("fold").build()));
    }
}
