// EMTAL in JShell, on images that are drawn here. After "mvn package", from the folder of the project:
//
//     jshell --class-path samples/target/emtal-samples.jar samples/jshell/quickstart.jsh
//
// What it prints is in quickstart.expected.txt. Without the last line it leaves you in JShell with the model.

import io.emtal.onnx.adapt.Emtal
import io.emtal.onnx.backbone.VisionTransformer
import io.emtal.onnx.train.CosineSchedule
import io.emtal.onnx.train.Recipe
import io.emtal.samples.progress.ProgressBarListener
import io.emtal.samples.quickstart.TaskAccuracy
import io.emtal.samples.shapes.ShapeImages
import io.emtal.tribuo.EmtalModel
import io.emtal.tribuo.EmtalTrainer
import io.emtal.tribuo.output.MultiLabelTasks
import java.io.PrintWriter
import java.nio.file.Files
import org.tribuo.Model
import org.tribuo.MutableDataset
import org.tribuo.multilabel.MultiLabel
import org.tribuo.multilabel.evaluation.MultiLabelEvaluator

// Each image has a label for each of five tasks: kind=moon, colour=red, size=small, ...
var train = new MutableDataset<MultiLabel>(new ShapeImages(4000, 24, 1))
var test = new MutableDataset<MultiLabel>(new ShapeImages(300, 24, 2))
List<String> labels(MultiLabel output) { return output.getNameSet().stream().sorted().toList(); }
System.out.println(train.size() + " images, the first with " + labels(train.getExample(0).getOutput()))

// A small vision transformer, trained from scratch first, then adapted to all tasks at once.
// JShell takes a line for complete as soon as it may be: so the dots are at the ends.
var trainer = EmtalTrainer.<MultiLabel>builder().
        backbone(VisionTransformer.builder().image(24, 24, 3).patch(8).width(64).depth(2).heads(4).hidden(128).build()).
        method(Emtal.builder().experts(8).rank(4).build()).
        recipe(Recipe.builder().pretrainEpochs(10).epochs(3).batchSize(32).dropout(0).
                pretrainSchedule(new CosineSchedule(2e-3, 2e-3, 0.02)).
                schedule(new CosineSchedule(3e-3, 3e-5, 0.1)).build()).
        outputs(MultiLabelTasks.separatedBy("=")).
        listener(new ProgressBarListener(new PrintWriter(System.out, true))).
        build()
var model = trainer.train(train)

// A Tribuo model like any other.
var evaluation = new MultiLabelEvaluator().evaluate(model, test)
System.out.printf("micro F1 %.3f%n", evaluation.microAveragedF1())
TaskAccuracy.of(model.predict(test)).forEach((task, accuracy) -> System.out.printf("%s %.3f%n", task, accuracy))

// How it came about.
var parameters = model.training().parameters()
System.out.println("trained in the adaptation: " + parameters.trainable() + ", deployed: " + parameters.deployed())
System.out.printf("dense network and mixture of experts differ by %.1e%n", model.training().agreement())

// The dense network, for any ONNX runtime; and Tribuo's own format.
var folder = Files.createTempDirectory("emtal")
model.saveONNXModel("com.example.shapes", 1, folder.resolve("dense.onnx"))
model.serializeToFile(folder.resolve("model.tribuo"))
var read = Model.deserializeFromFile(folder.resolve("model.tribuo")).castModel(MultiLabel.class)
System.out.println("read back, the model says " + labels(read.predict(test.getExample(0)).getOutput()))
System.out.println("the truth is             " + labels(test.getExample(0).getOutput()))
model.close()

/exit
