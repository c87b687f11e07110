"""One network on OpenVINO, ready to be called from any thread."""

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .base import EngineError

if TYPE_CHECKING:
    import openvino

THREADS_VARIABLE = "GRABPIC_ENGINE_THREADS"
"""How many processor threads a process may use; 0 or unset leaves it to OpenVINO (all cores)."""

Float32 = NDArray[np.float32]


class Network:
    """A compiled network; its calls may overlap, since each takes an inference request of its own.

    `CompiledModel.__call__` would not do: it shares one request between all threads.
    """

    def __init__(self, model: "openvino.Model") -> None:
        import openvino

        try:
            self._compiled = openvino.Core().compile_model(model, "CPU", _properties())
        except RuntimeError as error:
            raise EngineError(f"OpenVINO cannot compile a network: {error}", permanent=True) from error
        self._idle: list[openvino.InferRequest] = []

    def __call__(self, batch: Float32) -> list[Float32]:
        """Return a copy of each output; the batch must be float32, else OpenVINO would read it as garbage."""
        if batch.dtype != np.float32:
            raise TypeError(f"a network takes float32, not {batch.dtype}")
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


def _properties() -> dict[str, Any]:
    """Return OpenVINO's settings; its own choice of bfloat16, where the processor has it, halves the time."""
    threads = os.environ.get(THREADS_VARIABLE) or "0"
    if not threads.isdecimal():
        raise EngineError(f"{THREADS_VARIABLE} is {threads!r}; it must be a number.", permanent=True)
    properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    if int(threads):
        properties["INFERENCE_NUM_THREADS"] = int(threads)
    return properties
