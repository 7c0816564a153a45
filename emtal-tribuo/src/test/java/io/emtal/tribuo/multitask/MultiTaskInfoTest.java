package io.emtal.tribuo.multitask;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.protos.MultiTaskInfoProto;
import org.junit.jupiter.api.Test;
import org.tribuo.OutputInfo;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.StreamSupport;

class MultiTaskInfoTest {

    private static final long SEED = 20261125;

    private static final List<MultiTask> OUTPUTS = List.of(
            MultiTask.builder().categorical("kind", "star").binary("filled", true).real("area", 2).build(),
            MultiTask.builder().categorical("kind", "circle").real("area", 4).build(),
            MultiTask.builder().categorical("kind", "star").binary("filled", false).build(),
            MultiTask.builder().build(),
            MultiTask.builder().real("area", 9).build());

    private static MutableMultiTaskInfo info(List<MultiTask> outputs) {
        MutableMultiTaskInfo info = new MultiTaskFactory().generateInfo();
        outputs.forEach(info::observe);
        return info;
    }

    private static MultiTask one(TaskValue value) {
        return MultiTask.of(List.of(value));
    }

    @Test
    void missingValuesLeaveNoTrace() {
        MutableMultiTaskInfo info = info(OUTPUTS);
        info.observe(MultiTaskFactory.UNKNOWN_MULTITASK);
        for (MultiTaskInfo observed : List.of(info, info.generateImmutableOutputInfo(), info.copy())) {
            assertEquals(Map.of("area", TaskKind.REAL, "filled", TaskKind.BINARY, "kind", TaskKind.CATEGORICAL),
                    observed.kinds());
            assertEquals(3, observed.labelled("kind"));
            assertEquals(2, observed.labelled("filled"));
            assertEquals(3, observed.labelled("area"));
            assertEquals(0, observed.labelled("size"));
            assertEquals(Map.of("circle", 1L, "star", 2L), observed.classes("kind"));
            assertEquals(Map.of("false", 1L, "true", 1L), observed.classes("filled"));
            assertEquals(Map.of(), observed.classes("area"));
            assertEquals(Map.of(), observed.classes("size"));
            assertEquals(Optional.empty(), observed.statistics("kind"));
            assertEquals(Optional.empty(), observed.statistics("size"));
            assertEquals(1, observed.getUnknownCount());
        }
        assertEquals(5, info.generateImmutableOutputInfo().getTotalObservations());
    }

    @Test
    void statisticsOfNumbersAreThoseOfTheWholeList() {
        Random random = new Random(SEED);
        double[] values = DoubleStream.generate(() -> 1e6 + random.nextGaussian()).limit(1000).toArray();
        MutableMultiTaskInfo info = new MultiTaskFactory().generateInfo();
        for (double value : values) {
            info.observe(MultiTask.builder().real("x", value).build());
        }
        double mean = DoubleStream.of(values).average().orElseThrow();
        double variance = DoubleStream.of(values).map(v -> (v - mean) * (v - mean)).sum() / (values.length - 1);
        RealStatistics found = info.statistics("x").orElseThrow();
        assertEquals(values.length, found.count());
        assertEquals(DoubleStream.of(values).min().orElseThrow(), found.min());
        assertEquals(DoubleStream.of(values).max().orElseThrow(), found.max());
        assertEquals(mean, found.mean(), 1e-8, "seed " + SEED);
        assertEquals(variance, found.variance(), 1e-8, "seed " + SEED);
        assertEquals(new RealStatistics(1, 2, 2, 2, Double.NaN),
                info(OUTPUTS.subList(0, 1)).statistics("area").orElseThrow());
    }

    @Test
    void theDomainHasOneElementForEveryColumnInOrder() {
        ImmutableMultiTaskInfo domain = info(OUTPUTS).generateImmutableOutputInfo();
        List<String> names = StreamSupport.stream(domain.spliterator(), false).map(p -> p.getA() + " " + p.getB())
                .toList();
        assertEquals(List.of("0 area=0.0", "1 filled=true", "2 kind=\"circle\"", "3 kind=\"star\""), names);
        assertEquals(4, domain.size());
        assertEquals(4, domain.getDomain().size());
        for (int id = 0; id < domain.size(); id++) {
            assertEquals(id, domain.getID(domain.getOutput(id)));
        }
        assertEquals(0, domain.getID(one(new TaskValue.Real("area", 77))));
        assertEquals(1, domain.getID(one(new TaskValue.Binary("filled", false, 0.5))));
        assertEquals(3, domain.getID(one(new TaskValue.Category("kind", "star", 0.5))));
        for (MultiTask odd : List.of(one(new TaskValue.Category("kind", "square", 1)),
                one(new TaskValue.Real("kind", 1)), one(new TaskValue.Real("size", 1)), OUTPUTS.get(0),
                MultiTask.builder().build(), MultiTaskFactory.UNKNOWN_MULTITASK)) {
            assertEquals(-1, domain.getID(odd), odd.toString());
        }
        assertNull(domain.getOutput(-1));
        assertNull(domain.getOutput(4));
        assertEquals("(area=0.0,3), (filled=true,1), (kind=\"circle\",1), (kind=\"star\",2)",
                domain.toReadableString());
        assertEquals(2L, StreamSupport.stream(domain.outputCountsIterable().spliterator(), false)
                .filter(p -> p.getA().equals("kind=\"star\"")).findFirst().orElseThrow().getB());
    }

