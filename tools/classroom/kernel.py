"""Driving a walled-in kernel through a notebook, and judging its tests.

A cell of tests has passed when it came to its end, and only its end knows the receipt, a random
text that its last line raises. A cell that reports no error at all has therefore not passed:
whoever replaces the reporting of errors gains nothing.
"""

import ast
import json
import secrets
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import zmq
import zmq.asyncio
from ipykernel.kernelspec import RESOURCES
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_output

from image_retrieval.errors import printable
from tools.classroom.isolation import hand_over, kernel_command
from tools.classroom.sources import bound_names, imported_modules, with_receipt

GUARD = Path(__file__).with_name("guard.py")
_GUARD = '__import__("sys").modules["_course_guard"]'
_WATCH_SECONDS = 0.2
_GUARD_SECONDS = 20
_FLAG_LENGTH = 200
ENDED = "ended"
# What code meets that wants more than an answer needs.
_WALLS = (
    "BlockingIOError",
    "FileNotFoundError",
    "MemoryError",
    "OSError",
    "PermissionError",
    "TimeoutError",
    "URLError",
    "gaierror",
)
# What the untouched stub raises.
UNDONE = "NotImplementedError"


def is_test(cell):
    """Tell whether a cell holds tests that are run, and not an answer that a person grades."""
    about = cell.metadata.get("nbgrader", {})
    return bool(cell.cell_type == "code" and about.get("grade") and not about.get("solution"))


def kernel_manager(folder, mode, limits):
    """Return a manager of a kernel behind the walls, whatever kernels are installed.

    Parameters
    ----------
    folder : Path
        The job's folder, which holds `files/`.
    mode : str
        The walls, of `tools.classroom.isolation`.
    limits : Limits
        What the kernel may use.
    """
    connection = folder / f"kernel-{secrets.token_hex(4)}.json"
    command = kernel_command(mode, limits, folder / "files", connection)

    class _Specs(KernelSpecManager):
        def get_kernel_spec(self, kernel_name):
            # A signal would end the sandbox around the kernel, a message interrupts the cell.
            return KernelSpec(
                argv=command, language="python", interrupt_mode="message", resource_dir=RESOURCES
            )

    class _Manager(AsyncKernelManager):
        def _kernel_spec_manager_default(self):
            return _Specs(parent=self)

        def write_connection_file(self, **options):
            super().write_connection_file(**options)
            hand_over(self.connection_file)

    context = zmq.asyncio.Context()
    context.setsockopt(zmq.MAXMSGSIZE, 2 * limits.output)
    return _Manager(connection_file=str(connection), context=context)


