"""A `relabel-pack` of our own that reads records from a pipe."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import CorruptError, InvalidDataError, RelabelError, UnsafeError, UnsupportedError, UsageError
from ..programs import program

_PIPE_BYTES = 1 << 20
_PIECES = 64  # of a record or more, joined for one write
_PATIENCE = 30.0  # seconds for a packer that is to clean up and end

_CLASSES: dict[int, type[RelabelError]] = {
    1: InvalidDataError, 4: UnsafeError, 5: CorruptError, 6: UnsupportedError, 64: UsageError,
}  # fmt: skip
"""The class of the error for each exit code of `relabel-pack --help`."""

_running: weakref.WeakSet[Packer] = weakref.WeakSet()


class Packer:
    """The process, its pipe, and what it says in the end."""

    def __init__(self, output: str, options: Sequence[str], files: Sequence[int]) -> None:
        """Starts the process, which inherits open files. Raises `UsageError` where there is no `relabel-pack`."""
        self.output = output
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._report = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [program("relabel-pack"), "-", "--output", output, "--format", "json", *options],
            stdin=subprocess.PIPE, stdout=self._report, stderr=self._said, pass_fds=files,
        )  # fmt: skip
        assert self._process.stdin is not None
        self._pipe = self._process.stdin.fileno()
        with contextlib.suppress(OSError):  # a limit of the system: then it has its usual size
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._owner = os.getpid()
        _running.add(self)

    def send(self, pieces: Iterable[bytes]) -> None:
        """Writes bytes into the pipe, and waits while the packer is busy.

        Raises what the packer refused, as soon as it has.
        """
        if self._process.poll() is not None:
            raise self.failure()
        waiting: list[bytes] = []
        for piece in pieces:
            waiting.append(piece)
            if len(waiting) == _PIECES:
                self._write(b"".join(waiting))
                waiting = []
        self._write(b"".join(waiting))

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._pipe, rest) :]
        except BrokenPipeError:
            self._process.wait()
            raise self.failure() from None

    def finish(self) -> dict[str, Any]:
        """Waits for the packer to verify and publish; its summary. Raises what it refused."""
        self._close()
        # 3: done, but inputs were left out, as it was asked to do.
        if self._process.wait() not in (0, 3):
            raise self.failure()
        return dict(self._document())

    def abandon(self) -> None:
        """Ends the packer without an end record: it removes what is unfinished."""
        self._close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """Closes the pipe in a forked child, or the packer would wait for both."""
        os.close(self._pipe)
        self._owner = 0

    @property
    def is_own(self) -> bool:
        """True in the process that started it."""
        return os.getpid() == self._owner

    def failure(self) -> RelabelError:
        """The error that the packer ended with."""
        error = self._document().get("error")
        if error is None:
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip()
            code = self._process.returncode
            end = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            return RelabelError(f"relabel-pack {end}{': ' if said else ''}{said}", file=self.output)
        kind = _CLASSES.get(error["exit_code"], RelabelError)
        file, cell = error["file"], error["cell"]
        if file is not None and (file == "stdin" or file.startswith("stdin[")):
            # A record: what is broken is the map that was handed over, and no file.
            file, kind = None, InvalidDataError
        return kind(
            error["message"], rule=error["rule"], file=file, dataset=error["dataset"],
            key=error["key"], row=error["row"], cell=None if cell is None else (cell[0], cell[1]),
        )  # fmt: skip

    def _document(self) -> dict[str, Any]:
        self._report.seek(0)
        text = self._report.read()
        try:
            document = json.loads(text) if text else {}
        except ValueError:
            return {}  # it was killed while it wrote
        return document if isinstance(document, dict) else {}

    def _close(self) -> None:
        # The number of a closed pipe may soon be that of another file, which no fork must lose.
        _running.discard(self)
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # it has ended already, and says why
                self._process.stdin.close()


def _forget_all() -> None:
    for packer in list(_running):
        packer.forget()


os.register_at_fork(after_in_child=_forget_all)
