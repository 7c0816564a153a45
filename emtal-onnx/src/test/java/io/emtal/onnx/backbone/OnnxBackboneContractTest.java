package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl.ModelProto;

/** The importer of ONNX files. */
class OnnxBackboneContractTest extends BackboneImporterContract {

    @Override
    Backbone read(ModelProto model) {
        return OnnxBackbone.read(model);
    }
}
