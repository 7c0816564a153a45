package io.emtal.tribuo.multitask;

/** Among which classes a categorical task's class is predicted, where its accuracy is computed. */
public enum LabelSpace {

    /** Among the task's own: whoever asks knows the task. */
    TASK,

    /**
     * Among the classes of all categorical tasks: the prediction is the one class of the highest score. It is right for
     * a labelled task if it is the task's class. Meant for rows that are labelled for one categorical task each, such
     * as images of several sets; of a row with more labels one can be right.
     */
    JOINT
}
