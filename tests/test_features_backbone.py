import numpy as np
import pytest

from image_retrieval.errors import InputError
from image_retrieval.features import backbones, extract, extract_map, get_backbone


def test_every_backbone_states_what_it_takes_and_gives():
    assert backbones()[0] == "efficientnet_lite2"
    for name in backbones():
        backbone = get_backbone(name)
        assert backbone.name == name
        assert backbone.d >= 1
        assert 1 <= backbone.min_size <= backbone.size
        assert "x" in backbone.normalization


def test_an_unknown_backbone_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"'resnet'.*efficientnet_lite0"):
        extract([], "resnet")


def test_a_new_backbone_is_a_module_and_a_line(monkeypatch):
    import sys
    import types

    from image_retrieval.features import backbone as registry

    seen = []

    def load(pooling="avg", weights=None):
        def network(pixels):
            seen.append((pixels.shape, pixels.dtype.str))
            x = pixels.astype(np.float32)
            return x.mean(axis=(1, 2)) if pooling == "avg" else x

        return network

    module = types.ModuleType("tiny_backbone")
    module.BACKBONE = registry.Backbone("tiny", 3, 4, 2, "x", load)
    monkeypatch.setitem(sys.modules, "tiny_backbone", module)
    monkeypatch.setitem(registry._BACKBONES, "tiny", ("tiny_backbone", "BACKBONE"))

    picture = np.full((6, 8, 3), 9, np.uint8)
    assert extract(picture, extraction="tiny").tolist() == [[9, 9, 9]]
    assert seen == [((1, 4, 4, 3), "|u1")]
    assert extract(picture, extraction="tiny", pooling=None).shape == (1, 48)
    assert extract_map(picture, extraction="tiny", size=2).shape == (1, 2, 2, 3)
