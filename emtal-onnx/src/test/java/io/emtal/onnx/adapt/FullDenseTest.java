package io.emtal.onnx.adapt;

class FullDenseTest extends AdaptationMethodContract {

    @Override
    AdaptationMethod method() {
        return new FullDense();
    }
}
