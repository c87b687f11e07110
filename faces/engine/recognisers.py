"""The two recognisers of the default engines, on OpenVINO."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from .alignment import ARCFACE_SIDE, ARCFACE_TEMPLATE, crop, to_box, to_template
from .base import Detection, Embeddings, EngineError, RGBArray, unit_rows
from .network import Network, takes_pictures
from .weights import FACENET, SFACE, folded

if TYPE_CHECKING:
    import openvino

FACENET_SIDE: Final = 160
FACENET_MARGIN: Final = 0.2
"""Of 0, 0.1, 0.2, 0.3, 0.4 the one with the highest TAR on LFW, levelled by the eyes: 0.557 at FAR 1e-5 (0.1: 0.522;
a square crop: 0.479; ArcFace's template: 0.425)."""

FACENET_DIMENSION: Final = 512

SFACE_SCALE: Final = 0.96
"""Of ArcFace's template; a little more of the hair and the chin. LFW, TAR at FAR 1e-4 and 1e-5: 0.972 and 0.939; with
1.00 0.966 and 0.935, with 0.92 0.971 and 0.935, with 1.04 0.960 and 0.924. RBNR tells no difference."""


class FaceNet:
    """FaceNet: Inception-ResNet-v1, 20180408-102900 (MIT; github.com/davidsandberg/facenet)."""

    dimension = FACENET_DIMENSION

    def __init__(self) -> None:
        self._network = Network(takes_pictures(facenet_model(), layout="NHWC", mean=127.5, scale=128))

    def cut(self, image: RGBArray, face: Detection) -> RGBArray:
        """Return the face as the network wants to see it, (160, 160, 3)."""
        return crop(image, to_box(face, FACENET_MARGIN, FACENET_SIDE), FACENET_SIDE)

    def describe(self, crops: Sequence[RGBArray]) -> Embeddings:
        """Return (n, 512) unit rows for at least one crop."""
        return unit_rows(self._network(np.stack(crops))[0])


class SFace:
    """SFace (Apache-2.0; Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss")."""

    dimension = 128

    def __init__(self) -> None:
        import openvino

        model = openvino.Core().read_model(folded(SFACE))
        model.reshape([-1, 3, ARCFACE_SIDE, ARCFACE_SIDE])
        self._network = Network(takes_pictures(model))

    def cut(self, image: RGBArray, face: Detection) -> RGBArray:
        """Return the face as the network wants to see it, (112, 112, 3).

        Raises EngineError (permanent) unless all five landmarks are known.
        """
        if len(face.landmarks) != len(ARCFACE_TEMPLATE):
            raise EngineError("SFace needs five landmarks of a face.", permanent=True)
        return crop(image, to_template(face.landmarks, SFACE_SCALE), ARCFACE_SIDE)

    def describe(self, crops: Sequence[RGBArray]) -> Embeddings:
        """Return (n, 128) unit rows for at least one crop."""
        return unit_rows(self._network(np.stack(crops))[0])


def facenet_model() -> "openvino.Model":
    """Return the network for any number of faces: (n, 160, 160, 3), RGB, (x - 127.5) / 128 -> (n, 512).

    Two reshapes in the frozen graph hold a batch of one.
    """
    import openvino
    from openvino import opset13

    model = openvino.Core().read_model(FACENET.path())
    for node in model.get_ordered_ops():
        shape = node.output(0).get_partial_shape()
        if node.get_type_name() == "Reshape" and len(shape) == 2:
            any_number = opset13.constant(np.array([-1, shape[1].get_length()]))
            node.input(1).replace_source_output(any_number.output(0))
    model.reshape([-1, FACENET_SIDE, FACENET_SIDE, 3])
    return model
