package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.table.Column;
import org.tribuo.OutputFactory;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;

/** One nominal target as a {@link Label} with the name of its value. */
public final class LabelTargets implements TargetView<Label> {
    private static final LabelFactory FACTORY = new LabelFactory();

    private final Table table;
    private final int target;

    /**
     * Constructs the view.
     *
     * @param table the table
     * @param target the target's place in the schema
     * @throws EmtalException if the target is numeric
     */
    public LabelTargets(Table table, int target) {
        Column column = table.schema().targets().get(target);
        EmtalException.check(column.type() != Column.Type.NUMERIC, "Target %s is numeric; a nominal one is needed",
                Quoted.of(column.name()));
        this.table = table;
        this.target = target;
    }

    @Override
    public OutputFactory<Label> factory() {
        return FACTORY;
    }

    @Override
    public Label output(int row) {
        return new Label(table.schema().targets().get(target).values().get((int) table.target(target, row)));
    }
}
