package io.emtal.tribuo.image;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import com.oracle.labs.mlrg.olcut.provenance.primitives.HashProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.SharedData;
import io.emtal.tribuo.image.ImageTable.ImageTableProvenance;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.provenance.DataSourceProvenance;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

class ImageTableTest {

    @TempDir
    private Path folder;

    @BeforeEach
    void images() throws IOException {
        Files.createDirectories(folder.resolve("png"));
        for (String image : List.of("a", "b", "c")) {
            Files.write(folder.resolve("png/" + image + ".png"), image.getBytes(StandardCharsets.UTF_8));
        }
    }

    private Path table(String text) throws IOException {
        return table("index.csv", text.getBytes(StandardCharsets.UTF_8));
    }

    private Path table(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    private static List<Set<String>> labels(Iterable<Example<MultiLabel>> source) {
        List<Set<String>> labels = new ArrayList<>();
        source.forEach(example -> labels.add(new TreeSet<>(example.getOutput().getNameSet())));
        return labels;
    }

    private static String message(Path file) {
        String message = assertThrows(EmtalException.class, () -> ImageTable.of(file)).getMessage();
        assertTrue(message.startsWith(file.toString()), message);
        return message;
    }

    @Test
    void everyColumnIsATaskAndEmptyCellsAreMissing() throws IOException {
        ImageTable table = ImageTable.of(table("""
                path,animal,dark,split
                png/a.png,cat,0,train
                png/b.png,,1,test
                png/a.png,dog,,train
                ./png/c.png,,,train
                """));
        assertEquals(Set.of("animal", "dark"), table.tasks());
        assertEquals(List.of(Set.of("animal=cat", "dark=0"), Set.of("dark=1"), Set.of("animal=dog"), Set.of()),
                labels(table));
        Example<MultiLabel> first = table.iterator().next();
        assertEquals(folder.toRealPath().resolve("png/a.png").toString(),
                first.getMetadataValue(ImageExample.METADATA).orElseThrow());
        assertEquals(1, first.size());
        assertTrue(ImageExample.carriesImage(first));
        MutableDataset<MultiLabel> dataset = new MutableDataset<>(table);
        assertEquals(4, dataset.size());
        assertEquals(1, dataset.getFeatureMap().size());
    }

    @Test
    void rowsAndColumnsCanBeChosen() throws IOException {
        Path file = table("""
                path,animal,fold,split
                png/a.png,cat,1,train
                png/b.png,dog,2,test
                png/c.png,cow,1,test
                """);
        assertEquals(List.of(Set.of("animal=cat"), Set.of("animal=cow")),
                labels(ImageTable.builder(file).filter("fold", "1").build()));
        assertEquals(List.of(Set.of("fold=2", "split=test"), Set.of("fold=1", "split=test")),
                labels(ImageTable.builder(file).filter("split", "test").labels("fold", "split").build()));
        assertEquals(Set.of("zoo.animal", "zoo.fold"), ImageTable.builder(file).name("zoo").build().tasks());
        String none = assertThrows(EmtalException.class, () -> ImageTable.builder(file).filter("split", "dev").build())
                .getMessage();
        assertTrue(none.contains("'dev'") && none.contains("[test, train]"), none);
        assertThrows(EmtalException.class, () -> ImageTable.builder(file).labels("colour").build());
        assertThrows(EmtalException.class, () -> ImageTable.builder(file).labels("fold", "fold").build());
        assertThrows(EmtalException.class, () -> ImageTable.builder(file).filter("set", "dev").build());
        assertThrows(EmtalException.class, () -> ImageTable.builder(file).filter(" ", "dev"));
    }

    @Test
    void ofAFiltersColumnTenValuesAreShown() throws IOException {
        StringBuilder text = new StringBuilder("path,kind,id\n");
        for (char id = 'a'; id <= 'l'; id++) {
            text.append("png/a.png,x,").append(id).append('\n');
        }
        Path file = table(text.toString());
        assertEquals(file + ": found no row with 'z' in the column 'id' but [a, b, c, d, e, f, g, h, i, j] and 2 more,"
                + " at least one is needed", assertThrows(EmtalException.class,
                        () -> ImageTable.builder(file).filter("id", "z").build()).getMessage());
    }

    @Test
    void tablesTogetherLabelEachImageForItsOwnTasks() throws IOException {
        Path one = table("one.csv", "path,kind\npng/a.png,x\npng/b.png,y\n".getBytes(StandardCharsets.UTF_8));
        Path two = table("two.csv", "path,kind\npng/b.png,x\npng/c.png,y\n".getBytes(StandardCharsets.UTF_8));
        String message = assertThrows(EmtalException.class,
                () -> ImageTable.union(List.of(ImageTable.of(one), ImageTable.of(two)))).getMessage();
        assertTrue(message.contains("'kind'") && message.contains("one.csv") && message.contains("two.csv"), message);
        ConfigurableDataSource<MultiLabel> union = ImageTable.union(List.of(
                ImageTable.builder(one).name("first").build(), ImageTable.builder(two).name("second").build()));
        assertEquals(List.of(Set.of("first.kind=x"), Set.of("first.kind=y"), Set.of("second.kind=x"),
                Set.of("second.kind=y")), labels(union));
        assertEquals(4, new MutableDataset<>(union).size());
        assertThrows(EmtalException.class, () -> ImageTable.union(List.of()));
    }

    @Test
    void byteOrderMarksLineEndsAndQuotesAreRead() throws IOException {
        ImageTable table = ImageTable.of(table("\uFEFFpath,\"kind\",note\r\n"
                + "\"png/a.png\",\"a, \"\"b\"\" 100%\",\r\n\r\npng/b.png,b,1\r\n"));
        assertEquals(List.of(Set.of("kind=a%2C \"b\" 100%25"), Set.of("kind=b", "note=1")), labels(table));
        ImageTable lines = ImageTable.builder(table("path,note,kind\npng/a.png,\"two\nlines\",x\npng/b.png,,y\n"))
                .labels("kind").build();
        assertEquals(List.of(Set.of("kind=x"), Set.of("kind=y")), labels(lines));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "path,kind\\npng/a.png,x\\npng/a.png|line 3|1 cells",
        "path,kind\\npng/a.png,\"x|line 2|not closed",
        "path,kind\\npng/a.png,\"x\"y|line 2|closing quote",
        "path,kind\\npng/a.png,\"x\\ny\"|line 2, column 'kind'|line ends",
        "path,note,kind\\npng/a.png,\"x\\n\\ny\",z\\npng/b.png,u, v|line 2, column 'note'|line ends",
        "path,kind\\npng/a.png,x\\npng/b.png, v|line 3, column 'kind'|blanks",
        "path,kind\\npng/z.png,x|line 2, column 'path'|no such file",
        "path,kind\\npng,x|line 2, column 'path'|no such file",
        "path,kind\\n,x|line 2, column 'path'|relative paths",
        "path,kind\\n../other.png,x|line 2, column 'path'|relative paths",
        "path,kind\\npng/../../other.png,x|line 2, column 'path'|relative paths",
        "path,kind\\n/etc/passwd,x|line 2, column 'path'|relative paths",
        "path,kind\\npng/..,x|line 2, column 'path'|relative paths",
        "kind,split\\nx,train|line 1|no column 'path'",
        "path,split\\npng/a.png,train|line 1|none is a task",
        "path,kind,kind\\npng/a.png,x,y|line 1|twice",
        "path,,kind\\npng/a.png,x,y|line 1|column 2",
        "path,a=b\\npng/a.png,x|a=b|name of a task",
        "path,kind||no row"})
    void faultsNameFileLineAndColumn(String text, String where, String what) throws IOException {
        String message = message(table(text.replace("\\n", "\n")));
        assertTrue(where == null || message.contains(where), message);
        assertTrue(message.contains(what), message);
    }

