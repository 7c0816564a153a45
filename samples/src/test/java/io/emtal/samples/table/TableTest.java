package io.emtal.samples.table;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.table.TableSchema;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.regression.Regressor;

class TableTest {
    private static final String ROWS = """
            fold,x,y,c,t
            0,1,10,red,100
            1,,10,"green, dark",-2.5e1
            2,3,10,,300
            """;

    @TempDir
    Path temp;

    private TableFolder folder;

    @BeforeEach
    void makeFolder() {
        folder = new TableFolder(temp).with("schema.json", TableFolder.FOLDS);
    }

    @Test
    void readsNumbersNominalValuesAndMissingCells() {
        Table table = folder.with("data.csv", ROWS).read();
        assertEquals(3, table.rows());
        assertEquals("small", table.schema().name());
        assertEquals(1, table.feature(0, 0));
        assertTrue(Double.isNaN(table.feature(0, 1)));
        assertEquals(1, table.feature(2, 1), "index of the nominal value");
        assertTrue(Double.isNaN(table.feature(2, 2)));
        assertEquals(-25, table.target(0, 1));
    }

    @Test
    void aSchemaIsReadAsItWasWritten() {
        Schema schema = folder.with("data.csv", ROWS).read().schema();
        assertEquals(schema, Schema.parse("here", schema.toJson()));
        Schema split = new Schema("a", Kind.MULTILABEL, Optional.of(new Layout.TrainTest("x", "y", OptionalInt.of(3),
                OptionalInt.empty())), TableSchema.builder().numeric("f").binaryTask("\"t\u00e4").build());
        assertEquals(split, Schema.parse("here", split.toJson()));
    }

    @Test
    void eachFoldIsTestedOnce() {
        List<Split> splits = folder.with("data.csv", ROWS).read().splits();
        assertEquals(3, splits.size());
        assertArrayEquals(new int[] {0, 2}, splits.get(1).train());
        assertArrayEquals(new int[] {1}, splits.get(1).test());
    }

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r\n"})
    void byteOrderMarkLineEndsAndQuotedLineEndsMakeNoDifference(String lineEnd) {
        String schema = TableFolder.FOLDS.replace("\"blue\"", "\"light\\nblue\"");
        String rows = ROWS + "0,4,10,\"light\nblue\",7\n\n1,5,10,red,8\n";
        String text = "\uFEFF" + rows.replace("\n", lineEnd).replace("light" + lineEnd, "light\n");
        Table table = folder.with("schema.json", "\uFEFF" + schema).with("data.csv", text).read();
        assertEquals(5, table.rows());
        assertEquals(2, table.feature(2, 3));
        assertTrue(table.origin(3).endsWith("data.csv, line 5"), table.origin(3));
        assertTrue(table.origin(4).endsWith("data.csv, line 8"), "after a quoted line end and a blank line: "
                + table.origin(4));
    }

