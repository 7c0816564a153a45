package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;

class WriteReadTest {

    /** What the builder made is the same after being written and read, and is written as the same bytes again. */
    @Test
    void identity(@TempDir Path folder) throws IOException {
        for (Graph graph : BuiltGraphs.all()) {
            ModelProto written = BuiltGraphs.model(graph);
            Path file = Files.write(folder.resolve("model.onnx"), written.toByteArray());
            Graph read = OnnxFile.read(OnnxFile.load(file), Shape.BATCH);
            assertEquals(graph, read);
            assertEquals(written.toByteString(), BuiltGraphs.model(read).toByteString());
        }
    }

    /** A graph of fixed batch differs in its shapes only. */
    @Test
    void fixedBatch() {
        for (Graph graph : BuiltGraphs.all()) {
            Graph read = OnnxFile.read(BuiltGraphs.model(graph), 3);
            assertEquals(graph.initializers(), read.initializers());
            assertEquals(graph.nodes().size(), read.nodes().size());
            for (int i = 0; i < graph.nodes().size(); i++) {
                Node open = graph.nodes().get(i);
                Node fixed = read.nodes().get(i);
                assertEquals(open.name(), fixed.name());
                assertEquals(open.attributes(), fixed.attributes());
                for (int k = 0; k < open.outputs().size(); k++) {
                    assertEquals(open.outputs().get(k).shape().withBatch(3), fixed.outputs().get(k).shape(),
                            open.name());
                }
            }
        }
    }
}
