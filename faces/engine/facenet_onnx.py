"""FaceNet as an ONNX model, for DeepFace on ONNX Runtime: OpenVINO reads the frozen graph, which is copied op by op."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from onnx import NodeProto, TensorProto, checker, helper, numpy_helper

from .recognisers import FACENET_DIMENSION, FACENET_SIDE, facenet_model

if TYPE_CHECKING:
    import openvino

INPUT, OUTPUT = "pictures", "embeddings"
OPSET, IR_VERSION = 12, 8  # the last opset in which ReduceSum has its axes as an attribute

_NAMES: Final = {
    "Add": "Add",
    "AvgPool": "AveragePool",
    "Concat": "Concat",
    "Convolution": "Conv",
    "Divide": "Div",
    "MatMul": "MatMul",
    "MaxPool": "MaxPool",
    "Maximum": "Max",
    "Multiply": "Mul",
    "Power": "Pow",
    "ReduceSum": "ReduceSum",
    "Relu": "Relu",
    "Reshape": "Reshape",
    "Subtract": "Sub",
    "Transpose": "Transpose",
}
"""OpenVINO's name of an operation and ONNX's."""


def facenet_onnx() -> bytes:
    """Return the model: "pictures" (n, 160, 160, 3), RGB, (x - 127.5) / 128 -> "embeddings" (n, 512), unit rows.

    Raises EngineError (permanent) where the weights are missing.
    """
    operations = facenet_model().get_ordered_ops()
    nodes = [_converted(node) for node in operations if _is_computed(node)]
    nodes.append(helper.make_node("Identity", [_name(operations[-1].input_value(0))], [OUTPUT]))
    used = {name for node in nodes for name in node.input}
    constants = [tensor for node in operations for tensor in _tensors(node) if tensor.name in used]
    graph = helper.make_graph(
        nodes,
        "facenet",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", FACENET_SIDE, FACENET_SIDE, 3])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", FACENET_DIMENSION])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    checker.check_model(model)
    return bytes(model.SerializeToString())


def _is_computed(node: "openvino.Node") -> bool:
    """Say whether the node computes pixels; those that compute shapes give way to constants."""
    is_end = node.get_type_name() in {"Constant", "Parameter", "Result"}
    return not is_end and bool(node.output(0).get_element_type().is_real())


def _converted(node: "openvino.Node") -> NodeProto:
    kind = node.get_type_name()
    inputs = [_name(node.input_value(place)) for place in range(node.get_input_size())]
    if kind in {"Transpose", "ReduceSum"}:
        inputs = inputs[:1]  # the second is an attribute in ONNX
    if kind == "Reshape":
        inputs[1] = _shape_name(node)
    return helper.make_node(_NAMES[kind], inputs, [_name(node.output(0))], **_attributes(node))


def _attributes(node: "openvino.Node") -> dict[str, Any]:
    given = node.get_attributes()
    match node.get_type_name():
        case "Convolution":
            return {"dilations": given["dilations"], **_window(given)}
        case "AvgPool" | "MaxPool":
            return {"kernel_shape": given["kernel"], **_window(given)}
        case "Concat":
            return {"axis": given["axis"]}
        case "Transpose":
            return {"perm": _constant(node, 1)}
        case "ReduceSum":
            return {"axes": _constant(node, 1), "keepdims": 1}
    return {}


def _window(given: dict[str, Any]) -> dict[str, Any]:
    return {"strides": given["strides"], "pads": [*given["pads_begin"], *given["pads_end"]]}


def _constant(node: "openvino.Node", place: int) -> list[int]:
    return [int(number) for number in np.ravel(node.input_value(place).get_node().data)]


def _tensors(node: "openvino.Node") -> list[TensorProto]:
    """Return the constant that a node is, or the shape that a reshape is to make, for any number of faces."""
    match node.get_type_name():
        case "Constant":
            return [numpy_helper.from_array(np.array(node.data), _name(node.output(0)))]
        case "Reshape":
            lengths = list(node.output(0).get_partial_shape())[1:]
            shape = np.array([-1, *(length.get_length() for length in lengths)], np.int64)
            return [numpy_helper.from_array(shape, _shape_name(node))]
    return []


def _shape_name(node: "openvino.Node") -> str:
    return f"{node.get_name()}/shape"


def _name(output: "openvino.Output") -> str:
    node = output.get_node()
    return INPUT if node.get_type_name() == "Parameter" else f"{node.get_name()}:{output.get_index()}"