class Client(NotebookClient):
    """Runs a notebook and notes which of its tests pass and what is odd.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The notebook; its outputs are replaced.
    limits : Limits
        What it may use.
    manager : AsyncKernelManager
        Of its kernel.

    Attributes
    ----------
    outcomes : dict
        The outputs of each cell of tests that was run, by the cell's number.
    passed : set of str
        The tests that passed.
    flags : list of str
        What was noticed, a line each.
    began : bool
        Whether a kernel started.
    """

    def __init__(self, notebook, limits, manager):
        super().__init__(
            notebook,
            km=manager,
            timeout=limits.cell_seconds,
            allow_errors=True,
            interrupt_on_timeout=True,
            error_on_timeout=_error("TimeoutError", f"no end within {limits.cell_seconds} s"),
            store_widget_state=False,
            raise_on_iopub_timeout=False,
            on_cell_executed=self._keep_reply,
        )
        self.limits = limits
        self.outcomes, self.passed, self.flags, self.printed = {}, set(), [], 0
        self.reply, self.stopped, self.began = {}, "", False

    async def async_start_new_kernel_client(self):
        """Start the kernel, what watches over it, and the guard within it."""
        client = await super().async_start_new_kernel_client()
        threading.Thread(target=self._watch, daemon=True).start()
        text = GUARD.read_text(encoding="utf-8")
        module = '__import__("types").ModuleType("_course_guard")'
        place = f'__import__("sys").modules.setdefault("_course_guard", {module})'
        await self._ask(f"exec({text!r}, {place}.__dict__)")
        await self._ask(f"{_GUARD}.start(get_ipython(), {imported_modules(self.nb)!r})")
        self.began = True
        return client

    async def async_execute_cell(self, cell, cell_index, **options):
        """Execute a cell, as the base class does, and keep what it shows about it."""
        if cell.cell_type != "code" or not cell.source.strip():
            return cell
        if is_test(cell):
            await self._execute_tests(cell, cell_index)
        else:
            await super().async_execute_cell(cell, cell_index, **options)
            self._note_error(cell_index)
        if cell.metadata.get("nbgrader", {}).get("locked"):
            await self._ask(f"{_GUARD}.guard.keep_names({bound_names(cell.source)!r})")
        return cell

    def process_message(self, msg, cell, cell_index):
        """Take a message of the kernel's, unless it has said too much already."""
        self.printed += len(json.dumps(msg["content"], default=str))
        if self.printed > self.limits.output:
            self.stop(f"printed more than {self.limits.output >> 20} MB")
            return None
        return super().process_message(msg, cell, cell_index)

    def stop(self, reason):
        """End the kernel before its notebook is done, and note why."""
        if not self.stopped:
            self.stopped = reason
            self.flag(f"stopped: {reason}")
        self.close()

    def close(self):
        """End the kernel and everything it started."""
        self.stopped = self.stopped or ENDED
        for process in _descendants():
            with suppress(psutil.Error):
                process.kill()

    def flag(self, text):
        """Note something odd, once."""
        text = printable(" ".join(text.split()))[:_FLAG_LENGTH]
        if text not in self.flags:
            self.flags.append(text)

    def _watch(self):
        end = time.monotonic() + self.limits.seconds
        while not self.stopped:
            if time.monotonic() > end:
                self.stop(f"took more than {self.limits.seconds} s")
            elif _uses_more_than(self.limits.memory):
                self.stop(f"used more than {self.limits.memory / 2**30:g} GB of memory")
            time.sleep(_WATCH_SECONDS)

    async def _execute_tests(self, cell, cell_index):
        name = cell.metadata.nbgrader.grade_id
        changes = await self._ask(f"{_GUARD}.guard.changes()")
        for change in ["what notices replacements"] if changes is None else changes:
            self.flag(f"{name}: replaced {change}")
        receipt, source = secrets.token_hex(16), cell.source
        cell.source = with_receipt(source, receipt)
        try:
            await super().async_execute_cell(cell, cell_index, store_history=False)
        finally:
            cell.source = source
        self._judge(name, cell, cell_index, receipt)

    def _judge(self, name, cell, cell_index, receipt):
        said = self.reply
        if said.get("ename") == "AssertionError" and said["evalue"].startswith(receipt):
            self.passed.add(name)
            verdict = _points(said["evalue"][len(receipt) :], cell.metadata.nbgrader.points)
        elif said.get("status") == "error":
            verdict = [failure(said["ename"], said["evalue"])]
            self._flag_wall(name, said)
            verdict[0].traceback = [line.replace(receipt, "…") for line in said["traceback"]]
        else:
            self.flag(f"{name}: the tests were kept from reporting")
            verdict = [failure("AssertionError", "the tests did not come to their end")]
        self.outcomes[cell_index] = [*verdict, *_printed(cell.outputs)]

    def _flag_wall(self, name, said):
        if said["ename"] in _WALLS:
            self.flag(f"{name}: {said['ename']}: {said['evalue']}")

    def _note_error(self, cell_index):
        said = self.reply
        if said.get("status") == "error" and said["ename"] != UNDONE:
            number = sum(each.cell_type == "code" for each in self.nb.cells[: cell_index + 1])
            self.flag(f"code cell {number}: {said['ename']}: {said['evalue']}")

    def _keep_reply(self, cell, cell_index, execute_reply):
        self.reply = execute_reply["content"]

    async def _ask(self, code):
        """Return what the kernel answers to an expression, or None when it gives no answer."""
        asked = {"answer": f"__import__('json').dumps({code})"}
        options = {"silent": True, "store_history": False, "user_expressions": asked}
        with suppress(Exception):
            reply = await self.kc.execute("", reply=True, timeout=_GUARD_SECONDS, **options)
            answer = reply["content"]["user_expressions"]["answer"]["data"]["text/plain"]
            return json.loads(ast.literal_eval(answer))
        return None


def failure(name, text):
    """Return the output that says a cell failed."""
    return new_output("error", **_error(name, text))


def _error(name, text):
    return {"ename": name, "evalue": text, "traceback": [f"{name}: {text}"]}


def _points(text, most):
    """Return what the cell ended in as nbgrader expects it: a number is partial credit."""
    with suppress(ValueError):
        value = float(text)
        value = most if value > most else value if value > 0 else 0
        return [new_output("execute_result", {"text/plain": str(float(value))})]
    return []


def _printed(outputs):
    """Return what was shown, as text that costs no points: nbgrader gives none for a warning."""
    kept = [each for each in outputs if each.output_type in ("stream", "display_data")]
    return [{**each, "name": "stdout"} if "name" in each else each for each in kept]


def _descendants():
    return psutil.Process().children(recursive=True)


def _uses_more_than(limit):
    """Tell whether the kernel and what it started use more memory; shared bytes count once."""
    # What is shared takes longer to find out.
    return _memory(lambda process: process.memory_info().rss) > limit and (
        _memory(lambda process: process.memory_full_info().pss) > limit
    )


def _memory(measure):
    total = 0
    for process in _descendants():
        with suppress(psutil.Error):
            total += measure(process)
    return total