    @Test
    void filesThatAreEmptyOrAbsentOrNoTextAreRefused() throws IOException {
        assertTrue(message(table("")).contains("empty"));
        assertTrue(message(folder.resolve("absent.csv")).contains("no file"));
        assertTrue(message(table("latin.csv", "path,kind\npng/a.png,caf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1)))
                .contains("line 2: found byte 0xe9 at position 14"));
        assertTrue(message(table("utf16.csv", "path,kind\npng/a.png,x\n".getBytes(StandardCharsets.UTF_16)))
                .contains("line 1"));
    }

    @Test
    void linksOutOfTheFolderAreRefused(@TempDir Path elsewhere) throws IOException {
        Path secret = Files.write(elsewhere.resolve("secret.png"), new byte[1]);
        Files.createSymbolicLink(folder.resolve("png/link.png"), secret);
        Files.createSymbolicLink(folder.resolve("png/inside.png"), folder.resolve("png/a.png"));
        String message = message(table("path,kind\npng/inside.png,x\npng/link.png,y\n"));
        assertTrue(message.contains("line 3, column 'path'") && message.contains("link to"), message);
    }

    @Test
    void filesOfOtherFileSystemsAreRefused() throws IOException {
        Path zip = folder.resolve("a.zip");
        try (FileSystem other = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
            Path file = Files.writeString(other.getPath("/index.csv"), "path,kind\na.png,x\n");
            assertTrue(message(file).startsWith("/index.csv: found a file of the file system 'jar'"));
            Path image = Files.write(other.getPath("/a.png"), new byte[1]);
            String message = assertThrows(EmtalException.class,
                    () -> ImageExample.of(new MultiLabel("x"), image)).getMessage();
            assertTrue(message.startsWith("/a.png: found a file of the file system 'jar'"), message);
        }
    }

    /** Mutations of a good table are read, or refused with the file's name; nothing else comes out. */
    @Test
    void mutatedTablesAreReadOrRefused() throws IOException {
        byte[] good = "path,kind,split\npng/a.png,\"x\",train\r\npng/b.png,y,test\n".getBytes(StandardCharsets.UTF_8);
        for (int seed = 0; seed < 500; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] bad = good.clone();
            for (int i = 0; i < 3; i++) {
                bad[random.nextInt(bad.length)] = (byte) (random.nextBoolean() ? "\",\n\r=./".charAt(random.nextInt(7))
                        : random.nextInt(256));
            }
            Path file = table("mutated.csv", bad);
            try {
                assertTrue(ImageTable.of(file).size() > 0);
            } catch (EmtalException e) {
                assertTrue(e.getMessage().startsWith(file.toString()), "seed " + seed + ": " + e.getMessage());
            }
        }
    }

    @Test
    void provenanceHashesTableAndImages() throws IOException {
        Path file = table("path,kind\npng/a.png,x\npng/b.png,y\n");
        DataSourceProvenance first = ImageTable.of(file).getProvenance();
        DataSourceProvenance read = assertInstanceOf(ImageTableProvenance.class, ProvenanceUtil.unmarshalProvenance(
                ProvenanceUtil.marshalProvenance(first)));
        assertEquals(first, read);
        assertEquals(hash(first, ImageTableProvenance.IMAGES_HASH),
                hash(ImageTable.of(file).getProvenance(), ImageTableProvenance.IMAGES_HASH));
        Files.write(folder.resolve("png/b.png"), new byte[] {1});
        DataSourceProvenance second = ImageTable.of(file).getProvenance();
        assertNotEquals(hash(first, ImageTableProvenance.IMAGES_HASH), hash(second, ImageTableProvenance.IMAGES_HASH));
        assertEquals(hash(first, DataSourceProvenance.RESOURCE_HASH), hash(second, DataSourceProvenance.RESOURCE_HASH));
        table("path,kind\npng/a.png,x\npng/b.png,z\n");
        DataSourceProvenance third = ImageTable.of(file).getProvenance();
        assertEquals(hash(second, ImageTableProvenance.IMAGES_HASH), hash(third, ImageTableProvenance.IMAGES_HASH));
        assertNotEquals(hash(second, DataSourceProvenance.RESOURCE_HASH),
                hash(third, DataSourceProvenance.RESOURCE_HASH));
    }

    private static String hash(DataSourceProvenance provenance, String key) {
        return ((HashProvenance) ((ImageTableProvenance) provenance).getInstanceValues().get(key)).getValue();
    }

    @Test
    void tablesAreConfigured() throws IOException {
        Path file = table("path,kind,split\npng/a.png,x,train\npng/b.png,y,test\n");
        Path xml = table("config.xml", """
                <config>
                  <component name="images" type="io.emtal.tribuo.image.ImageTable">
                    <property name="file" value="%s"/>
                    <propertylist name="labels"><item>kind</item></propertylist>
                    <property name="name" value="n"/>
                    <property name="filterColumn" value="split"/>
                    <property name="filterValue" value="%s"/>
                  </component>
                </config>
                """.formatted(file, "test").getBytes(StandardCharsets.UTF_8));
        ImageTable table = (ImageTable) new ConfigurationManager(xml.toString()).lookup("images");
        assertEquals(List.of(Set.of("n.kind=y")), labels(table));
        assertDoesNotThrow(() -> ProvenanceUtil.extractConfiguration(table.getProvenance()));
        Files.writeString(xml, Files.readString(xml).replace("\"test\"", "\"dev\""));
        assertThrows(PropertyException.class, () -> new ConfigurationManager(xml.toString()).lookup("images"));
        Files.writeString(xml, Files.readString(xml).replace("<property name=\"filterColumn\" value=\"split\"/>", ""));
        String message = assertThrows(PropertyException.class,
                () -> new ConfigurationManager(xml.toString()).lookup("images")).getMessage();
        assertTrue(message.contains("found the filter's value 'dev' without a column"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mnist:10000", "omniglot:2720", "emoji:2022"})
    void sharedTablesAreRead(String set) {
        String[] parts = set.split(":");
        ImageTable table = ImageTable.of(SharedData.path("images/" + parts[0] + "/index.csv"));
        assertEquals(Integer.parseInt(parts[1]), table.size());
    }
}
