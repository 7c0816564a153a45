package io.emtal.onnx.backbone;

import io.emtal.onnx.backbone.ExporterVariant.Activation;
import io.emtal.onnx.backbone.ExporterVariant.ActivationForm;
import io.emtal.onnx.backbone.ExporterVariant.Attention;
import io.emtal.onnx.backbone.ExporterVariant.Batch;
import io.emtal.onnx.backbone.ExporterVariant.BiasSide;
import io.emtal.onnx.backbone.ExporterVariant.Biases;
import io.emtal.onnx.backbone.ExporterVariant.Cut;
import io.emtal.onnx.backbone.ExporterVariant.Clutter;
import io.emtal.onnx.backbone.ExporterVariant.Depth;
import io.emtal.onnx.backbone.ExporterVariant.Exponents;
import io.emtal.onnx.backbone.ExporterVariant.FinalNorm;
import io.emtal.onnx.backbone.ExporterVariant.Head;
import io.emtal.onnx.backbone.ExporterVariant.HeadForm;
import io.emtal.onnx.backbone.ExporterVariant.HeadWidth;
import io.emtal.onnx.backbone.ExporterVariant.Hidden;
import io.emtal.onnx.backbone.ExporterVariant.Keys;
import io.emtal.onnx.backbone.ExporterVariant.LayerScale;
import io.emtal.onnx.backbone.ExporterVariant.Linear;
import io.emtal.onnx.backbone.ExporterVariant.Names;
import io.emtal.onnx.backbone.ExporterVariant.NormForm;
import io.emtal.onnx.backbone.ExporterVariant.NormPlace;
import io.emtal.onnx.backbone.ExporterVariant.Opset;
import io.emtal.onnx.backbone.ExporterVariant.Order;
import io.emtal.onnx.backbone.ExporterVariant.Outputs;
import io.emtal.onnx.backbone.ExporterVariant.Pool;
import io.emtal.onnx.backbone.ExporterVariant.PoolForm;
import io.emtal.onnx.backbone.ExporterVariant.Positions;
import io.emtal.onnx.backbone.ExporterVariant.Qkv;
import io.emtal.onnx.backbone.ExporterVariant.QueryKeyNorm;
import io.emtal.onnx.backbone.ExporterVariant.Registers;
import io.emtal.onnx.backbone.ExporterVariant.Scale;
import io.emtal.onnx.backbone.ExporterVariant.Size;
import io.emtal.onnx.backbone.ExporterVariant.Stem;
import io.emtal.onnx.backbone.ExporterVariant.Weights;

import java.util.List;

/** The variants that importers are tested with: each value of each axis at least once, in likely company. */
final class ExporterVariants {

