package io.emtal.samples.output;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResultsFileTest {
    private static final String HEADER =
            "set,trainer,seed,metric,value,train_seconds,predict_micros_per_row,trainable_parameters\n";

    @TempDir
    Path temp;

    @Test
    void everyMeasurementIsOnDiskAtOnce() throws IOException {
        Path path = temp.resolve("out.csv");
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("hamming", 0.25);
        metrics.put("macro_f1", 0.5);
        Locale before = Locale.getDefault();
        try (ResultsFile file = ResultsFile.replace(path)) {
            Locale.setDefault(Locale.GERMANY);
            assertEquals(HEADER, Files.readString(path));
            Measurement measured = new Measurement("=1+1", "fm", 1, metrics, 1.25, 12.5, OptionalLong.of(77));
            file.add(measured);
            assertEquals(HEADER + "=1+1,fm,1,hamming,0.25,1.250,12.50,77\n=1+1,fm,1,macro_f1,0.5,1.250,12.50,77\n",
                    Files.readString(path));
            file.add(new Measurement("a, \"b\"", "knn", 2, Map.of("rrmse:@x", 1.5), 0, 0, OptionalLong.empty()));
            assertTrue(Files.readString(path).endsWith("\"a, \"\"b\"\"\",knn,2,rrmse:@x,1.5,0.000,0.00,\n"));
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void whatWasWrittenIsReadAgain() {
        Path path = temp.resolve("out.csv");
        List<Measurement> measurements = List.of(
                new Measurement("=1+1", "fm", 1, Map.of("hamming", 0.25), 1.25, 12.5, OptionalLong.of(77)),
                new Measurement("'a, \"b\"", "knn", 2, Map.of("aRRMSE", 1e-300, "rrmse:@x", 1.5), 0, 0,
                        OptionalLong.empty()));
        for (Measurement measurement : measurements) {
            try (ResultsFile file = ResultsFile.resume(path)) {
                file.add(measurement);
            }
        }
        try (ResultsFile file = ResultsFile.resume(path)) {
            assertEquals(measurements, file.earlier());
        }
        try (ResultsFile file = ResultsFile.replace(path)) {
            assertEquals(List.of(), file.earlier());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        " : found no line",
        "a,b : line 1: found [a, b], allowed are lines of [set, trainer,",
        HEADER + "s,t,1,m,0.5,1,1 : line 2: found [s, t, 1, m, 0.5, 1, 1]",
        HEADER + "s,t,1,m,0.5,1,1,\ns,t,one,m,0.5,1,1, : line 3: found [s, t, one,",
        HEADER + "s,t,1,m,0.5,1,1,\ns,t,1,m,0.5,1,1, : line 3: found [s, t, 1, m, 0.5,",
        HEADER + "s,t,1,m,0.5,1,1,\ns,t,1,m,0.5,2,1, : found two results of set s, trainer t, seed 1, allowed is one",
    })
    void aFileThatIsAnotherIsRefusedAndStaysAsItIs(String text) throws IOException {
        String[] parts = text.split(" : ");
        Path path = Files.writeString(temp.resolve("out.csv"), parts[0]);
        String message = assertThrows(EmtalException.class, () -> ResultsFile.resume(path)).getMessage();
        assertTrue(message.startsWith(path.toString()) && message.contains(parts[1]), message);
        assertEquals(parts[0], Files.readString(path));
    }

    @Test
    void aFileThatCannotBeWrittenIsNamed() throws IOException {
        Path path = Files.createFile(temp.resolve("file")).resolve("out.csv");
        String message = assertThrows(EmtalException.class, () -> ResultsFile.replace(path)).getMessage();
        assertTrue(message.startsWith(path + " cannot be written"), message);
    }
}
