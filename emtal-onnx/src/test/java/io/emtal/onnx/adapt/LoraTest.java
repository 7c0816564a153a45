package io.emtal.onnx.adapt;

class LoraTest extends AdaptationMethodContract {

    @Override
    AdaptationMethod method() {
        return Lora.builder().rank(3).alpha(6).build();
    }
}
