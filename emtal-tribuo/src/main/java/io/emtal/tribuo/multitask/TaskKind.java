package io.emtal.tribuo.multitask;

/** What the values of a task are. */
public enum TaskKind {

    /** One class out of several. */
    CATEGORICAL,

    /** True or false. */
    BINARY,

    /** A finite number. */
    REAL
}
