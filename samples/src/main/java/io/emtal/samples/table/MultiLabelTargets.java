package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.table.Column;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tribuo.OutputFactory;
import org.tribuo.classification.Label;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;

/**
 * Nominal targets as one {@link MultiLabel}. A target with the values 0 and 1 of a multi-label table is the label with
 * the target's name, present where the cell is 1; a target of a categorical table is the label {@code target=value}.
 */
public final class MultiLabelTargets implements TargetView<MultiLabel> {
    /** What stands between target and class in the label of a class. */
    public static final String SEPARATOR = "=";

    private static final MultiLabelFactory FACTORY = new MultiLabelFactory();

    private final Table table;
    private final boolean binary;

    /**
     * Constructs the view.
     *
     * @param table a multi-label or categorical table
     * @throws EmtalException if it is another kind
     */
    public MultiLabelTargets(Table table) {
        EmtalException.check(table.schema().kind() == Kind.MULTILABEL || table.schema().kind() == Kind.CATEGORICAL,
                "%s has numeric targets; nominal ones are needed", table.schema().name());
        for (Column target : table.schema().targets()) {
            EmtalException.check(!target.name().contains(SEPARATOR) && !target.name().contains(","),
                    "Target %s: its name holds '%s' or ',', which no label may", Quoted.of(target.name()), SEPARATOR);
        }
        this.table = table;
        this.binary = table.schema().kind() == Kind.MULTILABEL;
    }

    /**
     * The label of a class of a categorical target. A comma of the value, which no label of a {@link MultiLabel} may
     * have, is written as {@code %2C}, and then a percent sign as {@code %25}.
     *
     * @param target the target
     * @param value the class
     * @return {@code target=value}
     */
    public static String label(Column target, String value) {
        return target.name() + "=" + value.replace("%", "%25").replace(",", "%2C");
    }

    @Override
    public OutputFactory<MultiLabel> factory() {
        return FACTORY;
    }

    @Override
    public MultiLabel output(int row) {
        List<Column> targets = table.schema().targets();
        Set<Label> labels = new HashSet<>();
        for (int i = 0; i < targets.size(); i++) {
            String value = targets.get(i).values().get((int) table.target(i, row));
            if (!binary) {
                labels.add(new Label(label(targets.get(i), value)));
            } else if (value.equals("1")) {
                labels.add(new Label(targets.get(i).name()));
            }
        }
        return new MultiLabel(labels);
    }
}
