package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;

import java.util.List;
import java.util.Objects;

/**
 * Where the representation that heads read lies in a model file, in names of the file's own values.
 *
 * @param kind how one vector comes of them
 * @param values the values: two for {@link Kind#PAIR}, else one
 */
public record Pooling(Kind kind, List<String> values) {

    /** How a vector for every image comes of a model's values. */
    public enum Kind {
        /** The value is the representation [batch, D]. */
        VALUE("value of the file", 1),
        /** The value holds tokens [batch, N, D], of which the first is read. */
        CLASS_TOKEN("class token", 1),
        /** The value holds tokens [batch, N, D], whose mean is read. */
        MEAN("mean of tokens", 1),
        /** Two values [batch, D], of class and distillation token, are read side by side [batch, 2·D]. */
        PAIR("class and distillation token", 2);

        private final String text;
        private final int values;

        Kind(String text, int values) {
            this.text = text;
            this.values = values;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** Checks that there are as many values as the kind takes. */
    public Pooling {
        Objects.requireNonNull(kind, "kind");
        values = List.copyOf(values);
        EmtalException.check(values.size() == kind.values, "pooling of kind %s: found the values %s, allowed are %d", kind,
                values, kind.values);
    }
}
