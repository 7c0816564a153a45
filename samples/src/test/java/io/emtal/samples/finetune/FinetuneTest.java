package io.emtal.samples.finetune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.OnnxBackbone;
import io.emtal.samples.CommandLineRun;
import io.emtal.samples.shapes.ShapeFiles;
import io.emtal.samples.shapes.ShapeTransformer;
import io.emtal.tribuo.image.ImageTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.multilabel.MultiLabel;

/** {@code inspect} and {@code finetune}, on a small transformer in a file and drawn images. */
class FinetuneTest {
    private static final int SIDE = 16;
    private static final List<String> TASKS = List.of("colour", "kind", "position", "rotation", "size");

    @TempDir
    private static Path shared;
    private static Path backbone;
    private static Path one;
    private static Path two;

    @TempDir
    private Path temp;

    @BeforeAll
    static void makeFiles() {
        one = ShapeFiles.write(shared.resolve("one"), 60, 20, SIDE, 1);
        two = ShapeFiles.write(shared.resolve("two"), 40, 10, SIDE, 2);
        backbone = shared.resolve("vit.onnx");
        ShapeTransformer.write(backbone, one, SIDE, 16, 1);
    }

    private CommandLineRun finetune(Object... more) {
        return finetuneFrom(backbone, more);
    }

    private CommandLineRun finetuneFrom(Path file, Object... more) {
        List<Object> arguments = new ArrayList<>(List.of("finetune", "--backbone", file, "--out", temp.resolve("out"),
                "--epochs", "1", "--batch-size", "20", "--workers", "1"));
        arguments.addAll(List.of(more));
        return CommandLineRun.of(arguments.toArray());
    }

    private List<String> results() throws IOException {
        return Files.readAllLines(temp.resolve("out").resolve("results.csv"));
    }

