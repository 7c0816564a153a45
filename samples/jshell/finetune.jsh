// EMTAL on a transformer from elsewhere, in JShell. After "mvn package", from the folder of the project:
//
//     jshell --class-path samples/target/emtal-samples.jar samples/jshell/finetune.jsh
//
// What it prints is in finetune.expected.txt. It makes its own transformer and images, unless it is given some, and
// what their numbers are scaled with where the file does not say so, a number a channel:
//
//     jshell --class-path samples/target/emtal-samples.jar -R-Demtal.backbone=vit.onnx -R-Demtal.images=DIR/index.csv \
//         -R-Demtal.mean=0.5,0.5,0.5 -R-Demtal.deviation=0.5,0.5,0.5 samples/jshell/finetune.jsh
//
// Without the last line it leaves you in JShell with the model.

import io.emtal.onnx.adapt.Emtal
import io.emtal.onnx.backbone.OnnxBackbone
import io.emtal.onnx.train.CosineSchedule
import io.emtal.onnx.train.Recipe
import io.emtal.samples.progress.ProgressBarListener
import io.emtal.samples.quickstart.TaskAccuracy
import io.emtal.samples.shapes.ShapeFiles
import io.emtal.samples.shapes.ShapeTransformer
import io.emtal.tribuo.EmtalTrainer
import io.emtal.tribuo.image.ImagePreprocessing
import io.emtal.tribuo.image.ImageTable
import io.emtal.tribuo.output.MultiLabelTasks
import java.io.PrintWriter
import java.nio.file.Files
import java.nio.file.Path
import java.util.stream.Stream
import org.tribuo.MutableDataset
import org.tribuo.multilabel.MultiLabel

var folder = Files.createTempDirectory("emtal")
Path given(String property, Path other) { return Path.of(System.getProperty(property, other.toString())); }
double[] numbers(String property) {
    return Stream.of(System.getProperty(property, "").split(",")).filter(n -> !n.isEmpty()).
            mapToDouble(Double::parseDouble).toArray();
}

// Images in files, named by a table: path,split,colour,kind,position,rotation,size
var table = given("emtal.images", folder.resolve("images").resolve("index.csv"))
if (System.getProperty("emtal.images") == null) ShapeFiles.write(folder.resolve("images"), 1500, 300, 24, 1);
var train = new MutableDataset<MultiLabel>(ImageTable.builder(table).filter("split", "train").build())
var test = new MutableDataset<MultiLabel>(ImageTable.builder(table).filter("split", "test").build())
System.out.println(train.size() + " images to train on, " + test.size() + " to test with")

// Somebody's transformer: here one that was trained on other images, and has no heads any more.
var file = given("emtal.backbone", folder.resolve("vit.onnx"))
if (System.getProperty("emtal.backbone") == null) ShapeTransformer.write(file,
        ShapeFiles.write(folder.resolve("other"), 4000, 0, 24, 2), 24, 64, 10);

// What is in the file; the lines behind these name the linear layers.
var backbone = OnnxBackbone.of(file)
backbone.read().describe().toString().lines().limit(10).forEach(System.out::println)

// EMTAL on all tasks at once.
var trainer = EmtalTrainer.<MultiLabel>builder().
        backbone(backbone).
        method(Emtal.builder().rank(8).build()).
        imagePreprocessing(ImagePreprocessing.builder().mean(numbers("emtal.mean")).deviation(numbers("emtal.deviation")).build()).
        recipe(Recipe.builder().epochs(5).batchSize(32).schedule(new CosineSchedule(5e-3, 5e-5, 0.1)).build()).
        outputs(MultiLabelTasks.separatedBy(ImageTable.SEPARATOR)).
        listener(new ProgressBarListener(new PrintWriter(System.out, true))).
        build()
var model = trainer.train(train)
TaskAccuracy.of(model.predict(test)).forEach((task, accuracy) -> System.out.printf("%s %.3f%n", task, accuracy))

// The same graph with new weights and heads, for any ONNX runtime; and Tribuo's own format.
var parameters = model.training().parameters()
System.out.println("trained: " + parameters.trainable() + ", deployed: " + parameters.deployed())
System.out.printf("dense network and mixture of experts differ by %.1e%n", model.training().agreement())
model.saveONNXModel("com.example.shapes", 1, folder.resolve("dense.onnx"))
model.serializeToFile(folder.resolve("model.tribuo"))
System.out.println(OnnxBackbone.of(folder.resolve("dense.onnx")).read().blocks().size() + " blocks in the new file")
model.close()

/exit
