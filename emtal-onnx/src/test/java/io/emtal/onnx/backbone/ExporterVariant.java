package io.emtal.onnx.backbone;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How a transformer is built and how an exporter writes it. Each axis is an enumeration whose first constant stands
 * where a variant names none.
 *
 * @param name what exporter or library this is like
 * @param traits at most one constant an axis
 */
record ExporterVariant(String name, List<Trait> traits) {

    /** One value of an axis. */
    interface Trait {
        /** Whether it changes what the network computes, not only how that is written. */
        boolean isArchitecture();
    }

    /** A trait of what is computed. */
    interface Architecture extends Trait {
        @Override
        default boolean isArchitecture() {
            return true;
        }
    }

    /** A trait of how it is written. */
    interface Spelling extends Trait {
        @Override
        default boolean isArchitecture() {
            return false;
        }
    }

    /** Image, patches, tokens and heads. */
    enum Size implements Architecture { SMALL, LARGER }

    /** The number of blocks. */
    enum Depth implements Architecture { TWO, THREE }

    /** The width of the feed-forward network in widths of a token. */
    enum Hidden implements Architecture { TWICE, FOUR_TIMES, EQUAL }

    /** The width of all heads together, beside that of a token. */
    enum HeadWidth implements Architecture { EQUAL, WIDER }

    /** The function between fc1 and fc2. */
    enum Activation implements Architecture { GELU, GELU_TANH, RELU, SILU, QUICK_GELU }

    /** Where a block normalises. */
    enum NormPlace implements Architecture { BEFORE, AFTER }

    /** The norm behind the blocks. */
    enum FinalNorm implements Architecture { BEFORE_POOLING, AFTER_POOLING, NONE }

    /** A learned factor for each channel of a branch. */
    enum LayerScale implements Architecture { ABSENT, PRESENT }

    /** Which linear layers of a block have a bias. */
    enum Biases implements Architecture { ALL, ALL_BUT_QKV, NONE }

    /** How tokens come of an image. */
    enum Stem implements Architecture { PATCHES, LINEAR_PATCHES, CHANNELS_LAST, CONVOLUTIONS, CONVOLUTION_AND_POOL,
        HARD_SWISH }

    /** What of the tokens the head reads, or that they are the output. */
    enum Pool implements Architecture { CLASS_TOKEN, MEAN, MEAN_OF_PATCHES, CLASS_AND_DISTILLATION_TOKEN, TOKENS,
        TOKENS_WITHOUT_CLASS }

    /** What becomes of the pooled representation. */
    enum Head implements Architecture { LINEAR, NONE, SOFTMAX }

    /** Norms of the queries and keys of each head. */
    enum QueryKeyNorm implements Architecture { ABSENT, PRESENT }

    /** How tokens know where they are: from what is added to them, or to the scores of their attention. */
    enum Positions implements Architecture { OF_TOKENS, OF_SCORES }

    /** Learned tokens between class token and patches that nothing reads in the end. */
    enum Registers implements Architecture { ABSENT, PRESENT }

    /** The outputs: that of the pooling, or a projection of the class token besides. */
    enum Outputs implements Architecture { ONE, PROJECTION_TOO }

    /** The operator set. */
    enum Opset implements Spelling { V17, V11, V12, V13, V14, V18, V20, V21 }

    /**
     * How attention is written: operator by operator, as {@code nn.MultiheadAttention} does by itself or within an
     * encoder that has its tokens first throughout, or fused.
     */
    enum Attention implements Spelling { DECOMPOSED, SEQUENCE_FIRST, ENCODER_SEQUENCE_FIRST, CONTRIB_ATTENTION,
        CONTRIB_MULTI_HEAD }

    /** One layer for queries, keys and values, or three. */
    enum Qkv implements Spelling { JOINT, SEPARATE }

    /** How a joint layer's result is taken apart. */
    enum Cut implements Spelling { SPLIT, SLICE, GATHER, UNBIND }