    @Test
    void parsesTheSameInALocaleWithDecimalCommas() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            Table table = folder.with("data.csv", ROWS.replace(",10,red", ",10.25,red")).read();
            assertEquals(10.25, table.feature(1, 0));
            assertEquals(3, table.splits().size());
        } finally {
            Locale.setDefault(before);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "0,1,10,red,100  | 0,\"1,5\",10,red,100 | line 2, column 'x': found '1,5'",
        "0,1,10,red,100  | 0,1,10,pink,100      | line 2, column 'c': found 'pink', allowed are the column's values",
        "0,1,10,red,100  | 3,1,10,red,100       | line 2, column 'fold': found '3', which is no fold; allowed are 0 to 2",
        "0,1,10,red,100  | 0,1,10,red           | line 2: found 4 cells",
        "fold,x,y,c,t    | fold,x,z,c,t         | line 1: found no column 'y'",
        "fold,x,y,c,t    | fold,x,y,c           | line 1: found no column 't'",
    })
    void namesFileLineAndColumnOfAFault(String good, String bad, String message) {
        folder.with("data.csv", ROWS.replace(good, bad));
        String found = assertThrows(EmtalException.class, folder::read).getMessage();
        assertTrue(found.contains("data.csv") && found.contains(message), found);
    }

    @Test
    void namesTheLineOfBytesThatAreNotUtf8() {
        byte[] bytes = ROWS.replace("green, dark", "gr\u00fcn").getBytes(StandardCharsets.ISO_8859_1);
        folder.with("data.csv", bytes);
        String found = assertThrows(EmtalException.class, folder::read).getMessage();
        assertTrue(found.contains("data.csv, line 3: found byte 0xfc at position 10, which is not UTF-8"), found);
    }

    @Test
    void controlCharactersOfTheFileDoNotReachMessages() {
        folder.with("data.csv", ROWS.replace("red", "\u001b[31mred"));
        String found = assertThrows(EmtalException.class, folder::read).getMessage();
        assertTrue(found.chars().noneMatch(Character::isISOControl), found);
    }

    @Test
    void aMissingTargetIsReportedWhereItIsNeeded() {
        Table table = folder.with("data.csv", ROWS.replace("300", "")).read();
        String found = assertThrows(EmtalException.class, () -> table.target(0, 2)).getMessage();
        assertTrue(found.contains("data.csv, line 4, column 't'"), found);
    }

    @Test
    void aFoldWithoutRowsIsAnError() {
        Table table = folder.with("data.csv", ROWS.replace("2,3,10", "1,3,10")).read();
        String found = assertThrows(EmtalException.class, table::splits).getMessage();
        assertTrue(found.contains("fold 2 has 3 training rows and 0 test rows"), found);
    }

    @Test
    void naturalFeaturesLeaveMissingCellsOut() {
        Table table = folder.with("data.csv", ROWS).read();
        FeatureView natural = new NaturalFeatures(table);
        assertEquals(Map.of("x", 1.0, "y", 10.0, "c@red", 1.0), features(natural, table, 0));
        assertEquals(Map.of("y", 10.0, "c@green, dark", 1.0), features(natural, table, 1));
        assertEquals(Map.of("x", 3.0, "y", 10.0), features(natural, table, 2));
    }

    @Test
    void standardisedFeaturesLearnFromTrainingRowsOnly() {
        Table table = folder.with("data.csv", ROWS + "0,1000,11,blue,0\n").read();
        StandardisedFeatures view = StandardisedFeatures.fit(table, new int[] {0, 1, 2});
        // y and c@blue are constant on these rows; x has mean 2 and the standard deviation of 1 and 3.
        assertEquals(Set.of("x", "c@red", "c@green, dark"), features(view, table, 0).keySet());
        assertEquals(3, view.width());
        assertEquals(-1 / Math.sqrt(2), features(view, table, 0).get("x"), 1e-12);
        assertEquals(0, features(view, table, 1).get("x"), "missing is the mean");
        assertEquals(998 / Math.sqrt(2), features(view, table, 3).get("x"), 1e-9);
        // Of the two rows with a known c, one is red.
        assertEquals(0.5 / Math.sqrt(0.5), features(view, table, 0).get("c@red"), 1e-12);
        assertEquals(0, features(view, table, 2).get("c@red"));
    }

    @Test
    void standardisedTargetsAreRestored() {
        Table table = folder.with("data.csv", ROWS).read();
        RegressorTargets targets = RegressorTargets.standardised(table, new int[] {0, 2});
        assertEquals(-1 / Math.sqrt(2), targets.output(0).getValues()[0], 1e-12);
        Example<Regressor> example = new NaturalFeatures(table).example(1, targets.output(1));
        Prediction<Regressor> restored = targets.restore(new Prediction<>(targets.output(1), 1, example));
        assertEquals(-25, restored.getOutput().getValues()[0], 1e-9);
        assertEquals(100, new RegressorTargets(table).output(0).getValues()[0]);
    }

    @Test
    void labelsOfAMultiLabelTableAreTheTargetsThatAreOne() {
        Table table = nominal("multilabel", "\"0\", \"1\"", "1", "0");
        MultiLabelTargets targets = new MultiLabelTargets(table);
        assertEquals(Set.of("a"), targets.output(0).getNameSet());
        assertEquals(Set.of("b"), targets.output(1).getNameSet());
        assertEquals(2, table.dataset(new NaturalFeatures(table), targets, new int[] {0, 1}).getOutputInfo().size());
    }

    @Test
    void labelsOfACategoricalTableAreTargetAndValue() {
        Table table = nominal("categorical", "\"lo\", \"hi, 5%\"", "lo", "\"hi, 5%\"");
        assertEquals(new MultiLabel(Set.of(new Label("a=lo"), new Label("b=hi%2C 5%25"))),
                new MultiLabelTargets(table).output(0));
        assertEquals(new Label("hi, 5%"), new LabelTargets(table, 1).output(0));
    }

    @Test
    void targetsOfAMixedTableAreThoseThatARowHas() {
        Table table = folder.with("schema.json", """
                {"name": "mixed", "kind": "mixed", "files": {"data": "data.csv", "fold_column": "fold", "folds": 2},
                 "features": [{"name": "x", "type": "numeric"}],
                 "targets": [{"name": "k", "type": "nominal", "values": ["lo", "hi"]}, {"name": "n", "type": "numeric"},
                             {"name": "b", "type": "nominal", "values": ["0", "1"]}]}
                """).with("data.csv", "fold,b,x,n,k\n0,1,7,-2,hi\n1,,8,,\n").read();
        MultiTaskTargets targets = new MultiTaskTargets(table);
        assertEquals("b=true,k=\"hi\",n=-2.0", targets.output(0).toString());
        assertTrue(targets.output(1).isEmpty());
        assertFalse(table.hasAllTargets());
        assertTrue(table.hasTarget(1, 0) && !table.hasTarget(1, 1));
    }

    @Test
    void theTargetsSayWhichKindItIsWhereTheSchemaDoesNot() {
        assertEquals(Kind.MULTILABEL, nominal("tagging", "\"0\", \"1\"", "1", "0").schema().kind());
        assertEquals(Kind.CATEGORICAL, nominal("tagging", "\"0\", \"1\", \"2\"", "1", "0").schema().kind());
        assertEquals(Kind.MIXED, nominal("mixed", "\"0\", \"1\"", "1", "0").schema().kind());
    }

    @Test
    void rowsAreCountedWhereTheSchemaCountsThem() {
        folder.with("schema.json", TableFolder.FOLDS.replace("\"files\"", "\"rows\": {\"data\": 4}, \"files\""))
                .with("data.csv", ROWS);
        String found = assertThrows(EmtalException.class, folder::read).getMessage();
        assertTrue(found.contains("3 rows; the schema says 4"), found);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "\"numeric\"}, {\"name\": \"y\" | \"text\"}, {\"name\": \"y\" | features[0]: found the type 'text'",
        "{\"name\": \"y\" | {\"name\": \"x\" | found two columns 'x'",
        "{\"name\": \"y\" | {\"name\": \"a@b\" | feature 'a@b'",
        "\"data.csv\" | \"../data.csv\" | files.data is '../data.csv'",
        "\"folds\": 3 | \"folds\": 1 | 1 folds; allowed are 2 or more",
        "\"kind\": \"regression\" | \"kind\": \"multilabel\" | The kind is multilabel, but the targets are not",
        "\"features\" | \"feature\" | features is missing or no array",
        "{\"name\": \"small\" | {\"name\" \"small\" | line 1: found no valid JSON",
        "{\"name\": \"small\" | {\"name\": \"a\", \"name\": \"small\" | line 1: found no valid JSON",
        "\"small\" | 7 | name is missing or no string",
    })
    void namesTheMemberOfAFaultInTheSchema(String good, String bad, String message) {
        folder.with("schema.json", TableFolder.FOLDS.replace(good, bad)).with("data.csv", ROWS);
        String found = assertThrows(EmtalException.class, folder::read).getMessage();
        assertTrue(found.contains("schema.json") && found.contains(message), found);
    }

    private Table nominal(String kind, String values, String first, String second) {
        String schema = """
                {"name": "labels", "kind": "%s", "files": {"train": "train.csv", "test": "test.csv"},
                 "features": [{"name": "x", "type": "numeric"}],
                 "targets": [{"name": "a", "type": "nominal", "values": [%s]},
                             {"name": "b", "type": "nominal", "values": [%s]}]}
                """.formatted(kind, values, values);
        return folder.with("schema.json", schema)
                .with("train.csv", "x,a,b\n1," + first + "," + second + "\n")
                .with("test.csv", "x,a,b\n2," + second + "," + first + "\n").read();
    }

    private static Map<String, Double> features(FeatureView view, Table table, int row) {
        Example<Regressor> example = view.example(row, new RegressorTargets(table).output(row));
        Map<String, Double> features = new TreeMap<>();
        for (Feature feature : example) {
            features.put(feature.getName(), feature.getValue());
        }
        return features;
    }
}
