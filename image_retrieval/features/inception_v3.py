"""InceptionV3 with its ImageNet weights, as Keras Applications has it.

Source: C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna: Rethinking the Inception
Architecture for Computer Vision, CVPR 2016 (https://arxiv.org/abs/1512.00567);
https://keras.io/api/applications/inceptionv3/
"""

import os
import threading
import warnings
from pathlib import Path

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.features.backbone import Backbone

D = 2048
VARIABLE = "IMAGE_RETRIEVAL_INCEPTION_V3"
FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/{FILE}"
# Keras's own check of the download, in keras/src/applications/inception_v3.py.
MD5 = "bcbd6486424b2319ff4ef7d526e38f63"
_NONE = "none"
# What Keras 2 and 3 raise on files that are no weights, or another network's.
_UNFIT = (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError)
_OTHERWISE = "backbone 'efficientnet_lite0' works now"


def load(pooling="avg", weights=None, cache=None):
    """Return the network, see `Backbone.load`.

    Parameters
    ----------
    pooling : {"avg", None}
    weights : str or Path, optional
        Keras's file of weights without the classifier, or one like it; else the file that
        `IMAGE_RETRIEVAL_INCEPTION_V3` names, the one in Keras's own cache, or a download
        into that cache.
    cache : ignored
        Nothing is derived from the weights.

    Warns
    -----
    UserWarning
        When the file is not the one that Keras publishes.

    Raises
    ------
    InputError
        When TensorFlow is not installed, or the file does not fit.
    DownloadError
        When there is no file and it cannot be downloaded.
    """
    path = weights_file(weights)
    _warn_of_other_hash(path)
    return _KerasNetwork(_with_weights(_architecture(pooling), path))


def weights_file(path=None):
    """Return the file of weights that `load` uses, downloaded if need be."""
    return find_weights(path) or _download()


def find_weights(weights=None):
    """Return the file of weights, or None where there is none on this machine.

    Raises
    ------
    InputError
        When a file was named and is not there.
    """
    named = weights or _from_environment()
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            source = "weights" if weights else VARIABLE
            raise InputError(
                f"{source}={str(named)!r} is no file of weights; get it from {URL}, or leave it "
                f"out: {_OTHERWISE}"
            )
        return path
    return keras_file() if keras_file().is_file() else None


def has_weights():
    """Tell whether this backbone can be used without a download.

    What uses it by itself where it can asks here. `IMAGE_RETRIEVAL_INCEPTION_V3=none` keeps
    it from being used by itself.
    """
    return os.environ.get(VARIABLE) != _NONE and find_weights() is not None


def keras_file():
    """Return where Keras keeps the file that it downloads."""
    home = os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser()
    return Path(home) / "models" / FILE


def _from_environment():
    named = os.environ.get(VARIABLE)
    return None if named == _NONE else named


def _download():
    from image_retrieval.download import download

    way_out = (
        f"download it elsewhere and put it at {keras_file()}, or name it with --weights or "
        f"{VARIABLE}; {_OTHERWISE}"
    )
    return download(URL, keras_file(), MD5, way_out)


def _warn_of_other_hash(path):
    import pooch

    found = pooch.file_hash(str(path), "md5")
    if found != MD5:
        warnings.warn(
            f"{path} has MD5 {found} where Keras publishes {MD5}: its features will differ from "
            "those of InceptionV3 trained on ImageNet",
            stacklevel=3,
        )


def _architecture(pooling):
    # TensorFlow's reports of the processor's abilities tell a user nothing to act on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        from tensorflow import keras
    except ImportError:
        raise InputError(
            f"backbone 'inception_v3' needs TensorFlow: pip install tensorflow; {_OTHERWISE}"
        ) from None
    return keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(None, None, 3), pooling=pooling
    )


def _with_weights(model, path):
    try:
        with warnings.catch_warnings():
            # Keras 3 only warns about layers that it finds no weights for, and leaves them random.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(str(path))
    except (*_UNFIT, UserWarning) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: not InceptionV3's weights without the classifier ({reason}); "
            f"get them from {URL}"
        ) from None
    return model


class _KerasNetwork:
    """A Keras model that takes uint8 pixels, callable from several threads.

    One call runs at a time: TensorFlow uses all cores for it, and the other threads
    meanwhile read and resize the next pictures.
    """

    def __init__(self, model):
        self._model = model
        self._lock = threading.Lock()

    def __call__(self, pixels):
        x = pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)
        with self._lock:
            return np.asarray(self._model.predict_on_batch(x), dtype=np.float32)


BACKBONE = Backbone(
    name="inception_v3",
    d=D,
    size=299,
    min_size=75,
    normalization="x / 127.5 - 1",
    load=load,
    weights_file=weights_file,
)