    /** Where the scores are scaled. */
    enum Scale implements Spelling { MUL_SCORES, DIV_SCORES, MUL_QUERY, SQRT_ON_BOTH, SDPA }

    /** How often keys are transposed. */
    enum Keys implements Spelling { ONCE, TWICE }

    /** How linear layers are written. */
    enum Linear implements Spelling { MATMUL, TRANSPOSED_MATMUL, GEMM, GEMM_TRANSPOSED }

    /** On which side of an Add the bias stands. */
    enum BiasSide implements Spelling { LEFT, RIGHT }

    /** How the activation is written. */
    enum ActivationForm implements Spelling { DECOMPOSED, OPERATOR, CONTRIB, CONTRIB_WITH_BIAS }

    /** How norms are written. */
    enum NormForm implements Spelling { FUSED, DECOMPOSED, WITH_SUM }

    /** The type of exponents that are whole numbers. */
    enum Exponents implements Spelling { REAL, INTEGER }

    /** How the pooling is written. */
    enum PoolForm implements Spelling { GATHER_OR_MEAN, SLICE_OR_GLOBAL_POOL }

    /** How the head is written. */
    enum HeadForm implements Spelling { GEMM, MATMUL }

    /** How the number of rows gets into Reshape and Expand. */
    enum Batch implements Spelling { SHAPES, ZEROS, FILLED, STATIC }

    /** The order of the nodes. */
    enum Order implements Spelling { TOPOLOGICAL, SHUFFLED }

    /** What values are called. */
    enum Names implements Spelling { MODULE_PATHS, NUMBERS }

    /** Where weights are. */
    enum Weights implements Spelling { INITIALIZERS, CONSTANT_NODES, IDENTITIES, INPUTS_TOO, FLOAT_DATA }

    /** What computes nothing: dropout, casts to the same type, unused nodes and weights with declared values. */
    enum Clutter implements Spelling { NONE, DROPOUTS, CASTS, LEFTOVERS }

    static ExporterVariant of(String name, Trait... traits) {
        return new ExporterVariant(name, List.of(traits));
    }

    /** The variant's value of an axis. */
    <T extends Enum<T> & Trait> T get(Class<T> axis) {
        return traits.stream().filter(axis::isInstance).map(axis::cast).findFirst().orElse(axis.getEnumConstants()[0]);
    }

    boolean is(Trait trait) {
        return traits.contains(trait)
                || ((Enum<?>) trait).ordinal() == 0 && traits.stream().noneMatch(t -> t.getClass() == trait.getClass());
    }

    long opset() {
        return Long.parseLong(get(Opset.class).name().substring(1));
    }

    /** The same network, written as the first constants of all axes say. */
    ExporterVariant plain() {
        return new ExporterVariant(name + ", plain", traits.stream().filter(Trait::isArchitecture).toList());
    }

    /** All axes. */
    static List<Class<? extends Trait>> axes() {
        return List.of(Size.class, Depth.class, Hidden.class, HeadWidth.class, Activation.class, NormPlace.class,
                FinalNorm.class, LayerScale.class, Biases.class, Stem.class, Pool.class, Head.class,
                QueryKeyNorm.class, Positions.class, Registers.class, Outputs.class, Opset.class, Attention.class,
                Qkv.class, Cut.class, Scale.class, Keys.class, Linear.class, BiasSide.class, ActivationForm.class,
                NormForm.class, Exponents.class, PoolForm.class, HeadForm.class, Batch.class, Order.class, Names.class,
                Weights.class, Clutter.class);
    }

    /** All traits of all axes. */
    static List<Trait> allTraits() {
        List<Trait> all = new ArrayList<>();
        axes().forEach(axis -> all.addAll(Arrays.asList(axis.getEnumConstants())));
        return all;
    }

    @Override
    public String toString() {
        return name;
    }
}