    @Test
    void theOrderOfTheOutputsDecidesNoId() {
        List<MultiTask> outputs = new ArrayList<>(OUTPUTS);
        ImmutableMultiTaskInfo domain = info(outputs).generateImmutableOutputInfo();
        Random random = new Random(SEED);
        for (int i = 0; i < 10; i++) {
            Collections.shuffle(outputs, random);
            assertTrue(domain.domainAndIDEquals(info(outputs).generateImmutableOutputInfo()), "seed " + SEED);
        }
    }

    @Test
    void aTaskOfTwoKindsIsRefusedAndNothingCounted() {
        MutableMultiTaskInfo info = info(OUTPUTS);
        MutableMultiTaskInfo before = info.copy();
        MultiTask odd = MultiTask.builder().categorical("kind", "oval").real("filled", 3).build();
        var e = assertThrows(EmtalException.class, () -> info.observe(odd));
        assertTrue(e.getMessage().contains("'filled'") && e.getMessage().contains("found a real value")
                && e.getMessage().contains("binary"), e.getMessage());
        assertEquals(before, info);
    }

    @Test
    void protobufsAndJavaSerialisationKeepEverything() throws Exception {
        Random random = new Random(SEED);
        List<MultiTask> outputs = new ArrayList<>(OUTPUTS);
        for (int i = 0; i < 100; i++) {
            String name = "#" + i + RandomMultiTasks.text(random);
            outputs.add(MultiTask.builder().categorical(name, name).binary(name + "b", true).real(name + "r", i)
                    .build());
        }
        outputs.add(MultiTaskFactory.UNKNOWN_MULTITASK);
        MutableMultiTaskInfo mutable = info(outputs);
        ImmutableMultiTaskInfo immutable = mutable.generateImmutableOutputInfo();
        for (OutputInfo<?> expected : List.of(mutable, immutable, mutable.copy(), immutable.copy(),
                new MultiTaskFactory().generateInfo())) {
            OutputInfo<?> read = OutputInfo.deserialize(expected.serialize());
            assertEquals(expected, read, "seed " + SEED);
            assertEquals(expected.hashCode(), read.hashCode());
            assertEquals(expected, MultiTaskTest.javaCopy(expected), "seed " + SEED);
        }
        assertEquals(mutable, immutable.generateMutableOutputInfo());
        assertNotEquals(mutable, info(OUTPUTS));
    }

    @Test
    void faultyProtobufsAreRefused() throws Exception {
        var proto = info(OUTPUTS).generateImmutableOutputInfo().serialize();
        MultiTaskInfoProto.Builder good = proto.getSerializedData().unpack(MultiTaskInfoProto.class).toBuilder();
        for (MultiTaskInfoProto bad : List.of(
                good.clone().setId(0, 1).build(), good.clone().clearId().build(), good.clone().setId(0, -1).build(),
                good.clone().addTask(good.getTask(0)).build(), good.clone().setUnknown(-1).build(),
                good.clone().setTask(0, good.getTask(0).toBuilder().setKind("ODD")).build(),
                good.clone().setTask(0, good.getTask(0).toBuilder().setLabelled(-1)).build(),
                good.clone().setTask(1, good.getTask(1).toBuilder().clearClassName().clearClassCount()).build(),
                good.clone().setTask(2, good.getTask(2).toBuilder().addClassName("star").addClassCount(1)).build(),
                good.clone().setTask(2, good.getTask(2).toBuilder().clearClassCount()).build(),
                good.clone().setTask(2, good.getTask(2).toBuilder().setClassCount(0, 7)).build())) {
            var e = assertThrows(IllegalStateException.class, () -> OutputInfo.deserialize(proto.toBuilder()
                    .setSerializedData(Any.pack(bad)).build()), bad::toString);
            assertTrue(e.getCause().getCause() instanceof EmtalException,
                    () -> String.valueOf(e.getCause().getCause()));
        }
    }

    @Test
    void aCopyIsObservedAlone() {
        MutableMultiTaskInfo info = info(OUTPUTS);
        MutableMultiTaskInfo copy = info.copy();
        ImmutableMultiTaskInfo domain = info.generateImmutableOutputInfo();
        info.observe(OUTPUTS.get(0));
        assertEquals(info(OUTPUTS), copy);
        assertEquals(3, domain.labelled("area"));
        info.clear();
        assertEquals(new MultiTaskFactory().generateInfo(), info);
    }

    @Test
    void domainsOfNetworksMadeElsewhereKeepTheirOrder() {
        MultiTaskFactory factory = new MultiTaskFactory();
        Map<MultiTask, Integer> mapping = new HashMap<>(Map.of(
                one(new TaskValue.Category("kind", "star", Double.NaN)), 0, one(new TaskValue.Real("area", 7)), 1,
                one(new TaskValue.Category("kind", "circle", 1)), 2, one(new TaskValue.Binary("filled", false, 1)), 3));
        ImmutableMultiTaskInfo domain = factory.constructInfoForExternalModel(mapping);
        mapping.forEach((column, id) -> assertEquals(id, domain.getID(column)));
        assertEquals(0, domain.labelled("kind"));
        assertEquals(Map.of("circle", 0L, "star", 0L), domain.classes("kind"));
        assertEquals(new RealStatistics(0, Double.NaN, Double.NaN, Double.NaN, Double.NaN),
                domain.statistics("area").orElseThrow());
        assertEquals(domain, OutputInfo.deserialize(domain.serialize()));
        assertEquals(domain, domain.copy());
        mapping.put(one(new TaskValue.Real("area", 8)), 4);
        assertThrows(EmtalException.class, () -> factory.constructInfoForExternalModel(mapping));
        assertThrows(EmtalException.class, () -> factory.constructInfoForExternalModel(Map.of(OUTPUTS.get(0), 0)));
    }
}
