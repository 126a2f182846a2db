"""Fetching a published file once, and never taking a broken one for it."""

from pathlib import Path
from urllib.parse import urlsplit

from image_retrieval.errors import DownloadError
from image_retrieval.files import atomic_file, exclusive

# Seconds to connect, and between two pieces of the file.
TIMEOUT = (10, 60)
_CHUNK = 1 << 16


def download(url, path, md5, way_out, progress=True):
    """Return `path`, after downloading it unless it is already there and whole.

    Parameters
    ----------
    url : str
        Address of the file; redirects are followed.
    path : str or Path
        Where to keep it. What stands there is replaced by a file with the right hash only.
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
    with exclusive(path), atomic_file(path) as temporary:
        _fetch(url, temporary, way_out, progress)
        found = pooch.file_hash(str(temporary), "md5")
        if found != md5:
            raise DownloadError(
                f"{url} came as {temporary.stat().st_size:,} bytes with MD5 {found} where {md5} "
                f"is right, so the file is broken or has changed; try again, or {way_out}"
            )
    return path


def _fetch(url, path, way_out, progress):
    import pooch
    import requests
    from tqdm import tqdm

    name = urlsplit(url).path.rsplit("/", 1)[-1]
    # Sent as it is: a server that packs it once more would change the hash.
    headers = {"Accept-Encoding": "identity"}
    hidden = None if progress else True
    # The total is set by pooch, which asks whether there is a bar: one without a total is neither.
    with tqdm(desc=name, total=1, unit="B", unit_scale=True, disable=hidden) as bar:
        fetch = pooch.HTTPDownloader(bar, _CHUNK, timeout=TIMEOUT, headers=headers)
        try:
            fetch(url, str(path), None)
        except requests.RequestException as error:
            reason = _reason(error, url)
            raise DownloadError(f"cannot download {url}: {reason}; {way_out}") from None


def _reason(error, url):
    import requests

    host = urlsplit(url).netloc
    if isinstance(error, requests.HTTPError):
        return f"{host} answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"{host} does not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return f"the certificate of {host} cannot be verified"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, requests.ConnectionError):
        return f"there is no connection to {host}"
    return " ".join(str(error).split())
