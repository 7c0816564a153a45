package io.emtal.onnx.adapt;

import io.emtal.onnx.EmtalException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * The partition of the H hidden channels of a block's FFN into K experts of exactly {@code m = H / K} channels: the
 * decomposition step of MoEfied LoRA (arXiv 2501.06884). It needs the weights of the first linear layer and no data.
 *
 * <p>{@link Grouping#CLUSTERED} is balanced k-means on the channels' L2-normalised weight vectors. Restarts of plain
 * k-means from k-means++ centres are cheap and find a start; a few balanced iterations follow, whose assignment under
 * equal capacities is solved exactly. Neither of their two halves can raise the within-cluster variance.
 *
 * <p>Experts are numbered by their lowest channel, so the same partition always gives the same permutation.
 */
public final class ExpertClustering {

    /** How channels are grouped into experts. */
    public enum Grouping {
        /** Balanced k-means on the normalised weight vectors: the method. */
        CLUSTERED,
        /** A random partition into experts of equal size: an ablation. */
        RANDOM,
        /** Channels stay where they are: an ablation. */
        CONTIGUOUS
    }

    /** Restarts of plain k-means unless stated. */
    public static final int DEFAULT_RESTARTS = 4;

    private static final int PLAIN_ITERATIONS = 10;
    private static final int BALANCED_ITERATIONS = 10;

    private final int experts;
    private final int[] permutation;
    private final double variance;

    private ExpertClustering(int[] labels, double variance, int experts) {
        this.experts = experts;
        this.variance = variance;
        permutation = IntStream.range(0, labels.length)
                .boxed()
                .sorted(Comparator.comparingInt(channel -> labels[channel]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /**
     * Groups channels with {@link #DEFAULT_RESTARTS}.
     *
     * @param weights the weight vectors of the channels, [H, D], row after row
     * @param channels the number of hidden channels, H
     * @param experts the number of experts, K; it divides H
     * @param grouping how to group
     * @param random the source of randomness; equal states give equal partitions
     * @return the partition
     * @throws EmtalException if K does not divide H, or a weight is not finite
     */
    public static ExpertClustering of(
            float[] weights, int channels, int experts, Grouping grouping, RandomGenerator random) {
        return of(weights, channels, experts, grouping, DEFAULT_RESTARTS, random);
    }

    /**
     * Groups channels.
     *
     * @param weights the weight vectors of the channels, [H, D], row after row
     * @param channels the number of hidden channels, H
     * @param experts the number of experts, K; it divides H
     * @param grouping how to group
     * @param restarts the restarts of plain k-means, at least 1
     * @param random the source of randomness; equal states give equal partitions
     * @return the partition
     * @throws EmtalException if K does not divide H, or a weight is not finite
     */
    public static ExpertClustering of(float[] weights, int channels, int experts, Grouping grouping, int restarts,
            RandomGenerator random) {
        checkDivides(experts, channels);
        EmtalException.check(restarts >= 1, "restarts: found %d, at least 1 is needed", restarts);
        EmtalException.check(weights.length > 0 && weights.length % channels == 0,
                "expert clustering: found %d weights, allowed is a positive multiple of the %d channels",
                weights.length, channels);
        Points points = Points.normalised(weights, channels);
        int[] contiguous = IntStream.range(0, channels).map(i -> i / (channels / experts)).toArray();
        int[] labels = switch (grouping) {
            case CONTIGUOUS -> contiguous;
            case RANDOM -> shuffled(contiguous, random);
            case CLUSTERED -> clustered(points, experts, restarts, contiguous, random);
        };
        int[] numbered = byLowestChannel(labels, experts);
        return new ExpertClustering(numbered, points.variance(numbered, experts), experts);
    }

    /**
     * Checks that a number of experts divides a hidden width.
     *
     * @param experts the number of experts, K
     * @param channels the number of hidden channels, H
     * @throws EmtalException if it does not; the message lists the divisors
     */
    public static void checkDivides(int experts, int channels) {
        EmtalException.check(channels >= 1, "hidden width: found %d, at least 1 is needed", channels);
        if (experts < 1 || channels % experts != 0) {
            throw new EmtalException("experts: found " + experts + ", allowed is a divisor of the hidden width "
                    + channels + ": "
                    + Arrays.toString(IntStream.rangeClosed(1, channels).filter(k -> channels % k == 0).toArray()));
        }
    }

    /** The number of experts, K. */
    public int experts() {
        return experts;
    }

    /**
     * The order that makes experts consecutive ranges of m channels: at position i stands the original channel
     * {@code permutation()[i]}. Within an expert channels keep their original order.
     *
     * @return a permutation of 0 to H - 1
     */
    public int[] permutation() {
        return permutation.clone();
    }

    /**
     * The inverse of {@link #permutation}: original channel i stands at position {@code inverse()[i]}.
     *
     * @return a permutation of 0 to H - 1
     */
    public int[] inverse() {
        int[] inverse = new int[permutation.length];
        for (int i = 0; i < permutation.length; i++) {
            inverse[permutation[i]] = i;
        }
        return inverse;
    }

    /** The mean squared distance of the normalised weight vectors to the means of their experts. */
    public double variance() {
        return variance;
    }

    private static int[] shuffled(int[] labels, RandomGenerator random) {
        int[] shuffled = labels.clone();
        for (int i = shuffled.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int label = shuffled[i];
            shuffled[i] = shuffled[j];
            shuffled[j] = label;
        }
        return shuffled;
    }

    private static int[] byLowestChannel(int[] labels, int experts) {
        int[] numbers = new int[experts];
        Arrays.fill(numbers, -1);
        int next = 0;
        int[] numbered = new int[labels.length];
        for (int i = 0; i < labels.length; i++) {
            if (numbers[labels[i]] < 0) {
                numbers[labels[i]] = next++;
            }
            numbered[i] = numbers[labels[i]];
        }
        return numbered;
    }

    private static int[] clustered(Points points, int experts, int restarts, int[] contiguous, RandomGenerator random) {
        if (experts == 1 || experts == points.count) {
            return contiguous;
        }
        float[] centres = null;
        double least = Double.POSITIVE_INFINITY;
        float[] squared = new float[experts * points.count];
        for (int restart = 0; restart < restarts; restart++) {
            float[] candidate = plusPlusCentres(points, experts, random);
            double cost = Double.POSITIVE_INFINITY;
            for (int i = 0; i < PLAIN_ITERATIONS; i++) {
                int[] labels = new int[points.count];
                double before = cost;
                points.squaredDistances(candidate, experts, squared);
                cost = nearest(squared, experts, labels);
                if (cost >= before) {
                    break;
                }
                candidate = points.means(labels, candidate, experts);
            }
            if (cost < least) {
                least = cost;
                centres = candidate;
            }
        }
        int[] labels = balanced(points, experts, centres);
        // Channels that come in good order already: k-means may end in a worse local optimum than where they are.
        return points.variance(labels, experts) <= points.variance(contiguous, experts)
                ? labels
                : balanced(points, experts, points.means(contiguous, null, experts));
    }

    /** k-means++: each next centre is a channel drawn with probability proportional to its squared distance. */
    private static float[] plusPlusCentres(Points points, int experts, RandomGenerator random) {
        float[] centres = new float[points.dimensions * experts];
        double[] squared = new double[points.count];
        Arrays.fill(squared, Double.POSITIVE_INFINITY);
        float[] toNewest = new float[points.count];
        int chosen = random.nextInt(points.count);
        for (int k = 0; ; k++) {
            float[] centre = points.vector(chosen);
            for (int d = 0; d < points.dimensions; d++) {
                centres[d * experts + k] = centre[d];
            }
            if (k == experts - 1) {
                return centres;
            }
            points.squaredDistances(centre, 1, toNewest);
            double total = 0;
            for (int i = 0; i < points.count; i++) {
                squared[i] = Math.min(squared[i], toNewest[i]);
                total += squared[i];
            }
            double drawn = random.nextDouble() * total;
            chosen = 0;
            for (int i = 0; i < points.count && drawn >= 0; i++) {
                drawn -= squared[i];
                chosen = i;
            }
        }
    }

    private static double nearest(float[] squared, int experts, int[] labels) {
        int channels = labels.length;
        double cost = 0;
        for (int i = 0; i < channels; i++) {
            int best = 0;
            for (int k = 1; k < experts; k++) {
                if (squared[k * channels + i] < squared[best * channels + i]) {
                    best = k;
                }
            }
            labels[i] = best;
            cost += squared[best * channels + i];
        }
        return cost;
    }

    private static int[] balanced(Points points, int experts, float[] start) {
        float[] centres = start;
        int[] labels = null;
        double cost = Double.POSITIVE_INFINITY;
        float[] squared = new float[experts * points.count];
        for (int i = 0; i < BALANCED_ITERATIONS; i++) {
            points.squaredDistances(centres, experts, squared);
            int[] next = BalancedAssignment.of(squared, points.count, experts);
            double sum = 0;
            for (int channel = 0; channel < points.count; channel++) {
                sum += squared[next[channel] * points.count + channel];
            }
            if (sum >= cost || Arrays.equals(next, labels)) {
                break;
            }
            cost = sum;
            labels = next;
            centres = points.means(labels, centres, experts);
        }
        return labels;
    }

    /**
     * Vectors of length 1 (or 0). Values are [dimensions, count], centres [dimensions, clusters]: the long inner loops
     * then run over points, where the compiler vectorises them.
     */
    private record Points(float[] values, int count, int dimensions) {

        static Points normalised(float[] weights, int count) {
            int dimensions = weights.length / count;
            float[] values = new float[weights.length];
            for (int i = 0; i < count; i++) {
                double squared = 0;
                for (int d = 0; d < dimensions; d++) {
                    float weight = weights[i * dimensions + d];
                    if (!Float.isFinite(weight)) {
                        throw new EmtalException("hidden channel " + i + ": found weight " + weight
                                + ", allowed are finite numbers");
                    }
                    squared += (double) weight * weight;
                }
                double factor = squared > 0 ? 1 / Math.sqrt(squared) : 0;
                for (int d = 0; d < dimensions; d++) {
                    values[d * count + i] = (float) (weights[i * dimensions + d] * factor);
                }
            }
            return new Points(values, count, dimensions);
        }

        float[] vector(int point) {
            float[] vector = new float[dimensions];
            for (int d = 0; d < dimensions; d++) {
                vector[d] = values[d * count + point];
            }
            return vector;
        }

        /** Fills in the squared distances to centres, [clusters, count]. */
        void squaredDistances(float[] centres, int clusters, float[] squared) {
            Arrays.fill(squared, 0);
            for (int d = 0; d < dimensions; d++) {
                for (int k = 0; k < clusters; k++) {
                    addSquares(centres[d * clusters + k], d * count, squared, k * count);
                }
            }
        }

        private void addSquares(float centre, int from, float[] sums, int to) {
            for (int i = 0; i < count; i++) {
                float difference = values[from + i] - centre;
                sums[to + i] += difference * difference;
            }
        }

        /** The means of clusters; an empty cluster keeps its former centre. */
        float[] means(int[] labels, float[] former, int clusters) {
            double[] sums = new double[dimensions * clusters];
            int[] members = new int[clusters];
            for (int label : labels) {
                members[label]++;
            }
            for (int d = 0; d < dimensions; d++) {
                for (int i = 0; i < count; i++) {
                    sums[d * clusters + labels[i]] += values[d * count + i];
                }
            }
            float[] means = new float[sums.length];
            for (int j = 0; j < sums.length; j++) {
                int size = members[j % clusters];
                means[j] = size > 0 ? (float) (sums[j] / size) : former[j];
            }
            return means;
        }

        double variance(int[] labels, int clusters) {
            float[] means = means(labels, null, clusters);
            double sum = 0;
            for (int d = 0; d < dimensions; d++) {
                for (int i = 0; i < count; i++) {
                    double difference = values[d * count + i] - means[d * clusters + labels[i]];
                    sum += difference * difference;
                }
            }
            return sum / count;
        }
    }
}
