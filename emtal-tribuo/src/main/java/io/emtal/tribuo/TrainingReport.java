package io.emtal.tribuo;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.HeadScope;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.ParameterReport;
import io.emtal.onnx.train.Phase;
import io.emtal.onnx.train.Stop;
import io.emtal.onnx.train.TrainedNetwork;
import io.emtal.tribuo.protos.DoubleVectorProto;
import io.emtal.tribuo.protos.EpochProto;
import io.emtal.tribuo.protos.TaskProto;
import io.emtal.tribuo.protos.TrainingReportProto;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * How a model's network came about.
 *
 * @param tasks the tasks, with the statistics of the training examples and the weights that they were trained with
 * @param history one record an epoch
 * @param bestEpoch the epoch of the last phase whose weights were taken, 0 for what it started from
 * @param parameters how many parameters were trained and deployed
 * @param agreement the largest absolute difference of the logits between training graph and dense network, over the
 *     training rows that were compared
 * @param heldOutErrors one a task over the rows that test, or without such over those that choose epochs, each predicted
 *     by members that have not seen it: of a real task the root mean squared error in standard deviations, of others the
 *     loss, not-a-number without labels there; none without any of these rows
 * @param expertLoad the mean gate of every expert over the last routed epoch, by block; empty without a router
 * @param rowsWithoutLabel the training examples that had no label for any task, so that nothing was learnt from them
 * @param stop where an interrupt stopped the training, the network being the best until then; empty if it ended
 */
