"""The walls around a submission's code, and the commands that put them up.

`sandbox`: the process that drives a kernel gets a network of its own with nothing but the loopback
device, and the kernel a file system made of the system, the Python environment and the course's
package and data, all read-only, a working folder in memory, process numbers of its own and no
privileges (bubblewrap, https://github.com/containers/bubblewrap). `container`: the container is
the outer wall, and the kernel runs as another user than the grading. `trust`: no wall.
"""

import os
import secrets
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from image_retrieval.errors import InputError, one_line
from tools.notebooks.execute import ROOT

SANDBOX, CONTAINER, TRUST = "sandbox", "container", "trust"
HOME = "/home/student"
SUBMISSION = "/submission"
# The course as a student has it: no tests, no solutions, no grades.
COURSE = (
    "image_retrieval",
    "portable",
    "image_train_data",
    "image_test_data",
    "caltech101_data",
    "data",
    "pyproject.toml",
)
_SYSTEM_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64")
_SYSTEM_FILES = (
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/localtime",
    "/sys/devices/system/cpu",
)
_DATA_VARIABLES = ("IMAGE_RETRIEVAL_DATA", "IMAGE_RETRIEVAL_CALTECH101")
_CAPABILITIES = ("CAP_SETUID", "CAP_SETGID")
# Another one in each process: what one user's processes use up, the next submission's would lack.
_USER = 20000 + secrets.randbelow(40000)

CONTAINER_COMMAND = (
    "docker run --rm --network none --memory 6g --pids-limit 1024 --user root "
    '--tmpfs /grading:mode=700 -v "$PWD/submissions":/grading/submissions:ro '
    '-v "$PWD/build/grades":/grading/grades '
    "image-retrieval python -m tools.classroom grade --container "
    "--submissions /grading/submissions --output /grading/grades"
)


@dataclass(frozen=True)
class Limits:
    """What the code of one submission may use.

    Attributes
    ----------
    memory : int
        Bytes of memory, of one process and of all together.
    disk : int
        Bytes of each of the two folders in memory it may write to, and of a file.
    processes : int
        Processes and threads together.
    cell_seconds : int
        Seconds for a cell.
    seconds : int
        Seconds for a run of the whole notebook; also its seconds of processor time a core.
    output : int
        Bytes of everything it prints and shows.
    """

    memory: int = 4 << 30
    disk: int = 256 << 20
    processes: int = 512
    cell_seconds: int = 60
    seconds: int = 300
    output: int = 10 << 20


def choose(trust=False, container=False):
    """Return the walls to grade behind: `SANDBOX`, or what was asked for.

    Raises
    ------
    InputError
        When they are not available here; the message says why, and what else there is.
    """
    if trust:
        return TRUST
    reason = container_obstacle() if container else sandbox_obstacle()
    if reason:
        raise InputError(f"submissions cannot be walled in here: {reason}. {_ways_out(container)}")
    return CONTAINER if container else SANDBOX


def _ways_out(container):
    trusting = "with --trust (TRUST=1 for make), if you have read every submission"
    if container:
        return f"Run the container as root and without network, or grade {trusting}"
    return f"Install bubblewrap, grade in the container (`{CONTAINER_COMMAND}`), or {trusting}"


def sandbox_obstacle():
    """Return why no sandbox can be set up here, or an empty text."""
    missing = [tool for tool in ("bwrap", "prlimit", "setpriv") if shutil.which(tool) is None]
    if missing:
        return f"there is no {' or '.join(missing)}"
    inner = ["bwrap", *_nested_rights(), *_system(), "--proc", "/proc", "--unshare-pid", "true"]
    tried = subprocess.run(
        [*outer_command(SANDBOX), *inner], capture_output=True, text=True, check=False
    )
    return one_line(tried.stderr) or "bwrap fails" if tried.returncode else ""


def container_obstacle():
    """Return why the kernel cannot run as another user here, or an empty text."""
    if shutil.which("setpriv") is None or shutil.which("prlimit") is None:
        return "there is no setpriv or prlimit"
    if not _is_root():
        return "only root can run them as another user"
    command = [*_as_student(), sys.executable, "-c", ""]
    tried = subprocess.run(command, capture_output=True, check=False)
    return f"another user cannot run {sys.executable}" if tried.returncode else ""


def close(folder):
    """Keep a folder from the code of submissions that runs as another user here.

    Raises
    ------
    InputError
        When that code could read it all the same.
    """
    with suppress(OSError):
        folder.chmod(0o700)
    tried = subprocess.run([*_as_student(), "ls", str(folder)], capture_output=True, check=False)
    if tried.returncode == 0:
        raise InputError(
            f"the code of submissions could read {folder}; put it into a folder that"
            " only root can enter (chmod 700)"
        )


