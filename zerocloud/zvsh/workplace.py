"""The directory of one session: manifest, NVRAM, the program if it comes out of an image, FIFOs for what the guest writes."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from collections.abc import Sequence
from pathlib import Path

from zerocloud.zerovm.manifest import NVRAM, SELF, STANDARD
from zerocloud.zerovm.manifest import render as render_manifest
from zerocloud.zerovm.sources import check_name
from zerocloud.zrt.nvram import render as render_nvram
from zerocloud.zvsh.configuration import Configuration, ConfigurationError, Image
from zerocloud.zvsh.invocation import HostFile, Invocation


class Workplace:
    """Makes the files of a session in a directory that is there."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.manifest = self.path / "manifest.1"
        self.stdout = self.path / "stdout.1"
        self.stderr = self.path / "stderr.1"

    def find_program(self, command: str, images: Sequence[Image]) -> str:
        """The path of the program: taken out of the first image that has a member of that name, or else on this host.

        Raises ConfigurationError.
        """
        for image in images:
            if image.access == "ro" and self._extract(image.path, command):
                return str(self.path / "boot.1")
        if not os.path.isfile(command):
            where = f", nor in {', '.join(image.path for image in images)}" if images else ""
            raise ConfigurationError(f"{command}: no such program here{where}")
        return os.path.abspath(command)

    def _extract(self, image: str, member: str) -> bool:
        try:
            with tarfile.open(image) as archive:
                for entry in archive:
                    if entry.isreg() and _normal(entry.name) == _normal(member):
                        source = archive.extractfile(entry)
                        assert source is not None
                        with source, (self.path / "boot.1").open("wb") as target:
                            shutil.copyfileobj(source, target)
                        return True
        except (OSError, tarfile.TarError) as error:
            raise ConfigurationError(f"image {image}: {error}") from error
        return False

    def write(self, invocation: Invocation, configuration: Configuration, program: str) -> None:
        """Write manifest and NVRAM, make the FIFOs and the files that are not there yet. Raises ExecutorError, ZrtError."""
        for fifo in (self.stdout, self.stderr):
            fifo.unlink(missing_ok=True)
            os.mkfifo(fifo, 0o600)
        nvram = self.path / "nvram.1"
        nvram.write_bytes(render_nvram(invocation.nvram()))
        sources = {
            STANDARD[0]: _standard_input(),
            STANDARD[1]: str(self.stdout),
            STANDARD[2]: str(self.stderr),
            NVRAM: str(nvram),
            SELF: self._nameable(program, "program"),
        }
        for number, file in enumerate(invocation.files, 1):
            self._create(file)
            sources[file.alias] = self._nameable(os.path.abspath(file.path), f"file.{number}")
        manifest = invocation.manifest(configuration, sources[SELF], sources)
        self.manifest.write_bytes(render_manifest(manifest))

    def _create(self, file: HostFile) -> None:
        if file.readable and not os.path.exists(file.path):
            if not file.writable:
                raise ConfigurationError(f"{file.path}: no such file")
            try:
                os.close(os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666))
            except OSError as error:
                raise ConfigurationError(f"{file.path}: {error.strerror}") from error

    def _nameable(self, path: str, link: str) -> str:
        """The path, or a link to it where its characters can't stand in a manifest."""
        try:
            return check_name(path, "path")
        except ValueError:
            target = self.path / link
            target.unlink(missing_ok=True)
            target.symlink_to(path)
            return str(target)

    def finish(self) -> None:
        """Remove the FIFOs, so that the manifest run again writes files of these names."""
        for fifo in (self.stdout, self.stderr):
            fifo.unlink(missing_ok=True)

    def story(self) -> str:
        """All the files in text, for who wants to know what went wrong; of binary ones only the name."""
        parts = []
        for path in sorted(self.path.iterdir()):
            if path.is_file():
                text = path.read_bytes()[: 1 << 16]
                shown = "(binary)\n" if b"\0" in text else text.decode("utf-8", "replace")
                parts.append(f"---------- {path.name}\n{shown}")
        return "".join(parts)


def _normal(name: str) -> str:
    return os.path.normpath("/" + name).lstrip("/")


def _standard_input() -> str:
    """Where the guest's standard input comes from: this process's own, if it has one."""
    try:
        mode = os.stat("/dev/stdin").st_mode
    except OSError:
        return os.devnull
    return "/dev/stdin" if stat.S_ISREG(mode) or stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) else os.devnull
