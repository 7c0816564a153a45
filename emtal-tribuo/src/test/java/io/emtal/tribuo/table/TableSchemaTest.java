package io.emtal.tribuo.table;

import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.Warnings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TableSchemaTest {

    private static final String JSON = """
            {"name": "any", "files": {"data": "data.csv"},
             "features": [{"name": "x", "type": "numeric"}, {"name": "c", "type": "nominal", "values": ["red", "blue"]}],
             "targets": [{"name": "r", "type": "numeric"}, {"name": "b", "type": "nominal", "values": ["1", "0"]},
                         {"name": "k", "type": "nominal", "values": ["lo", "hi"]}]}
            """;

    private static final TableSchema SCHEMA = TableSchema.builder().numeric("x").nominal("c", "red", "blue").realTask("r")
            .binaryTask("b").categoricalTask("k", "lo", "hi").build();

    @TempDir
    Path folder;

    private Path csv(String text) throws IOException {
        return Files.writeString(folder.resolve("table.csv"), text);
    }

    @Test
    void jsonIsRead() throws IOException {
        assertEquals(SCHEMA, TableSchema.parse("here", JSON));
        Path file = Files.writeString(folder.resolve("schema.json"), "\uFEFF" + JSON);
        assertEquals(SCHEMA, TableSchema.read(file));
    }

    @Test
    void nominalTasksOfNoughtAndOneAreBinaryUnlessTheyAreSaidToBeCategorical() {
        Column classes = Column.nominal("b", "1", "0");
        assertEquals(classes, TableSchema.parse("here", JSON.replace("\"any\"", "\"any\", \"kind\": \"categorical\"")
                .replace("{\"name\": \"r\", \"type\": \"numeric\"}, ", "")).tasks().get(0));
        assertEquals(classes, TableSchema.parse("here", JSON.replace("\"b\", \"type\": \"nominal\"",
                "\"b\", \"type\": \"categorical\"")).tasks().get(1));
    }

    @Test
    void anUnknownKindIsPassedOverWithAWarning() {
        try (Warnings warnings = new Warnings(SchemaJson.class)) {
            for (String kind : List.of("regression", "multilabel", "Mixed")) {
                assertEquals(SCHEMA, TableSchema.parse("here", JSON.replace("\"any\"", "\"any\", \"kind\": \"" + kind
                        + "\"")));
            }
            assertEquals(List.of(), warnings.messages());
            assertEquals(SCHEMA, TableSchema.parse("here", JSON.replace("\"any\"", "\"any\", \"kind\": \"nominal\"")));
            assertEquals(List.of("here: kind: found 'nominal', allowed are [regression, multilabel, categorical,"
                    + " mixed]; it is passed over"), warnings.messages());
        }
    }

    @Test
    void whatIsWrittenIsRead() {
        TableSchema nasty = TableSchema.builder().numeric("a,\"b\"\n", "\u00e4=1").nominal("c", "", "@", "0", "1", "\u2028")
                .categoricalTask("", "0", "1").categoricalTask("=1+1", "").binaryTask("<b>").realTask(" ").build();
        for (TableSchema schema : List.of(SCHEMA, nasty)) {
            assertEquals(schema, TableSchema.parse("here", schema.toJson()));
        }
    }

    @Test
    void marksOfMissingCellsArePartOfASchema() throws IOException {
        TableSchema marked = new TableSchema(SCHEMA.features(), SCHEMA.tasks(), Set.of("NA", "?"));
        assertEquals(marked, TableSchema.parse("here", JSON.replace("\"any\"", "\"any\", \"missing\": [\"?\", \"NA\"]")));
        assertEquals(marked, TableSchema.parse("here", marked.toJson()));
        assertEquals("  missing is ['?', 'NA']", marked.toString().lines().reduce((a, b) -> b).orElseThrow());
        assertNotEquals(SCHEMA, marked);
        assertFalse(SCHEMA.toJson().contains("missing"));
        Path file = csv("x,c,r,b,k\n1,red,NA,0,lo\n?,NA,2,?,hi\nNA,blue,1,1,?\n");
        assertEquals(TableSchema.builder().numeric("x").nominal("c", "blue", "red").realTask("r").binaryTask("b")
                .categoricalTask("k", "hi", "lo").missing("NA", "?").build(),
                TableSchema.infer(file, List.of("r", "b", "k"), List.of(), Set.of("?", "NA")));
        String value = assertThrows(EmtalException.class, () -> TableSchema.builder().numeric("x")
                .categoricalTask("k", "NA", "hi").missing("NA").build()).getMessage();
        assertTrue(value.startsWith("column 'k': found the value 'NA', which marks missing cells"), value);
    }

    @Test
    void textHasALineAColumn() {
        assertEquals(List.of("TableSchema:", "  feature  numeric  'x'", "  feature  nominal  'c'['red', 'blue']",
                "  task     numeric  'r'", "  task     binary   'b'", "  task     nominal  'k'['lo', 'hi']"),
                SCHEMA.toString().lines().toList());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "\"x\", \"type\": \"numeric\" | \"x\", \"type\": \"text\" | features[0]: found the type 'text'",
        "\"x\", \"type\": \"numeric\" | \"x\", \"type\": \"binary\" | features[0]: found the type 'binary'",
        "\"x\", \"type\": \"numeric\" | \"x\", \"type\": \"numeric\", \"values\": [\"1\"] | features[0]: column 'x': found the values [1] of a numeric column",
        "[\"red\", \"blue\"] | [] | features[1]: column 'c': found the values [] of a nominal column",
        "[\"red\", \"blue\"] | [\"red\", \"red\"] | features[1]: column 'c': found a value twice",
        "[\"red\", \"blue\"] | [\"red\", 1] | features[1]: values: found 1, allowed are strings",
        "[\"red\", \"blue\"] | {\"red\": 0} | features[1]: values: found {\"red\":0}, allowed is an array of strings",
        "[\"red\", \"blue\"] | \"red\" | features[1]: values: found \"red\", allowed is an array of strings",
        "\"x\", \"type\": \"numeric\" | \"x\", \"type\": \"numeric\", \"values\": {} | features[0]: values: found {}",
        "\"name\": \"any\" | \"kind\": [] | kind: found [], allowed is one of the strings [regression, multilabel",
        "\"name\": \"any\" | \"missing\": \"NA\" | missing: found \"NA\", allowed is an array of strings",
        "\"name\": \"any\" | \"missing\": [null] | missing: found null, allowed are strings",
        "\"name\": \"any\" | \"missing\": [\"lo\"] | column 'k': found the value 'lo', which marks missing cells",
        "\"name\": \"any\" | \"kind\": 1 | kind: found 1, allowed is one of",
        "\"name\": \"c\" | \"name\": \"x\" | found two columns 'x'",
        "\"name\": \"x\" | \"name\": \"x@y\" | feature 'x@y'",
        "\"name\": \"x\" | \"name\": \"\" | feature ''",
        "\"name\": \"x\" | \"nome\": \"x\" | features[0]: name is missing",
        "\"targets\" | \"tasks\" | targets is missing",
        "{\"name\": \"any\" | {\"name\" \"any\" | line 1: found no valid JSON",
        "\"files\" | \"name\" | line 1: found no valid JSON",
        "{\"name\": \"any\" | [{\"name\": \"any\" | found no valid JSON"})
    void faultsNameTheMember(String good, String bad, String expected) {
        String message = assertThrows(EmtalException.class, () -> TableSchema.parse("here", JSON.replace(good, bad)))
                .getMessage();
        assertTrue(message.startsWith("here") && message.contains(expected), message);
    }

    @Test
    void typesAreInferred() throws IOException {
        Path file = csv("id,x,c,r,b,k\nu1,1,red,1e3,0,lo\nu2,,blue,-.5,1,\nu3,2,,7,,hi\n");
        assertEquals(TableSchema.builder().numeric("x").nominal("c", "blue", "red").realTask("r").binaryTask("b")
                .categoricalTask("k", "hi", "lo").build(), TableSchema.infer(file, List.of("r", "b", "k"), List.of("id")));
        assertEquals(Column.numeric("b"), TableSchema.infer(file, List.of("k"), List.of("id")).features().get(3),
                "0 and 1 are numbers where they are a feature");
        assertEquals(Column.nominal("id", "u1", "u2", "u3"), TableSchema.infer(file, List.of("k"), List.of()).features()
                .get(0));
    }

    /** As pandas writes an index. */
    @ParameterizedTest
    @CsvSource(quoteCharacter = '~', value = {"~~,1", "a@b,2"})
    void columnsWhoseNamesAreNoFeaturesAreToBeIgnored(String name, int number) throws IOException {
        Path file = csv((number == 1 ? name + ",x" : "x," + name) + ",t\n0,1,0\n1,2,1\n");
        String message = assertThrows(EmtalException.class, () -> TableSchema.infer(file, List.of("t"), List.of()))
                .getMessage();
        assertTrue(message.startsWith(file + ", line 1: found the column '" + name + "' as number " + number + ",")
                && message.endsWith("(as the option --ignore '" + name + "' does)"), message);
        TableSchema schema = TableSchema.infer(file, List.of("t"), List.of(name));
        assertEquals(TableSchema.builder().numeric("x").binaryTask("t").build(), schema);
        assertDoesNotThrow(() -> TableSource.builder(file).schema(schema).ignore(name).build().iterator().next());
    }

    @Test
    void columnsOfTextsAndEmptyOnesAreNotInferred() throws IOException {
        StringBuilder text = new StringBuilder("name,n,empty,t\n");
        for (int i = 0; i < 2000; i++) {
            text.append("name").append(i).append(',').append(i).append(",,0\n");
        }
        Path file = csv(text.toString());
        String texts = assertThrows(EmtalException.class, () -> TableSchema.infer(file, List.of("t"), List.of()))
                .getMessage();
        assertTrue(texts.contains("line 2, column 'name': found 'name0', which is no number, in a column of"), texts);
        String empty = assertThrows(EmtalException.class, () -> TableSchema.infer(file, List.of("t"), List.of("name")))
                .getMessage();
        assertTrue(empty.contains("column 'empty': found no cell"), empty);
        assertEquals(List.of(Column.numeric("n")), TableSchema.infer(file, List.of("t"), List.of("name", "empty"))
                .features());
        String absent = assertThrows(EmtalException.class, () -> TableSchema.infer(file, List.of("u"), List.of()))
                .getMessage();
        assertTrue(absent.contains("found no column 'u'"), absent);
    }

    @Test
    void theCellThatMakesNumbersNominalIsWarnedOf() throws IOException {
        Path file = csv("age,hours,gaps,grade,t\n39, 40,1,a,0\n40,38 ,NA,1,1\n41,40,2,b,\n");
        try (Warnings warnings = new Warnings(SchemaInference.class)) {
            assertEquals(List.of(Column.numeric("age"), Column.nominal("hours", " 40", "38 ", "40"),
                    Column.nominal("gaps", "1", "2", "NA"), Column.nominal("grade", "1", "a", "b")),
                    TableSchema.infer(file, List.of("t"), List.of()).features());
            assertEquals(2, warnings.messages().size(), warnings.messages().toString());
            assertTrue(warnings.messages().get(0).contains("line 2, column 'hours': found ' 40', which is no number;"
                    + " the column is taken as nominal, though 3 of its 3 values are numbers"),
                    warnings.messages().get(0));
            assertTrue(warnings.messages().get(1).contains("line 3, column 'gaps': found 'NA', which is no number;"
                    + " the column is taken as nominal, though 2 of its 3 values are numbers")
                    && warnings.messages().get(1).endsWith("what marks a missing cell must be named as such"),
                    warnings.messages().get(1));
        }
    }

    @Test
    void numbersWithACommaAreWarnedOf() throws IOException {
        Path file = csv("price,t\n\"4,022\",0\n\"-0,5\",1\n12,1\n");
        try (Warnings warnings = new Warnings(SchemaInference.class)) {
            assertEquals(List.of(Column.nominal("price", "-0,5", "12", "4,022")),
                    TableSchema.infer(file, List.of("t"), List.of()).features());
            assertEquals(List.of(file + ", line 2, column 'price': found '4,022', which is no number; the column is taken as"
                    + " nominal, though 3 of its 3 values are numbers once blanks around them are left out and a comma is"
                    + " the point"), warnings.messages());
        }
    }

    @Test
    void aTableWithoutRowsIsRefused() throws IOException {
        Path file = csv("x,t\n");
        assertEquals(file + ": found no rows, at least one is needed", assertThrows(EmtalException.class,
                () -> TableSchema.infer(file, List.of("t"), List.of())).getMessage());
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '~', value = {"NA", "~ 77516~"})
    void theCellThatIsNoNumberIsNamedWhereThereAreManyNumbers(String cell) throws IOException {
        StringBuilder text = new StringBuilder("n,t\n5,0\n").append(cell).append(",1\n");
        for (int i = 0; i < 2000; i++) {
            text.append(i).append(",0\n");
        }
        Path file = csv(text.toString());
        String message = assertThrows(EmtalException.class, () -> TableSchema.infer(file, List.of("t"), List.of()))
                .getMessage();
        assertTrue(message.contains("line 3, column 'n': found '" + cell + "', which is no number, in a column of"
                + " more than 1000 values"), message);
    }

    /** As pandas writes whole numbers in a column with gaps. */
    @Test
    void yesAndNoAreInferredHoweverTheyAreWritten() throws IOException {
        Path file = csv("x,id,b,c,one,r,k,w\n1.0,1,1.0,0,1.0,0.0,0,0\n0.0,0,,1.0,1,1.0,1,1\n1.0,1,0.0,0.0,,0.5,2,no\n");
        assertEquals(TableSchema.builder().numeric("x", "id").binaryTask("b", "c").realTask("one", "r", "k")
                .categoricalTask("w", "0", "1", "no").build(),
                TableSchema.infer(file, List.of("b", "c", "one", "r", "k", "w"), List.of()));
    }
}
