package io.emtal.samples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import io.emtal.onnx.train.TrainingListener;
import io.emtal.samples.CommandLineRun;
import io.emtal.tribuo.EmtalTrainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Model;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.provenance.TrainerProvenance;

class QuickstartTest {
    @TempDir
    Path temp;

    @Test
    void reportsAndWritesTheModel() throws IOException {
        Path folder = temp.resolve("new");
        CommandLineRun run = CommandLineRun.of("quickstart", "--images", 100, "--out", folder);
        assertEquals(0, run.status(), run.err());
        for (String part : List.of("Drew 100 images", "Training EMTAL", "Training FM: Tribuo's FMMultiLabelTrainer",
                "  position         0.250 ", "EMTAL is ", "micro F1", "  chosen epoch ",
                "lora, trained in the adaptation",
                "logits differ from the mixture of experts'", "ms an image", "trainer/method/experts                    8",
                "SHA-256[", "its scores differ by 0.0e+00")) {
            assertTrue(run.out().contains(part), part + " in " + run.out());
        }
        assertFalse(run.out().contains("unknown"), run.out());
        assertTrue(run.err().contains("adapt epoch 4, step 12 of 12, 0 s left: loss "), run.err());
        assertTrue(Model.deserializeFromFile(folder.resolve("model.tribuo")).validate(MultiLabel.class));
        assertTrue(Files.size(folder.resolve("dense.onnx")) > 100_000);
        List<String> history = Files.readAllLines(folder.resolve("history.csv"));
        assertEquals(1 + 15 + 5, history.size());
        assertTrue(history.get(0).startsWith("phase,epoch,step,learning_rate,fade,router_entropy,seconds,"
                + "input_seconds,train_loss:"), history.get(0));
        assertTrue(history.stream().map(line -> line.split(",", -1).length).allMatch(cells -> cells == 8 + 4 * 5));
    }

    @Test
    void fewImagesAreRefused() {
        CommandLineRun run = CommandLineRun.of("quickstart", "--images", 99, "--out", temp);
        assertEquals(2, run.status());
        assertTrue(run.err().startsWith("error: --images is 99; allowed are 100 and more"), run.err());
    }

    @Test
    void aFolderThatCannotBeIsRefusedBeforeAnythingIsTrained() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "");
        CommandLineRun run = CommandLineRun.of("quickstart", "--images", 100, "--out", file);
        assertEquals(1, run.status());
        assertTrue(run.err().startsWith("error: ") && run.err().contains("cannot be written"), run.err());
        assertEquals("", run.out());
    }

    @Test
    void theReportIsHonest() {
        assertTrue(verdict(Map.of("a", 0.9, "b", 0.8)).contains("EMTAL is ahead on every task."));
        assertTrue(verdict(Map.of("a", 0.9, "b", 0.5)).contains("EMTAL is NOT ahead on: b (other)"));
    }

    private static String verdict(Map<String, Double> accuracy) {
        StringWriter text = new StringWriter();
        new Report(new PrintWriter(text)).accuracies(List.of(new Contender("other", Map.of("a", 0.1, "b", 0.5), null),
                new Contender("EMTAL", accuracy, null)), List.of(new MultiLabel("a=x"), new MultiLabel("b=x")));
        return text.toString();
    }

    @Test
    void theSampleConfigurationIsTheQuickstartsTrainer() {
        ConfigurationManager configuration = new ConfigurationManager("config/shapes-trainer.xml");
        EmtalTrainer<?> configured = (EmtalTrainer<?>) configuration.lookup("trainer");
        TrainerProvenance expected = Quickstart.emtal(1, TrainingListener.NONE).getProvenance();
        assertEquals(expected, configured.getProvenance());
    }

    @Test
    @Tag("long")
    void emtalIsAheadOnEveryTask() {
        CommandLineRun run = CommandLineRun.of("quickstart", "--out", temp);
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().contains("EMTAL is ahead on every task."), run.out());
        List<Double> means = new ArrayList<>();
        run.out().lines().filter(line -> line.startsWith("  mean ")).findFirst().ifPresent(line -> {
            for (String cell : line.strip().split(" +")) {
                means.add(cell.equals("mean") ? 0 : Double.parseDouble(cell));
            }
        });
        assertTrue(means.get(means.size() - 1) > 0.8, run.out());
    }
}
