package io.emtal.samples.compare;

/** What a trainer is to the comparison. */
enum Group {
    /** The trainer that is compared with the others: EMTAL with its defaults. */
    EMTAL("emtal"),
    /** EMTAL's controls and ablations, and EMTAL with a search. */
    FAMILY("family"),
    /** Tribuo's own trainers. */
    PEERS("peers");

    private final String title;

    Group(String title) {
        this.title = title;
    }

    @Override
    public String toString() {
        return title;
    }
}
