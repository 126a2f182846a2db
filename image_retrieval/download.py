"""Fetching a published file once, and never taking a broken one for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from image_retrieval.errors import DownloadError, one_line
from image_retrieval.files import exclusive

if TYPE_CHECKING:
    from image_retrieval.signatures import StrPath

# Seconds to connect, and between two pieces of the file.
TIMEOUT = (10, 60)
_CHUNK = 1 << 16
# HTTP's answers to a request for the rest of a file.
_A_PART, _NOTHING_LEFT = 206, 416
_BYTES = {"unit": "B", "unit_scale": True}


def download(url: str, path: StrPath, md5: str, way_out: str, progress: bool = True) -> Path:
    """Return `path`, after downloading it unless it is already there and whole.

    Parameters
    ----------
    url : str
        Address of the file; redirects are followed.
    path : str or Path
        Where to keep it. What is already there is replaced by a file with the right hash only;
        until then it grows beside it, and a download that broke off goes on from there.
    md5 : str
        The hash that the file must have, in hexadecimal.
    way_out : str
        What the user can do where the download fails; ends the error message.
    progress : bool
        Show a bar on standard error when that is a terminal.

    Returns
    -------
    Path

    Raises
    ------
    DownloadError
        When the file cannot be fetched or comes with another hash.
    """
    import pooch

    path = Path(path)
    if path.is_file() and pooch.file_hash(str(path), "md5") == md5:
        return path
    part = path.with_name(f".{path.name}.part")
    with exclusive(path):
        _fetch(url, part, way_out, progress)
        size, found = part.stat().st_size, pooch.file_hash(str(part), "md5")
        if found != md5:
            part.unlink()
            problem = f"{url} came as {size:,} bytes with MD5 {found} where {md5} is right"
            reason = "so the file is broken or has changed"
            raise DownloadError(f"{problem}, {reason}; try again, or {way_out}")
        part.replace(path)
    return path


def _fetch(url, part, way_out, progress):
    import requests

    have = part.stat().st_size if part.is_file() else 0
    # Sent as it is: a server that packs it once more would change the hash.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT, headers=headers) as answer:
            if answer.status_code != _NOTHING_LEFT:
                answer.raise_for_status()
                _append(answer, part, have if answer.status_code == _A_PART else 0, progress)
    except requests.RequestException as error:
        reason = _reason(error, url)
        raise DownloadError(f"cannot download {url}: {reason}; {way_out}") from None


def _append(answer, part, have, progress):
    import requests
    from tqdm import tqdm

    name = urlsplit(answer.url).path.rsplit("/", 1)[-1]
    total = have + int(answer.headers.get("Content-Length", 0))
    bar = {"total": total, "initial": have, "disable": None if progress else True}
    with part.open("ab" if have else "wb") as file, tqdm(desc=name, **bar, **_BYTES) as shown:
        for chunk in answer.iter_content(_CHUNK):
            file.write(chunk)
            shown.update(len(chunk))
    if part.stat().st_size < total:
        raise requests.exceptions.ChunkedEncodingError


def _reason(error, url):
    import requests

    host = urlsplit(url).netloc
    if isinstance(error, requests.HTTPError):
        return f"{host} answers {error.response.status_code} {error.response.reason}"
    reasons = {
        requests.Timeout: f"{host} does not answer in time",
        requests.exceptions.SSLError: f"the certificate of {host} cannot be verified",
        requests.exceptions.ChunkedEncodingError: "the connection broke off",
        requests.ConnectionError: f"there is no connection to {host}",
        Exception: one_line(error),
    }
    return next(reason for kind, reason in reasons.items() if isinstance(error, kind))
