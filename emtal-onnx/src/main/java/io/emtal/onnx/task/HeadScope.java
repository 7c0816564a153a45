package io.emtal.onnx.task;

/** Which columns share one softmax. */
public enum HeadScope {

    /** Each categorical task has a softmax of its own. */
    PER_TASK,

    /** One softmax over the classes of all categorical tasks, as the authors' release has it. */
    JOINT
}
