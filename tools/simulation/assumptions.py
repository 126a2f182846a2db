"""What the model assumes: one place, each value with where it comes from."""

from dataclasses import dataclass, field, fields, replace

_HOUR = 3600


def _field(value, unit, source):
    return field(default=value, metadata={"unit": unit, "source": source})


@dataclass(frozen=True)
class Assumptions:
    """The machines, and what they do in a second."""

    d: int = _field(1280, "numbers a vector", "EfficientNet-Lite2")
    picture: float = _field(100e3, "bytes a picture", "assumed: a photograph of 0.3 megapixels")
    extracted: float = _field(
        97.0, "pictures a second and core", "docs/backbones.md, photographs at 160 px"
    )
    inserted: float = _field(
        1300.0, "vectors a second and shard", "assumed: the lower end for FLAT"
    )
    batch: int = _field(1000, "vectors a message", "the Milvus engine")
    message: float = _field(0.01, "seconds a message, besides its vectors", "assumed")
    scanned: float = _field(3.9e6, "vectors a second and machine", "assumed: 20 GB/s of memory")
    merged: float = _field(0.0005, "seconds to merge the answer of a shard", "assumed")
    memory: float = _field(48e9, "bytes a machine has for vectors", "assumed: 3/4 of 64 GB")
    part: int = _field(256, "pictures a part", "image_retrieval.cluster")
    lifetime: float = _field(200 * _HOUR, "seconds until a worker dies, on average", "assumed")
    restart: float = _field(60.0, "seconds until it is there again", "assumed")

    def table(self):
        """Return all of it as Markdown."""
        lines = ["| what | value | | from |", "| --- | ---: | --- | --- |"]
        for each in fields(self):
            value = f"{getattr(self, each.name):,g}"
            lines.append(
                f"| {each.name} | {value} | {each.metadata['unit']} | {each.metadata['source']} |"
            )
        return "\n".join(lines)

    def changed(self, **values):
        """Return the same with other values."""
        return replace(self, **values)