    static final List<ExporterVariant> ALL = List.of(
            ExporterVariant.of("all defaults"),
            ExporterVariant.of("timm, opset 17", Opset.V17, Cut.UNBIND, Scale.SDPA, Size.LARGER, Depth.THREE,
                    Hidden.FOUR_TIMES),
            ExporterVariant.of("timm, opset 11, numbered", Opset.V11, Cut.GATHER, NormForm.DECOMPOSED, Names.NUMBERS),
            ExporterVariant.of("timm, opset 13, multiplied queries", Opset.V13, Cut.UNBIND, Scale.MUL_QUERY,
                    NormForm.DECOMPOSED, BiasSide.RIGHT, Hidden.FOUR_TIMES),
            ExporterVariant.of("DeiT with distillation", Opset.V13, Cut.GATHER, NormForm.DECOMPOSED,
                    Pool.CLASS_AND_DISTILLATION_TOKEN, Size.LARGER),
            ExporterVariant.of("DeiT with distillation, slices", Opset.V17, Qkv.SEPARATE,
                    Pool.CLASS_AND_DISTILLATION_TOKEN, PoolForm.SLICE_OR_GLOBAL_POOL, HeadForm.MATMUL),
            ExporterVariant.of("Hugging Face, opset 14", Opset.V14, Qkv.SEPARATE, Keys.TWICE, Scale.DIV_SCORES,
                    NormForm.DECOMPOSED, Depth.THREE),
            ExporterVariant.of("Hugging Face, opset 12, numbered and shuffled", Opset.V12, Qkv.SEPARATE, Keys.TWICE,
                    Scale.DIV_SCORES, NormForm.DECOMPOSED, Names.NUMBERS, Order.SHUFFLED),
            ExporterVariant.of("Hugging Face, features", Opset.V17, Qkv.SEPARATE, Keys.TWICE, Scale.SDPA, Pool.TOKENS,
                    Size.LARGER),
            ExporterVariant.of("DINOv2", Opset.V18, LayerScale.PRESENT, Cut.UNBIND, Scale.SQRT_ON_BOTH, Pool.TOKENS,
                    Depth.THREE),
            ExporterVariant.of("CaiT-like, biases right, head apart", Opset.V14, LayerScale.PRESENT, Qkv.SEPARATE,
                    NormForm.DECOMPOSED, BiasSide.RIGHT, Batch.ZEROS, HeadForm.MATMUL),
            ExporterVariant.of("torchvision, tokens first", Opset.V17, Attention.SEQUENCE_FIRST, Scale.MUL_QUERY,
                    PoolForm.SLICE_OR_GLOBAL_POOL),
            ExporterVariant.of("MAE, mean of patches", Opset.V18, Pool.MEAN_OF_PATCHES, FinalNorm.AFTER_POOLING,
                    Cut.UNBIND, Scale.SDPA, Batch.ZEROS),
            ExporterVariant.of("global pool, opset 20", Opset.V20, Pool.MEAN, PoolForm.SLICE_OR_GLOBAL_POOL,
                    ActivationForm.OPERATOR, Scale.SQRT_ON_BOTH, Size.LARGER),
            ExporterVariant.of("tanh GELU, opset 20", Opset.V20, Activation.GELU_TANH, ActivationForm.OPERATOR,
                    Pool.MEAN_OF_PATCHES, PoolForm.SLICE_OR_GLOBAL_POOL),
            ExporterVariant.of("SigLIP-like, spelt-out tanh GELU", Opset.V14, Activation.GELU_TANH, Qkv.SEPARATE,
                    Pool.TOKENS_WITHOUT_CLASS, NormForm.DECOMPOSED, Exponents.INTEGER),
            ExporterVariant.of("CLIP-like, quick GELU", Opset.V14, Activation.QUICK_GELU, Qkv.SEPARATE,
                    Scale.MUL_QUERY, FinalNorm.AFTER_POOLING, Head.NONE, Keys.TWICE, NormForm.DECOMPOSED),
            ExporterVariant.of("optimised: attention, sums in norms", Opset.V17, Attention.CONTRIB_ATTENTION,
                    NormForm.WITH_SUM, ActivationForm.CONTRIB_WITH_BIAS, BiasSide.RIGHT),
            ExporterVariant.of("optimised: multi-head attention, quick GELU", Opset.V17, Attention.CONTRIB_MULTI_HEAD,
                    NormForm.WITH_SUM, Activation.QUICK_GELU, ActivationForm.CONTRIB, FinalNorm.AFTER_POOLING),
            ExporterVariant.of("optimised: after the sums, tanh GELU", Opset.V14, Attention.CONTRIB_MULTI_HEAD,
                    NormForm.WITH_SUM, NormPlace.AFTER, Activation.GELU_TANH, ActivationForm.CONTRIB_WITH_BIAS,
                    Pool.MEAN),
            ExporterVariant.of("optimised: attention, wide heads", Opset.V13, Attention.CONTRIB_ATTENTION,
                    HeadWidth.WIDER, Activation.RELU, Pool.MEAN),
            ExporterVariant.of("optimised: attention without its biases", Opset.V13, Attention.CONTRIB_MULTI_HEAD,
                    Biases.ALL_BUT_QKV, ActivationForm.CONTRIB, Names.NUMBERS, Order.SHUFFLED, HeadWidth.WIDER),
            ExporterVariant.of("compact transformer, static", Opset.V12, Stem.CONVOLUTION_AND_POOL,
                    ActivationForm.CONTRIB, Batch.STATIC, Pool.MEAN, Order.SHUFFLED),
            ExporterVariant.of("early convolutions", Opset.V17, Stem.CONVOLUTIONS, Scale.MUL_QUERY, Batch.ZEROS),
            ExporterVariant.of("hard swish in the stem, opset 21", Opset.V21, Stem.HARD_SWISH, Pool.MEAN,
                    FinalNorm.NONE, Activation.RELU),
            ExporterVariant.of("channels last, filled class token", Opset.V13, Stem.CHANNELS_LAST, Batch.FILLED,
                    Linear.TRANSPOSED_MATMUL, BiasSide.RIGHT, NormForm.DECOMPOSED, Size.LARGER),
            ExporterVariant.of("wide heads, patches in a linear layer", Opset.V12, Stem.LINEAR_PATCHES,
                    Biases.ALL_BUT_QKV, HeadWidth.WIDER, Cut.SLICE, NormForm.DECOMPOSED, FinalNorm.AFTER_POOLING,
                    Activation.RELU, Names.NUMBERS),
            ExporterVariant.of("Gemm on rows", Opset.V17, Linear.GEMM, Batch.ZEROS, Qkv.SEPARATE),
            ExporterVariant.of("Gemm on rows, transposed, static", Opset.V11, Linear.GEMM_TRANSPOSED, Batch.STATIC,
                    NormForm.DECOMPOSED, Cut.GATHER),
            ExporterVariant.of("Gemm on rows, shapes computed", Opset.V18, Linear.GEMM_TRANSPOSED, Cut.SLICE,
                    LayerScale.PRESENT, Size.LARGER),
            ExporterVariant.of("nn.TransformerEncoder", Opset.V17, Attention.SEQUENCE_FIRST, Qkv.SEPARATE,
                    NormPlace.AFTER,
                    Activation.RELU, Scale.DIV_SCORES, Pool.MEAN),
            ExporterVariant.of("nn.TransformerEncoder, tokens first", Opset.V17, Attention.ENCODER_SEQUENCE_FIRST,
                    NormPlace.AFTER, Scale.DIV_SCORES, Pool.TOKENS),
            ExporterVariant.of("norms after the sums", Opset.V14, NormPlace.AFTER, NormForm.DECOMPOSED, Qkv.SEPARATE,
                    Batch.FILLED),
            ExporterVariant.of("SiLU, four times as wide", Opset.V17, Activation.SILU, Hidden.FOUR_TIMES,
                    Depth.THREE, Size.LARGER),
            ExporterVariant.of("all widths equal", Opset.V17, Hidden.EQUAL, Qkv.SEPARATE, Scale.SDPA,
                    Linear.TRANSPOSED_MATMUL),
            ExporterVariant.of("weights in Constant nodes", Opset.V18, Weights.CONSTANT_NODES, Cut.SLICE,
                    Order.SHUFFLED),
            ExporterVariant.of("weights behind Identity", Opset.V17, Weights.IDENTITIES, Qkv.SEPARATE,
                    Scale.DIV_SCORES),
            ExporterVariant.of("weights among the inputs", Opset.V11, Weights.INPUTS_TOO, NormForm.DECOMPOSED,
                    Clutter.DROPOUTS, Cut.GATHER),
            ExporterVariant.of("weights not raw, dropouts", Opset.V14, Weights.FLOAT_DATA, Qkv.SEPARATE,
                    Clutter.DROPOUTS, NormForm.DECOMPOSED, Batch.FILLED),
            ExporterVariant.of("Hugging Face, casts, pooler", Opset.V18, Qkv.SEPARATE, Clutter.CASTS, Pool.TOKENS,
                    Outputs.PROJECTION_TOO, Keys.TWICE),
            ExporterVariant.of("leftovers and probabilities", Opset.V17, Clutter.LEFTOVERS, Head.SOFTMAX, Cut.SPLIT,
                    HeadForm.MATMUL),
            ExporterVariant.of("DINOv2 with registers", Opset.V17, Registers.PRESENT, LayerScale.PRESENT, Cut.UNBIND,
                    Scale.SDPA, Pool.MEAN_OF_PATCHES),
            ExporterVariant.of("registers, static", Opset.V13, Registers.PRESENT, Batch.STATIC, Pool.TOKENS),
            ExporterVariant.of("norms of queries and keys", Opset.V17, QueryKeyNorm.PRESENT, Cut.UNBIND,
                    Scale.MUL_QUERY),
            ExporterVariant.of("BEiT, positions in the scores", Opset.V17, Positions.OF_SCORES, LayerScale.PRESENT,
                    Scale.MUL_QUERY, Pool.MEAN_OF_PATCHES, FinalNorm.AFTER_POOLING),
            ExporterVariant.of("no biases", Opset.V17, Biases.NONE, Activation.SILU, Head.NONE),
            ExporterVariant.of("static, shuffled, numbered, opset 21", Opset.V21, Batch.STATIC, Order.SHUFFLED,
                    Names.NUMBERS, Cut.UNBIND, Scale.SDPA, ActivationForm.OPERATOR, Size.LARGER));

    private ExporterVariants() {
    }
}
