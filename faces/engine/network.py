"""One network on OpenVINO, ready to be called from any thread.

With GRABPIC_ENGINE_THREADS set, a process computes on that many threads: OpenVINO and OpenCV are told so, and neither
is bound to a core, else all processes of a machine would share the first one. What is left to NumPy are matrices too
small for more than one thread.
"""

import ctypes
import os
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .base import EngineError

if TYPE_CHECKING:
    import openvino

THREADS_VARIABLE = "GRABPIC_ENGINE_THREADS"
"""How many processor threads a process may use; 0 or unset leaves it to OpenVINO (all cores)."""

PLANS: Final = 400
"""Layers whose plan OpenVINO keeps for the next input of the same shape. Its own 5000 grew a process by 900 MB over 500
sizes of pictures; 400 hold four, as many as an event's photos have. Planning again takes a few milliseconds."""

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]


class Network:
    """A compiled network; its calls may overlap, since each takes an inference request of its own.

    `CompiledModel.__call__` would not do: it shares one request between all threads.
    """

    def __init__(self, model: "openvino.Model") -> None:
        import openvino

        properties = _properties()
        try:
            self._compiled = openvino.Core().compile_model(model, "CPU", properties)
        except RuntimeError as error:
            raise EngineError(f"OpenVINO cannot compile a network: {error}", permanent=True) from error
        self._idle: list[openvino.InferRequest] = []

    def __call__(self, batch: UInt8) -> list[Float32]:
        """Return a copy of each output; the batch must be uint8, else OpenVINO would read it as garbage."""
        if batch.dtype != np.uint8:
            raise TypeError(f"a network takes uint8, not {batch.dtype}")
        request = self._request()
        try:
            request.infer({0: np.ascontiguousarray(batch)})
            return [output.data.copy() for output in request.output_tensors]
        except RuntimeError as error:
            raise EngineError(f"OpenVINO could not run a network: {error}", permanent=False) from error
        finally:
            self._idle.append(request)

    def _request(self) -> "openvino.InferRequest":
        try:
            return self._idle.pop()  # asking first whether there is one would let another thread take it
        except IndexError:
            return self._compiled.create_infer_request()


def takes_pictures(
    model: "openvino.Model", *, layout: str = "NCHW", bgr: bool = False, mean: float = 0, scale: float = 1
) -> "openvino.Model":
    """Return the model for pictures as they are: (n, height, width, 3) uint8, RGB.

    `layout`, `bgr`, `mean` and `scale` say what it was trained on: (x - mean) / scale. OpenVINO takes 5 ms
    less than NumPy for a picture of 1280 pixels.
    """
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    steps = PrePostProcessor(model)
    picture = steps.input()
    picture.tensor().set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(ColorFormat.RGB)
    picture.model().set_layout(Layout(layout))
    picture.preprocess().convert_element_type(Type.f32)
    if bgr:
        picture.preprocess().convert_color(ColorFormat.BGR)
    if scale != 1:
        picture.preprocess().mean(mean).scale(scale)
    return steps.build()


def give_back_memory() -> None:
    """Return to the system what building networks left free: 150 MB, which glibc would keep."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def _properties() -> dict[str, Any]:
    """Return OpenVINO's settings; its own choice of bfloat16, where the processor has it, halves the time."""
    properties: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
        "CPU_RUNTIME_CACHE_CAPACITY": PLANS,
    }
    if threads := _threads():
        properties["INFERENCE_NUM_THREADS"] = threads
        cv2.setNumThreads(threads)
    return properties


def _threads() -> int:
    threads = os.environ.get(THREADS_VARIABLE) or "0"
    if not threads.isdecimal():
        raise EngineError(f"{THREADS_VARIABLE} is {threads!r}; it must be a number.", permanent=True)
    return int(threads)
