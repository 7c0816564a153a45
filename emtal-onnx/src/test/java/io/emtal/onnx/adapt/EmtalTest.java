package io.emtal.onnx.adapt;

class EmtalTest extends AdaptationMethodContract {

    @Override
    AdaptationMethod method() {
        return Emtal.builder().experts(4).rank(2).build();
    }
}
