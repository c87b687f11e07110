"""FaceNet out of its package (weights.py) as a model of DeepFace's; DeepFace imports this by name.

So the classic stack, FaceNet behind DeepFace, runs where DeepFace's own weights cannot be fetched. The network is
not DeepFace's "Facenet", which has 128 dimensions, but the 512-d one of the same author.
"""

from functools import partial
from typing import Any, Final

import numpy as np
from deepface.models.FacialRecognition import FacialRecognition
from numpy.typing import NDArray

from .facenet_onnx import INPUT, OUTPUT, facenet_onnx
from .recognisers import FACENET_DIMENSION, FACENET_SIDE
from .weights import FACENET

NAME: Final = "FacenetPackaged"
SOURCES: Final = {
    "tensorflow": f"{__name__}.PackagedFaceNetOnTensorFlow",
    "any": f"{__name__}.PackagedFaceNet",
}
"""For DeepFace's `modeling.AVAILABLE_MODELS`."""


class PackagedFaceNet(FacialRecognition):  # type: ignore[misc]  # DeepFace has no types
    """FaceNet on ONNX Runtime."""

    model_name = NAME
    input_shape = (FACENET_SIDE, FACENET_SIDE)
    output_shape = FACENET_DIMENSION

    def __init__(self) -> None:
        self.model = self._load()

    def forward(self, img: NDArray[np.float32]) -> list[float] | list[list[float]]:
        """Take (n, 160, 160, 3) or (160, 160, 3), BGR, 0 to 1; one face gives a flat list, as DeepFace wants it."""
        pictures = np.asarray(img, np.float32).reshape(-1, FACENET_SIDE, FACENET_SIDE, 3)[..., ::-1]
        scaled = (pictures * np.float32(255) - np.float32(127.5)) / np.float32(128)
        rows: list[list[float]] = self._run(scaled).tolist()
        return rows[0] if len(rows) == 1 else rows

    def _load(self) -> Any:
        import onnxruntime

        session = onnxruntime.InferenceSession(facenet_onnx(), providers=["CPUExecutionProvider"])
        return partial(session.run, [OUTPUT])

    def _run(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(self.model({INPUT: np.ascontiguousarray(pictures, np.float32)})[0])


class PackagedFaceNetOnTensorFlow(PackagedFaceNet):
    """The same frozen graph on TensorFlow, one face at a time: two of its reshapes hold a batch of one."""

    def _load(self) -> Any:
        import tensorflow

        graph = tensorflow.compat.v1.GraphDef()
        graph.ParseFromString(FACENET.read())
        load = partial(tensorflow.import_graph_def, graph, name="")
        function = tensorflow.compat.v1.wrap_function(load, [])
        return function.prune("input:0", "embeddings:0")

    def _run(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        import tensorflow

        rows = [self.model(tensorflow.constant(picture[None], tensorflow.float32)) for picture in pictures]
        return np.vstack([row.numpy() for row in rows])
