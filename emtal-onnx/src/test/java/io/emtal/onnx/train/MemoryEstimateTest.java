package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class MemoryEstimateTest {

    @AfterEach
    void clearBound() {
        System.clearProperty(MemoryEstimate.BOUND);
    }

    /** Ten floats a value: x, a and b live while b is made; the input is not needed after a, nor a after b. */
    @Test
    void valuesAreFreedAfterTheirLastUse() {
        GraphBuilder chain = new GraphBuilder();
        Value a = chain.neg(chain.input("x", ElementType.FLOAT, 10));
        chain.output("y", chain.neg(chain.neg(a)));
        assertEquals(80, MemoryEstimate.peak(chain.build()));
        GraphBuilder kept = new GraphBuilder();
        Value x = kept.input("x", ElementType.FLOAT, 10);
        kept.output("y", kept.add(kept.neg(kept.neg(x)), x));
        assertEquals(120, MemoryEstimate.peak(kept.build()));
    }

    @Test
    void whatMembersSayIsKeptTwiceAndSavedOnce() {
        assertEquals(new MemoryEstimate(1 + 80, 2, 3 + 40), new MemoryEstimate(1, 2, 3).with(10));
    }

    @Test
    void theBankIsCopiedForACheckpoint() {
        assertEquals(new MemoryEstimate(1 + 10, 2, 3 + 10), new MemoryEstimate(1, 2, 3).withBank(10, false));
        assertEquals(new MemoryEstimate(1 + 20, 2, 3 + 10), new MemoryEstimate(1, 2, 3).withBank(10, true));
    }

    /** A batch has five arrays of a number a column, and of an ensemble one a member more; judged rows have logits. */
    @Test
    void rowsOfManyClassesCount() {
        TaskLayout tasks = new TaskLayout(List.of(new CategoricalTask("c", 1000, 1), new BinaryTask("b")));
        MemoryEstimate none = new MemoryEstimate(0, 2, 3);
        assertEquals(new MemoryEstimate(4 * 16 * (5 * 1001 + 1 + 2), 2, 3), none.withRows(tasks, 1, 16, 0));
        assertEquals(new MemoryEstimate(4 * 16 * (9 * 1001 + 4 + 2), 2, 3), none.withRows(tasks, 4, 16, 0));
        assertEquals(new MemoryEstimate(4 * 20_000L * (1001 + 2), 2, 3), none.withRows(tasks, 4, 16, 20_000));
    }

    @Test
    void fault23_tooLittleMemoryIsRefusedWithNumbersAndAdvice() {
        MemoryEstimate estimate = new MemoryEstimate(3 << 20, 5 << 20, 0);
        estimate.check(Phase.ADAPT, 3 << 20, 5 << 20);
        String heap = assertThrows(EmtalException.class, () -> estimate.check(Phase.ADAPT, (3 << 20) - 1, 5 << 20)).getMessage();
        assertTrue(heap.startsWith("ADAPT: about 3.0 MiB of heap are needed, found are 3.0 MiB") && heap.contains("-Xmx"), heap);
        String outside = assertThrows(EmtalException.class, () -> estimate.check(Phase.ADAPT, 3 << 20, 4 << 20)).getMessage();
        assertTrue(outside.contains("about 5.0 MiB are needed outside the heap, allowed are 4.0 MiB")
                && outside.contains("smaller micro-batches"), outside);
    }

    @Test
    void fault23_aTrainingBeyondTheBoundIsRefusedBeforeItsFirstStep() {
        System.setProperty(MemoryEstimate.BOUND, "1000");
        String message = assertThrows(EmtalException.class, () -> SmallTraining.train(Optional.empty(),
                new TrainingListener() {
                    @Override
                    public void step(StepEvent event) {
                        throw new AssertionError("a step was taken");
                    }
                })).getMessage();
        assertTrue(message.contains("outside the heap") && message.contains(MemoryEstimate.BOUND), message);
        System.setProperty(MemoryEstimate.BOUND, "much");
        assertTrue(assertThrows(EmtalException.class, () -> SmallTraining.train(Optional.empty(), TrainingListener.NONE))
                .getMessage().contains("found 'much'"));
    }

    @Test
    void fault23_tooLittleRoomForCheckpointsIsRefused(@TempDir Path directory) throws IOException {
        try (CheckpointDirectory checkpoints = CheckpointDirectory.open(directory, 2, new TrainingIdentity(Map.of()))) {
            checkpoints.checkRoom(1000);
            long usable = Files.getFileStore(directory).getUsableSpace();
            String message = assertThrows(EmtalException.class, () -> checkpoints.checkRoom(usable)).getMessage();
            assertTrue(message.contains("3 more of about " + usable + " bytes"), message);
        }
    }

    @Test
    void whatJudgesHeldOutRowsTakesItsPartOutsideTheHeap() {
        NetworkCompiler compiler = new PhaseStateFixture().compiler();
        Graph forward = compiler.forward(compiler.forwardRows());
        MemoryEstimate judged = MemoryEstimate.of(compiler, Recipe.builder().build(), 4, Optional.of(forward));
        MemoryEstimate not = MemoryEstimate.of(compiler, Recipe.builder().build(), 4, Optional.empty());
        assertEquals(not.heap(), judged.heap());
        assertTrue(judged.outside() - not.outside() >= MemoryEstimate.peak(forward),
                judged.outside() + ", " + not.outside());
    }

    /** Within a header and a history of the checkpoint that is then written. */
    @Test
    void theSizeOfACheckpointIsKnownBefore() throws IOException {
        PhaseStateFixture fixture = new PhaseStateFixture();
        NetworkCompiler compiler = fixture.compiler();
        long estimate = MemoryEstimate.of(compiler, Recipe.builder().averageDecay(0.5).build(), 4, Optional.empty())
                .withBank(compiler.qualityRetaining().bytes(compiler.tasks(), 4), true).checkpoint();
        long written = fixture.bytes(0).length;
        assertTrue(estimate <= written && written < estimate + 1000, estimate + ", " + written);
    }
}