    @Test
    void inspectSaysWhatIsInAFile() {
        CommandLineRun run = CommandLineRun.of("inspect", backbone);
        assertEquals(0, run.status(), run.err());
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.contains("blocks: 2"), run.out());
        assertTrue(lines.contains("images: 16 x 16 rgb, bilinear, crop 1.0, mean [0.0, 0.0, 0.0], deviation"
                + " [1.0, 1.0, 1.0]"), run.out());
        assertEquals("", run.err());
    }

    private static Path sharedModel(String name) {
        Path file = Path.of(System.getProperty("emtal.data", "absent"), "vit-mnist-onnx", name + ".onnx");
        Assumptions.assumeTrue(Files.exists(file), () -> "no shared data at " + file + " (property emtal.data)");
        return file;
    }

    @ParameterizedTest
    @ValueSource(strings = {"vit-mnist-opset17", "vit-mnist-opset12", "vit-mnist-features"})
    void inspectFindsTheBlocksOfSharedFiles(String name) {
        CommandLineRun run = CommandLineRun.of("inspect", sharedModel(name));
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().lines().toList().contains("blocks: 6"), run.out());
        assertTrue(run.out().contains("images: 28 x 28 grey"), run.out());
        assertTrue(run.out().contains("mean not stated"), run.out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"vit-mnist-opset12", "vit-mnist-features"})
    void sharedFilesGetNewHeads(String name) throws IOException {
        CommandLineRun run = finetuneFrom(sharedModel(name), "--images", two, "--mean", "0.1307", "--deviation",
                "0.3081", "--task", "colour", "--task", "size");
        assertEquals(0, run.status(), run.err());
        Path dense = temp.resolve("out").resolve("emtal-seed1").resolve("dense.onnx");
        List<OnnxMl.NodeProto> before = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(sharedModel(name))).getGraph()
                .getNodeList();
        List<OnnxMl.NodeProto> after = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(dense)).getGraph().getNodeList();
        List<OnnxMl.NodeProto> gone = before.stream().filter(node -> !after.contains(node)).toList();
        assertTrue(gone.size() <= 1, gone.toString());
        assertEquals(before.stream().filter(node -> !gone.contains(node)).toList(),
                after.subList(0, before.size() - gone.size()));
    }

    @Test
    void backboneShrinksBeforeItIsAdapted() throws IOException {
        CommandLineRun run = finetune("--images", one, "--trainer", "heads", "--shrink", "0.5");
        assertEquals(0, run.status(), run.err());
        Path dense = temp.resolve("out").resolve("heads-seed1").resolve("dense.onnx");
        Backbone before = OnnxBackbone.of(backbone).read();
        Backbone after = OnnxBackbone.of(dense).read();
        assertEquals(before.shrunk(0.5).graph().initializers().get(before.blocks().get(0).fc1().weight()),
                after.graph().initializers().get(after.blocks().get(0).fc1().weight()));
        CommandLineRun refused = finetune("--images", one, "--shrink", "0");
        assertEquals(1, refused.status());
        assertTrue(refused.err().contains("shrink: found 0.0, allowed is a number above 0"), refused.err());
    }

    @Test
    void inspectRefusesInOneLine() throws IOException {
        Path text = Files.writeString(temp.resolve("text.onnx"), "no model");
        for (Path file : List.of(text, temp.resolve("absent.onnx"))) {
            CommandLineRun run = CommandLineRun.of("inspect", file);
            assertEquals(1, run.status());
            assertEquals("", run.out());
            assertEquals(1, run.err().lines().count(), run.err());
            assertTrue(run.err().startsWith("error: ") && run.err().contains(file.toString()), run.err());
        }
    }

    @Test
    void oneRunLearnsTheTasksOfAllTables() throws IOException {
        CommandLineRun run;
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.GERMANY);
            run = finetune("--images", one, "--images", two, "--trainer", "emtal", "--trainer", "heads", "--trainer",
                    "separate", "--learning-rate", "2e-3", "--dense-learning-rate", "1e-3", "--rank", "1",
                    "--rank", "2", "--experts", "4");
        } finally {
            Locale.setDefault(before);
        }
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().startsWith("one: 60 images to train on, 20 to test with; one.colour (6 classes)"),
                run.out());
        assertTrue(run.err().contains("adapt epoch 1"), run.err());
        assertTrue(run.err().contains("separate, seed 1: mean_accuracy"), run.err());
        assertEquals("0.0020", peak("emtal-r1-seed1"));
        assertEquals("0.0010", peak("separate-seed1/two"));
        List<String> lines = results();
        assertEquals("set,trainer,seed,metric,value,train_seconds,predict_micros_per_row,trainable_parameters",
                lines.get(0));
        for (String trainer : List.of("emtal-r1", "emtal-r2", "heads", "separate")) {
            String start = "one+two," + trainer + ",1,";
            assertEquals(1 + 2 * TASKS.size() + 5, lines.stream().filter(line -> line.startsWith(start)).count(),
                    trainer);
            for (String task : TASKS) {
                for (String set : List.of("one", "two")) {
                    String measured = Pattern.quote(start + "accuracy:" + set + "." + task)
                            + ",[01]\\.\\d+(,[.\\d]+){3}";
                    assertTrue(lines.stream().anyMatch(line -> line.matches(measured)), measured);
                }
            }
            assertTrue(run.out().lines().anyMatch(line -> line.matches(trainer + " +[01]\\.\\d{4} .*")), run.out());
        }
        try (Stream<Path> files = Files.walk(temp.resolve("out"))) {
            List<String> written = files.filter(Files::isRegularFile)
                    .map(file -> temp.resolve("out").relativize(file).toString().replace('\\', '/')).sorted().toList();
            List<String> expected = new ArrayList<>(List.of("results.csv"));
            for (String folder : List.of("emtal-r1-seed1", "emtal-r2-seed1", "heads-seed1", "separate-seed1/one",
                    "separate-seed1/two")) {
                for (String file : List.of("dense.onnx", "history.csv", "model.tribuo")) {
                    expected.add(folder + "/" + file);
                }
            }
            assertEquals(expected.stream().sorted().toList(), written);
        }
    }

    /** The learning rate of the last step, a hundredth of the highest, times a hundred. */
    private String peak(String run) throws IOException {
        List<String> history = Files.readAllLines(temp.resolve("out").resolve(run).resolve("history.csv"));
        double last = Double.parseDouble(history.get(history.size() - 1).split(",")[3]);
        return String.format(Locale.ROOT, "%.4f", 100 * last);
    }

    @Test
    void theLearningRateFallsBeyondRankEight() throws IOException {
        CommandLineRun run = finetune("--images", one, "--trainer", "lora", "--rank", "2", "--rank", "8", "--rank", "16");
        assertEquals(0, run.status(), run.err());
        double usual = Double.parseDouble(peak("lora-r2-seed1"));
        assertEquals(usual, Double.parseDouble(peak("lora-r8-seed1")));
        assertEquals(usual / 2, Double.parseDouble(peak("lora-r16-seed1")), 1e-4);
    }

    @Test
    void whatIsWrittenIsTheBackboneWithNewHeads() throws IOException {
        CommandLineRun run = finetune("--images", one, "--experts", "4");
        assertEquals(0, run.status(), run.err());
        Path folder = temp.resolve("out").resolve("emtal-seed1");
        OnnxMl.GraphProto before = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(backbone)).getGraph();
        OnnxMl.GraphProto after =
                OnnxMl.ModelProto.parseFrom(Files.readAllBytes(folder.resolve("dense.onnx"))).getGraph();
        assertEquals(before.getInput(0), after.getInput(0));
        assertEquals(before.getNode(0), after.getNode(0));
        assertEquals(2, OnnxBackbone.of(folder.resolve("dense.onnx")).read().blocks().size());
        MutableDataset<MultiLabel> images = new MutableDataset<>(ImageTable.of(one));
        Model<MultiLabel> model = Model.deserializeFromFile(folder.resolve("model.tribuo"))
                .castModel(MultiLabel.class);
        assertEquals(TASKS.size(), model.predict(images.getExample(0)).getOutput().getNameSet().size());
    }

    /** The default output folder has the network of an earlier run, which may be the backbone of the next. */
    @Test
    void whatIsReadIsNotReplaced() throws IOException {
        Path folder = Files.createDirectories(temp.resolve("out").resolve("heads-seed2"));
        Path before = Files.copy(backbone, folder.resolve("dense.onnx"));
        CommandLineRun run = finetuneFrom(before, "--images", one, "--trainer", "heads", "--seeds", "2");
        assertEquals(1, run.status());
        assertEquals("error: --out: found " + before + ", which is --backbone, too; allowed is another file",
                run.err().strip());
        assertEquals(-1, Files.mismatch(backbone, before));
        Path table = Files.copy(one, one.resolveSibling("results.csv"));
        CommandLineRun images = CommandLineRun.of("finetune", "--backbone", backbone, "--images", table, "--out",
                table.getParent());
        assertEquals(1, images.status());
        assertEquals("error: --out: found " + table + ", which is --images, too; allowed is another file",
                images.err().strip());
    }

    @Test
    void whatIsWrittenIsFusedWhenAsked() throws IOException {
        CommandLineRun run = finetune("--images", one, "--trainer", "heads", "--task", "kind", "--optimise", "fused");
        assertEquals(0, run.status(), run.err());
        Path dense = temp.resolve("out").resolve("heads-seed1").resolve("dense.onnx");
        assertTrue(OnnxMl.ModelProto.parseFrom(Files.readAllBytes(dense)).getGraph().getNodeList().stream()
                .noneMatch(node -> node.getOpType().equals("LayerNormalization")));
    }

    @Test
    void trainingImagesAreVariedWhenAsked() throws IOException {
        CommandLineRun run = finetune("--images", one, "--trainer", "heads", "--task", "kind", "--random-crop", "0.5", "--flip",
                "0.25", "--colour-jitter", "0.125");
        assertEquals(0, run.status(), run.err());
        Path file = temp.resolve("out").resolve("heads-seed1").resolve("model.tribuo");
        String trainer = Model.deserializeFromFile(file).getProvenance().getTrainerProvenance().toString();
        for (String part : List.of("minCropArea=0.5", "horizontalFlip=0.25", "brightness=0.125", "contrast=0.125",
                "saturation=0.125")) {
            assertTrue(trainer.contains(part), part + " in " + trainer);
        }
    }

    @Test
    void seedsAreTrainedOneAfterTheOther() throws IOException {
        CommandLineRun run = finetune("--images", one, "--trainer", "heads", "--seeds", "2", "--task", "kind");
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().contains("kind (6 classes)"), run.out());
        assertTrue(run.out().lines().anyMatch(line -> line.matches("heads +[01]\\.\\d{4} \\(0\\.\\d{4}\\).*")),
                run.out());
        assertEquals(2, results().stream().filter(line -> line.contains(",mean_accuracy,")).count());
    }

    @ParameterizedTest
    @CsvSource({
        "--task kind --task two.size, 'one: 60 images to train on, 20 to test with; one.kind (6 classes)', two.size (3",
        "--ignore one.kind --ignore two.size --ignore colour --ignore position --ignore rotation, 'one: 60 images to"
            + " train on, 20 to test with; size (3 classes)', 'with; kind (6 classes)'",
    })
    void columnsAreChosen(String options, String first, String second) {
        List<Object> arguments = new ArrayList<>(List.of("--images", one, "--images", two, "--trainer", "heads"));
        arguments.addAll(List.of(options.split(" ")));
        CommandLineRun run = finetune(arguments.toArray());
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().startsWith(first), run.out());
        assertTrue(run.out().contains(second), run.out());
    }

    @Test
    void columnsThatAreNoTasksAreLeftOut() throws IOException {
        List<String> lines = new ArrayList<>(Files.readAllLines(one));
        lines.replaceAll(line -> line + ", any note ");
        lines.set(0, lines.get(0).replace(", any note ", ",a=b"));
        Path file = Files.write(one.resolveSibling("notes.csv"), lines);
        CommandLineRun refused = finetune("--images", file, "--trainer", "heads");
        assertEquals(1, refused.status(), refused.err());
        assertTrue(refused.err().contains("found 'a=b' as the name of a task"), refused.err());
        for (List<String> options : List.of(List.of("--ignore", "a=b"), List.of("--task", "kind"))) {
            CommandLineRun run = finetune("--images", file, "--trainer", "heads", options.get(0), options.get(1));
            assertEquals(0, run.status(), run.err());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "--trainer nobody, 2, --trainer nobody: there is none of this name; allowed are emtal",
        "--seeds 0, 2, --seeds is 0",
        "--rank 0, 1, found 0",
        "--task taste, 1, 'task ''taste'': found no such column, allowed are {one=[colour, '",
        "--ignore three.kind, 1, 'task ''three.kind'': found no such column'",
        "--mean 0.5, 1, found means [0.5]",
        "--learning-rate -1, 1, -1",
        "--dropout 1, 1, dropout 1.0",
        "--weight-decay -1, 1, weightDecay -1.0",
        "--validation 1, 1, validationFraction 1.0",
        "--random-crop 2, 1, 'ImageAugmentation: found 2.0'",
    })
    void wrongOptionsAreRefused(String options, int status, String message) {
        List<Object> arguments = new ArrayList<>(List.of("--images", one));
        arguments.addAll(List.of(options.split(" ")));
        CommandLineRun run = finetune(arguments.toArray());
        assertEquals(status, run.status(), run.err());
        assertTrue(run.err().contains(message), run.err());
        assertFalse(run.err().contains("\tat "), run.err());
    }

    @ParameterizedTest
    @CsvSource({
        "'path,kind\n1.png,a\n', no column 'split'",
        "'path,kind,split\n1.png,a,train\n2.png,b,train\n', 'found no row with ''test'''",
        "'path,kind,split\n1.png,a,train\n2.png,a,train\n3.png,a,test\n', found 1 classes of the task 'kind'",
        "'path,kind,split\n1.png,a,train\n2.png,b,train\n3.png,,test\n', found no label of the tasks [kind] in rows of"
            + " the split 'test'",
        "'path,kind,split\n1.png,a,train\nabsent.png,b,train\n3.png,a,test\n', line 3",
    })
    void badTablesAreRefused(String table, String message) throws IOException {
        Path file = Files.writeString(one.resolveSibling("bad.csv"), table);
        CommandLineRun run = finetune("--images", file);
        assertEquals(1, run.status(), run.err());
        assertTrue(run.err().lines().reduce((first, last) -> last).orElseThrow().contains(message), run.err());
    }

    @Test
    void aTableTwiceIsRefused() {
        CommandLineRun run = finetune("--images", one, "--images", one.getParent().resolve("../one/index.csv"));
        assertEquals(1, run.status(), run.err());
        assertTrue(run.err().contains("found twice"), run.err());
    }

    @Test
    void scalingThatNobodyStatesIsNotGuessed() throws IOException {
        Path silent = temp.resolve("silent.onnx");
        Files.write(silent, OnnxMl.ModelProto.parseFrom(Files.readAllBytes(backbone)).toBuilder().clearMetadataProps()
                .build().toByteArray());
        CommandLineRun refused = finetuneFrom(silent, "--images", one);
        assertEquals(2, refused.status(), refused.err());
        assertTrue(refused.err().contains("--mean and --deviation are needed"), refused.err());
        CommandLineRun run = finetuneFrom(silent, "--images", one, "--mean", "0.5,0.5,0.5", "--deviation",
                "0.5,0.5,0.5", "--trainer", "heads");
        assertEquals(0, run.status(), run.err());
    }

    @Test
    void upperBlocksAloneHaveFewerParameters() throws IOException {
        long[] trained = new long[2];
        for (int blocks = 1; blocks <= 2; blocks++) {
            CommandLineRun run = finetune("--images", one, "--task", "size", "--experts", "4", "--adapt-blocks",
                    blocks);
            assertEquals(0, run.status(), run.err());
            String line = results().get(1);
            trained[blocks - 1] = Long.parseLong(line.substring(line.lastIndexOf(',') + 1));
        }
        long head = 3 * (16 + 1);
        assertEquals(2 * (trained[0] - head), trained[1] - head);
    }

    @Test
    void aTrainerThatFailsIsReportedAndTheOthersGoOn() {
        CommandLineRun run = finetune("--images", one, "--trainer", "emtal", "--trainer", "heads", "--experts", "7");
        assertEquals(1, run.status(), run.err());
        assertTrue(run.out().contains("failed: emtal, seed 1: "), run.out());
        assertTrue(run.out().lines().anyMatch(line -> line.startsWith("heads ")), run.out());
    }
}
