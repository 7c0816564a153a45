package io.emtal.samples.output;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.ParameterReport;
import io.emtal.onnx.train.Phase;
import io.emtal.tribuo.TrainingReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HistoryFileTest {
    @TempDir
    Path temp;

    @Test
    void numbersThatAreNotThereAreEmptyCells() throws IOException {
        TaskLayout tasks = new TaskLayout(List.of(new CategoricalTask("c", 2, 1), new BinaryTask("b")));
        EpochRecord dense = new EpochRecord(Phase.PRETRAIN, 1, 3, 0.5, 1, new double[] {0.75, Double.NaN},
                new double[0], Double.NaN, 2, 0.25);
        EpochRecord adapted = new EpochRecord(Phase.ADAPT, 1, 3, 0.5, 1, new double[] {0.5, 0.625},
                new double[] {1.5, Double.NaN}, 0.875, 2, 0.25, new double[] {2.5, Double.NaN}, List.of(1));
        Path file = temp.resolve("history.csv");
        HistoryFile.write(file, new TrainingReport(tasks, List.of(dense, adapted), 1,
                new ParameterReport(Map.of(), 9, 3), 0, new double[0], Map.of(), 0, Optional.empty()));
        assertEquals("""
                phase,epoch,step,learning_rate,fade,router_entropy,seconds,input_seconds,\
                train_loss:c,validation_loss:c,retaining_weight:c,head_frozen:c,\
                train_loss:b,validation_loss:b,retaining_weight:b,head_frozen:b
                pretrain,1,3,0.5,1.0,,2.0,0.25,0.75,,,false,,,,false
                adapt,1,3,0.5,1.0,0.875,2.0,0.25,0.5,1.5,2.5,false,0.625,,,true
                """, Files.readString(file));
    }
}
