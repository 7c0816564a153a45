package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.List;
import java.util.Map;
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

        /**
         * Writes the pooling, and checks that it fits.
         *
         * @param graph where
         * @param values what is pooled
         * @return [batch, D]
         * @throws EmtalException if there are too few values, or they have another rank
         */
        public Value write(GraphBuilder graph, List<Value> values) {
            int rank = this == CLASS_TOKEN || this == MEAN ? 3 : 2;
            EmtalException.check(values.size() == this.values && values.stream().allMatch(v -> v.rank() == rank),
                    "pooling of kind %s: found %s, allowed are %d values of rank %d", this, values, this.values, rank);
            return switch (this) {
                case VALUE -> values.get(0);
                case CLASS_TOKEN -> graph.apply("Gather", Map.of("axis", 1L), values.get(0),
                        graph.constant(new Tensor(ElementType.INT64, Shape.SCALAR, new long[1])));
                case MEAN -> graph.reduceMean(values.get(0), false, 1);
                case PAIR -> graph.concat(1, values);
            };
        }

        /**
         * The kind in words.
         *
         * @return for instance {@code class token}
         */
        public String text() {
            return text;
        }
    }

    /** Checks that there are as many values as the kind takes. */
    public Pooling {
        Objects.requireNonNull(kind, "kind");
        values = List.copyOf(values);
        EmtalException.check(values.size() == kind.values, "pooling of kind %s: found the values %s, allowed are %d",
                kind, values, kind.values);
    }
}