public record TrainingReport(TaskLayout tasks, List<EpochRecord> history, int bestEpoch, ParameterReport parameters,
                             double agreement, double[] heldOutErrors, Map<String, double[]> expertLoad,
                             int rowsWithoutLabel, Optional<Stop> stop) {

    /** Makes the report immutable. */
    public TrainingReport {
        history = List.copyOf(history);
        expertLoad = Collections.unmodifiableMap(new TreeMap<>(expertLoad));
    }

    static TrainingReport of(TrainedNetwork network, int rowsWithoutLabel) {
        return new TrainingReport(network.tasks(), network.history(), network.bestEpoch(), network.parameters(),
                network.agreement(), network.heldOutErrors(), network.expertLoad(), rowsWithoutLabel, network.stop());
    }

    /** The first of several reports, with what they have in all: see {@link EmtalModel#mean}. */
    static TrainingReport mean(List<TrainingReport> reports) {
        TrainingReport first = reports.get(0);
        int judged = reports.stream().mapToInt(report -> report.heldOutErrors.length).min().orElseThrow();
        double[] errors = IntStream.range(0, judged).mapToDouble(task -> reports.stream()
                .mapToDouble(report -> report.heldOutErrors[task]).average().orElseThrow()).toArray();
        return new TrainingReport(first.tasks, first.history, first.bestEpoch,
                ParameterReport.sum(reports.stream().map(TrainingReport::parameters).toList()),
                reports.stream().mapToDouble(TrainingReport::agreement).max().orElseThrow(), errors, first.expertLoad,
                first.rowsWithoutLabel, reports.stream().flatMap(report -> report.stop.stream()).findFirst());
    }

    /**
     * The epoch whose weights were taken.
     *
     * @return its record
     */
    public EpochRecord best() {
        Phase last = history.get(history.size() - 1).phase();
        return history.stream().filter(e -> e.phase() == last && e.epoch() == bestEpoch).findFirst()
                .orElseThrow(() -> new EmtalException("history: found no epoch " + bestEpoch + " of the phase "
                        + last));
    }

    /**
     * When each task was at its best, and what became of it: how far apart the tasks' best epochs are.
     *
     * @return one a phase and task, in their order; none without held-out rows, or for a task without labels there
     */
    public List<TaskProgress> taskProgress() {
        return TaskProgress.of(tasks.tasks(), history);
    }

    TrainingReportProto serialize() {
        TrainingReportProto.Builder proto = TrainingReportProto.newBuilder()
                .setJointSoftmax(tasks.headScope() == HeadScope.JOINT).setBestEpoch(bestEpoch)
                .putAllTrainableParameters(parameters.trainable()).setBackboneParameters(parameters.backbone())
                .setHeadParameters(parameters.heads()).setAgreement(agreement).setRowsWithoutLabel(rowsWithoutLabel);
        tasks.tasks().forEach(task -> proto.addTask(serialize(task)));
        for (double error : heldOutErrors) {
            proto.addHeldOutError(error);
        }
        for (EpochRecord epoch : history) {
            EpochProto.Builder record = proto.addEpochBuilder().setPhase(epoch.phase().name()).setEpoch(epoch.epoch())
                    .setStep(epoch.step()).setLearningRate(epoch.learningRate()).setFade(epoch.fade())
                    .setRouterEntropy(epoch.routerEntropy()).setSeconds(epoch.seconds())
                    .setInputSeconds(epoch.inputSeconds()).addAllFrozenHead(epoch.frozenHeads());
            for (double loss : epoch.trainLosses()) {
                record.addTrainLoss(loss);
            }
            for (double loss : epoch.validationLosses()) {
                record.addValidationLoss(loss);
            }
            for (double weight : epoch.retainingWeights()) {
                record.addRetainingWeight(weight);
            }
        }
        expertLoad.forEach((block, load) -> {
            DoubleVectorProto.Builder vector = DoubleVectorProto.newBuilder();
            for (double gate : load) {
                vector.addValue(gate);
            }
            proto.putExpertLoad(block, vector.build());
        });
        stop.ifPresent(s -> proto.getStopBuilder().setPhase(s.phase().name()).setStep(s.step()).setSteps(s.steps()));
        return proto.build();
    }

    private static TaskProto serialize(Task task) {
        TaskProto.Builder proto = TaskProto.newBuilder().setName(task.name()).setWeight(task.weight());
        if (task instanceof CategoricalTask categorical) {
            proto.getCategoricalBuilder().setClasses(categorical.classes());
        } else if (task instanceof RealTask real) {
            proto.getRealBuilder().setMean(real.mean()).setDeviation(real.deviation()).setKurtosis(real.kurtosis());
        } else {
            proto.getBinaryBuilder();
        }
        return proto.build();
    }

    static TrainingReport deserialize(TrainingReportProto proto) {
        List<Task> tasks = proto.getTaskList().stream().map(TrainingReport::deserialize).toList();
        List<EpochRecord> history = proto.getEpochList().stream().map(epoch -> new EpochRecord(
                Phase.valueOf(epoch.getPhase()), epoch.getEpoch(), epoch.getStep(), epoch.getLearningRate(),
                epoch.getFade(), doubles(epoch.getTrainLossList()), doubles(epoch.getValidationLossList()),
                epoch.getRouterEntropy(), epoch.getSeconds(), epoch.getInputSeconds(),
                doubles(epoch.getRetainingWeightList()), epoch.getFrozenHeadList())).toList();
        Map<String, double[]> load = new TreeMap<>();
        proto.getExpertLoadMap().forEach((block, vector) -> load.put(block, doubles(vector.getValueList())));
        Optional<Stop> stop = proto.hasStop() ? Optional.of(new Stop(Phase.valueOf(proto.getStop().getPhase()),
                proto.getStop().getStep(), proto.getStop().getSteps())) : Optional.empty();
        return new TrainingReport(
                new TaskLayout(tasks, proto.getJointSoftmax() ? HeadScope.JOINT : HeadScope.PER_TASK), history,
                proto.getBestEpoch(), new ParameterReport(new TreeMap<>(proto.getTrainableParametersMap()),
                proto.getBackboneParameters(), proto.getHeadParameters()), proto.getAgreement(),
                doubles(proto.getHeldOutErrorList()), load,
                proto.getRowsWithoutLabel(), stop);
    }

    private static Task deserialize(TaskProto proto) {
        return switch (proto.getKindCase()) {
            case CATEGORICAL -> new CategoricalTask(proto.getName(), proto.getCategorical().getClasses(),
                    proto.getWeight());
            case BINARY -> new BinaryTask(proto.getName(), proto.getWeight());
            case REAL -> deserialize(proto.getName(), proto.getReal(), proto.getWeight());
            case KIND_NOT_SET -> throw new EmtalException("task '" + proto.getName()
                    + "': found no kind, allowed are categorical, binary and real ones");
        };
    }

    private static RealTask deserialize(String name, TaskProto.RealProto proto, double weight) {
        return proto.hasKurtosis()
                ? new RealTask(name, proto.getMean(), proto.getDeviation(), proto.getKurtosis(), weight)
                : new RealTask(name, proto.getMean(), proto.getDeviation(), weight);
    }

    private static double[] doubles(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }
}
