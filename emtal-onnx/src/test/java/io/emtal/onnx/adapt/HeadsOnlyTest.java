package io.emtal.onnx.adapt;

class HeadsOnlyTest extends AdaptationMethodContract {

    @Override
    AdaptationMethod method() {
        return new HeadsOnly();
    }
}
