package io.emtal.tribuo.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.multitask.MultiTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.provenance.DataSourceProvenance;
import org.tribuo.test.Helpers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

class ImageTasksTest {

    private static final String TABLE = """
            path,animal,dark,weight,split
            a.png,"cat, big",0,-1.5e3,train
            b.png,,1,,test
            a.png,dog,,7,train
            c.png,,,,train
            """;

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void images() throws IOException {
        for (String image : List.of("a", "b", "c")) {
            Files.writeString(folder.resolve(image + ".png"), image);
        }
        file = Files.writeString(folder.resolve("index.csv"), TABLE);
    }

    private ImageTasks tasks() {
        return ImageTasks.builder(ImageTable.of(file)).binary("dark").real("weight").build();
    }

    private static List<MultiTask> outputs(ImageTasks tasks) {
        List<MultiTask> outputs = new ArrayList<>();
        tasks.forEach(example -> outputs.add(example.getOutput()));
        return outputs;
    }

    @Test
    void columnsAreTasksOfTheirKindsAndEmptyCellsAreMissing() {
        ImageTasks tasks = tasks();
        assertEquals(List.of(
                MultiTask.builder().categorical("animal", "cat, big").binary("dark", false).real("weight", -1500)
                        .build(),
                MultiTask.builder().binary("dark", true).build(),
                MultiTask.builder().categorical("animal", "dog").real("weight", 7).build(),
                MultiTask.builder().build()), outputs(tasks));
        assertEquals(4, tasks.size());
        List<String> images = new ArrayList<>();
        for (Example<MultiTask> example : tasks) {
            images.add(folder.relativize(Path.of((String) example.getMetadataValue(ImageExample.METADATA)
                    .orElseThrow())).toString());
        }
        assertEquals(List.of("a.png", "b.png", "a.png", "c.png"), images);
    }

    @Test
    void withoutFurtherNoticeATaskIsCategorical() {
        assertEquals(MultiTask.builder().categorical("animal", "cat, big").categorical("dark", "0")
                .categorical("weight", "-1.5e3").build(), outputs(ImageTasks.of(ImageTable.of(file))).get(0));
    }

    @Test
    void theTablesFilterAndNameHold() {
        ImageTable named = ImageTable.builder(file).name("zoo").filter("split", "test").build();
        assertEquals(List.of(MultiTask.builder().binary("zoo.dark", true).build()),
                outputs(ImageTasks.builder(named).binary("zoo.dark").build()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        ",0,-1.5e3|,no,-1.5e3|line 2, task 'dark': found 'no', allowed are 0 and 1",
        ",7,|,heavy,|line 4, task 'weight': found 'heavy', allowed are decimal numbers",
        ",7,|,NaN,|line 4, task 'weight': found 'NaN'", ",7,|,1e999,|line 4, task 'weight': found '1e999'"})
    void faultsNameFileLineAndTask(String good, String bad, String expected) throws IOException {
        assertTrue(TABLE.contains(good));
        Files.writeString(file, TABLE.replace(good, bad));
        var e = assertThrows(EmtalException.class, this::tasks);
        assertTrue(e.getMessage().startsWith(file + ", " + expected), e.getMessage());
    }

    @Test
    void unknownTasksAndThoseOfTwoKindsAreRefused() {
        ImageTable table = ImageTable.of(file);
        var unknown = assertThrows(EmtalException.class, () -> ImageTasks.builder(table).binary("light").build());
        assertTrue(unknown.getMessage().contains("'light'"), unknown.getMessage());
        var two = assertThrows(EmtalException.class,
                () -> ImageTasks.builder(table).binary("dark").real("dark").build());
        assertTrue(two.getMessage().contains("'dark'"), two.getMessage());
    }

    @Test
    void configurationAndProvenanceRoundTrip() throws IOException {
        ImageTasks tasks = tasks();
        DataSourceProvenance provenance = tasks.getProvenance();
        Helpers.testProvenanceMarshalling(provenance);
        var configuration = ProvenanceUtil.extractConfiguration(provenance);
        ConfigurationManager manager = new ConfigurationManager();
        manager.addConfiguration(configuration);
        ImageTasks again = (ImageTasks) manager.lookup(configuration.get(0).getName());
        assertEquals(outputs(tasks), outputs(again));
        assertEquals(4, new MutableDataset<>(again).size());
        Path xml = Files.writeString(folder.resolve("tasks.xml"), """
                <config>
                <component name="tasks" type="io.emtal.tribuo.image.ImageTasks">
                  <property name="table" value="table"/>
                  <propertylist name="realTasks"><item>size</item></propertylist>
                </component>
                <component name="table" type="io.emtal.tribuo.image.ImageTable">
                  <property name="file" value="%s"/>
                </component>
                </config>
                """.formatted(file));
        ConfigurationManager wrong = new ConfigurationManager(xml.toString());
        assertThrows(PropertyException.class, () -> wrong.lookup("tasks"));
    }
}
