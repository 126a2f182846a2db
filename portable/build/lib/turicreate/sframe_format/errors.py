"""The one error of the SFrame format."""


class SFrameFormatError(OSError):
    """A damaged, cut short, hostile or unsupported SFrame; the message is one line.

    It is an `OSError`, as what Turi Create itself raises when it cannot read an SFrame.
    """
