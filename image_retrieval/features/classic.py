"""Descriptors from before deep features: color, texture, gradients and dense local patches.

Each gives a map (n, h, w, d): what every part of a picture looks like. Pooled, it says what the
picture holds and not where; not pooled, also where. Only color histograms are pooled unless
asked otherwise. For the map of `daisy` there is `image_retrieval.postprocess.bag_of_visual_words`.

Small pictures are enlarged before texture and gradients are read, which finds more on CIFAR-10
and on the sample.

Sources: color histograms, M. Swain and D. Ballard: Color indexing, IJCV 1991. Local binary
patterns, T. Ojala, M. Pietikäinen, T. Mäenpää: Multiresolution gray-scale and rotation
invariant texture classification with local binary patterns, PAMI 2002; on a grid, T. Ahonen,
A. Hadid, M. Pietikäinen, PAMI 2006. HOG, N. Dalal and B. Triggs: Histograms of oriented
gradients for human detection, CVPR 2005. DAISY, E. Tola, V. Lepetit, P. Fua: DAISY, an efficient
dense descriptor applied to wide-baseline stereo, PAMI 2010. All of them by scikit-image, which
is imported when one of them runs.
"""

import numpy as np

from image_retrieval.features.backbone import Backbone

# Histograms are of the parts of a picture, in as many rows and columns.
GRID = 4
_BITS = 8  # neighbors of a pixel in a local binary pattern
_PATTERNS = _BITS * (_BITS - 1) + 3
_HOG = {"orientations": 9, "pixels_per_cell": (8, 8), "cells_per_block": (2, 2)}
_DAISY = {"step": 3, "radius": 4, "rings": 2, "histograms": 6, "orientations": 8}


def _backbone(name, describe, d, size, formula, min_size, pooling=None):
    def load(pooling=None, weights=None):
        return (lambda pixels: describe(pixels).mean(axis=(1, 2))) if pooling else describe

    return Backbone(name, d, size, min_size, formula, load, pooling=pooling)


def _colors(name, space, low, high, bins):
    """Return a backbone that counts the colors of each part, in `bins` of three channels."""

    def describe(pixels):
        from skimage import color

        values = pixels / 255 if space == "rgb" else getattr(color, f"rgb2{space}")(pixels)
        places = ((values - low) / np.subtract(high, low) * bins).astype(int)
        places = np.moveaxis(np.clip(places, 0, np.subtract(bins, 1)), -1, 0)
        return _histograms(np.ravel_multi_index(tuple(places), bins), np.prod(bins))

    formula = f"shares of x in {'×'.join(map(str, bins))} bins of {space}, {GRID}×{GRID} parts"
    return _backbone(name, describe, int(np.prod(bins)), 32, formula, GRID, pooling="avg")


def _patterns(pixels):
    """Count which of the eight pixels around each are lighter, by part."""
    from skimage.feature import local_binary_pattern

    codes = [local_binary_pattern(gray, _BITS, 1, "nri_uniform") for gray in _grays(pixels)]
    return _histograms(np.array(codes, int), _PATTERNS)


def _gradients(pixels):
    from skimage.feature import hog

    blocks = [hog(rgb, **_HOG, feature_vector=False, channel_axis=-1) for rgb in pixels]
    return np.array(blocks, np.float32).reshape(*np.shape(blocks)[:3], -1)


def _patches(pixels):
    from skimage.feature import daisy

    return np.array([daisy(gray, **_DAISY) for gray in _grays(pixels)], np.float32)


def _grays(pixels):
    from skimage.color import rgb2gray

    return np.rint(rgb2gray(pixels) * 255).astype(np.uint8)


def _listed(options):
    return ", ".join(f"{name} {value}" for name, value in options.items())


def _histograms(codes, bins):
    """Return the share of each code in each part of pictures (n, h, h), float32."""
    n, side = codes.shape[:2]
    line = np.arange(side) * GRID // side
    parts = np.arange(n)[:, None, None] * GRID**2 + line[:, None] * GRID + line
    counts = np.bincount((parts * bins + codes).ravel(), minlength=n * GRID**2 * bins)
    counts = counts.reshape(n, GRID, GRID, bins)
    return (counts / counts.sum(axis=-1, keepdims=True)).astype(np.float32)


HSV = _colors("color_histogram", "hsv", (0, 0, 0), (1, 1, 1), (8, 3, 3))
RGB = _colors("color_histogram_rgb", "rgb", (0, 0, 0), (1, 1, 1), (4, 4, 4))
# Odd numbers, so that grays are well inside a bin.
LAB = _colors("color_histogram_lab", "lab", (0, -105, -105), (100, 105, 105), (4, 7, 7))
PATTERNS = _backbone(
    "local_binary_patterns",
    _patterns,
    _PATTERNS,
    64,
    f"patterns of {_BITS} x around x, {GRID}×{GRID} parts",
    GRID,
)
HOG = _backbone("hog", _gradients, 36, 64, f"gradients of x, {_listed(_HOG)}", 16)
DAISY = _backbone("daisy", _patches, 104, 32, f"patches of x, {_listed(_DAISY)}", 9)