def outer_command(mode):
    """Return what the command of the process that drives a kernel begins with."""
    if mode != SANDBOX:
        return []
    rights = ["--cap-add", "ALL"] if _is_root() else []
    walls = ["--unshare-net", "--unshare-pid", "--die-with-parent"]
    return ["bwrap", "--dev-bind", "/", "/", "--proc", "/proc", *rights, *walls, "--"]


def kernel_command(mode, limits, files, connection):
    """Return the command that starts a kernel behind the walls.

    Parameters
    ----------
    mode : str
        `SANDBOX`, `CONTAINER` or `TRUST`.
    limits : Limits
        What it may use.
    files : Path
        The folder of what was handed in; in the sandbox the kernel works on a copy.
    connection : Path
        The file in which the kernel finds its ports.

    Returns
    -------
    list of str
        The command's words.
    """
    kernel = [sys.executable, "-m", "ipykernel_launcher", "-f", str(connection), "--log-level=50"]
    if mode == TRUST:
        return kernel
    kernel = [*_as_student(), *_limited(limits), *kernel]
    return [*_sandbox(limits, files, connection), *kernel] if mode == SANDBOX else kernel


def kernel_variables(mode, files):
    """Return the environment variables of a kernel: the course's, and nothing of the user's."""
    home = HOME if mode == SANDBOX else str(files)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": home, "IPYTHONDIR": f"{home}/.ipython", "MPLCONFIGDIR": f"{home}/.mpl"}


def student():
    """Return the user id of a kernel: one's own, or one that owns nothing when that is root."""
    return _USER if _is_root() else os.getuid()


def hand_over(path):
    """Make a file or folder the kernel's user's."""
    if _is_root():
        os.chown(str(path), student(), student())


def _is_root():
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _nested_rights():
    return [word for right in _CAPABILITIES for word in ("--cap-add", right)] if _is_root() else []


def _as_student():
    # The kernel counts no processes of root's, so that a limit on them would not count for it.
    user = str(student())
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if _is_root() else []


def _limited(limits):
    # Data and not address space, of which libraries reserve far more than they use.
    return [
        "prlimit",
        f"--data={limits.memory}",
        f"--fsize={limits.disk}",
        f"--nproc={limits.processes}",
        f"--cpu={limits.seconds * (os.cpu_count() or 1)}",
        "--core=0",
        "--nofile=512",
        "--",
    ]


def _sandbox(limits, files, connection):
    spaces = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--new-session"]
    memory = [
        word
        for place in ("/tmp", "/dev/shm", HOME)
        for word in ("--perms", "1777", "--size", str(limits.disk), "--tmpfs", place)
    ]
    binds = [*_bind(files, SUBMISSION), *_bind(connection, connection)]
    # ipykernel ends when the process with this number is not its parent.
    rest = ["--unsetenv", "JPY_PARENT_PID", "--die-with-parent", "--chdir", HOME, "--"]
    return [
        *("bwrap", *_nested_rights(), *_system(), *spaces),
        *("--proc", "/proc", "--dev", "/dev", *memory, *_course(), *binds, *rest),
        *("sh", "-c", f'cp -r {SUBMISSION}/. . && exec "$@"', "sh"),
    ]


def _system():
    words = ["--ro-bind", "/usr", "/usr"]
    for path in (Path("/", name) for name in _SYSTEM_FOLDERS):
        if path.is_symlink():
            words += ["--symlink", os.readlink(str(path)), str(path)]
        elif path.exists():
            words += ["--ro-bind", str(path), str(path)]
    for path in _SYSTEM_FILES:
        words += ["--ro-bind-try", path, path]
    return words


def _course():
    data = [os.environ.get(name, "") for name in _DATA_VARIABLES]
    wanted = [sys.base_prefix, sys.prefix, *(ROOT / name for name in COURSE), *_stand_in()]
    wanted += [Path(folder).resolve() for folder in data if os.sep in folder]
    return [word for path in wanted if Path(path).exists() for word in _bind(path, path)]


def _stand_in():
    """Return the folder of the portable edition's `turicreate`, which may be another clone's."""
    found = find_spec("turicreate")
    return [Path(found.origin).parent.parent] if found and found.origin else []


def _bind(source, place):
    """Return the words that show `source` read-only, with folders above it that all may enter."""
    parents = [str(parent) for parent in reversed(Path(place).parents)][1:]
    made = [word for parent in parents for word in ("--perms", "0755", "--dir", parent)]
    return [*made, "--ro-bind", str(source), str(place)]
