package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

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

    /** A node without a name is called by its output, also where another node has that name, and it is kept. */
    @Test
    void nodesCalledLikeValues() {
        ModelProto.Builder model = Models.model(17);
        model.getGraphBuilder()
                .addNode(Models.node("MatMul", "", List.of("x", "w"), "Relu_0"))
                .addNode(Models.node("Relu", "Relu_0", List.of("Relu_0"), "MatMul_0"))
                .addNode(Models.node("Identity", "MatMul_0", List.of("MatMul_0"), "y"))
                .addInitializer(Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2).toProto("w"));
        Graph graph = OnnxFile.read(model.build(), Shape.BATCH);
        assertEquals(List.of("MatMul_1", "Relu_0", "MatMul_0"), graph.nodes().stream().map(Node::name).toList());
        assertEquals(List.of("Relu_0", "MatMul_0", "y"), graph.nodes().stream().map(n -> n.output().name()).toList());
        assertEquals(graph, OnnxFile.read(BuiltGraphs.model(graph), Shape.BATCH));
    }

    /** What is added to a copied graph takes none of its nodes' names. */
    @Test
    void addedToACopy() {
        GraphBuilder first = new GraphBuilder();
        Value x = first.input("x", ElementType.FLOAT, Shape.BATCH, 2);
        first.output(first.addNamed("", "Relu", "y", Map.of(), List.of("h"), List.of(x)).get(0));
        GraphBuilder second = new GraphBuilder();
        Value fed = second.input("x", ElementType.FLOAT, Shape.BATCH, 2);
        Graph copied = first.build();
        second.output("y", second.inline(copied, Map.of("x", fed), GraphBuilder.Replacement.NONE)
                .apply(copied.outputs().get(0)));
        Graph graph = second.build();
        assertEquals(List.of("y", "Identity_0"), graph.nodes().stream().map(Node::name).toList());
        assertEquals(graph, OnnxFile.read(BuiltGraphs.model(graph), Shape.BATCH));
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
