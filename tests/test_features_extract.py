import numpy as np

from image_retrieval.features import extract


def test_features_equal_the_reference_of_real_images(shared_reference):
    reference = np.load(shared_reference / "efficientnet_lite0_features.npz")
    cifar = extract(reference["cifar_uint8_128"], size=128)
    photos = extract(reference["photos_uint8_224"])
    np.testing.assert_allclose(cifar, reference["cifar_features"], atol=1e-4)
    np.testing.assert_allclose(photos, reference["photo_features"], atol=1e-4)
