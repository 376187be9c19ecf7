"""Updates as the tests want them: signed by whom, for which board, with what inside."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from board import REPOSITORY, BoardError

BOARD = "edge-agent-qemu-virt"


class UpdateMaker:
    """Makes bundles in its folder, signed with the key for development unless told otherwise."""

    def __init__(self, folder: Path):
        self.folder = folder
        keys = Path(self._shell('printf %s "$cache/update-keys"'))
        self._key, self._certificate = keys / "key.pem", keys / "certificate.pem"

    @staticmethod
    def _shell(script: str) -> str:
        return UpdateMaker._run("bash", "-c", f"source Scripts/lib/common.sh; {script}")

    @staticmethod
    def _run(*command, timeout: float = 300) -> str:
        answer = subprocess.run(
            [str(word) for word in command], cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout)
        if answer.returncode != 0:
            raise BoardError(f"{command[0]} failed: {answer.stderr[-2000:]}")
        return answer.stdout

    def strange_key(self) -> tuple[Path, Path]:
        """A key and its certificate that no device knows."""
        key, certificate = self.folder / "strange.key", self.folder / "strange.crt"
        self._run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=a stranger",
                  "-keyout", key, "-out", certificate)
        return key, certificate

    def bundle(self, name: str, system: Path, version: str, board: str = BOARD,
               signer: tuple[Path, Path] | None = None) -> Path:
        key, certificate = signer or (self._key, self._certificate)
        content = self.folder / f"{name}.content"
        shutil.rmtree(content, ignore_errors=True)
        content.mkdir()
        shutil.copyfile(system, content / "system.img")
        (content / "manifest.raucm").write_text(
            f"[update]\ncompatible={board}\nversion={version}\n\n[bundle]\nformat=verity\n\n"
            "[image.system]\nfilename=system.img\n")
        result = self.folder / f"{name}.raucb"
        result.unlink(missing_ok=True)
        self._run("rauc", f"--key={key}", f"--cert={certificate}", f"--keyring={certificate}", "bundle", content, result)
        shutil.rmtree(content)
        return result

    def small_system(self) -> Path:
        """Nothing that could be started: for bundles that are refused before anybody looks inside."""
        path = self.folder / "small.img"
        path.write_bytes(b"no system" * 8192)
        return path

    def system_of(self, bundle: Path) -> Path:
        """The squashfs that a bundle brings."""
        target = self.folder / "unpacked"
        shutil.rmtree(target, ignore_errors=True)
        # A bundle is a squashfs with its signature behind it.
        self._run("unsquashfs", "-no-progress", "-d", target, bundle, "system.img")
        return target / "system.img"

    def with_files(self, system: Path, name: str, files: dict[str, str]) -> Path:
        """The same system with other files at these paths (without the first slash), executable."""
        result = self.folder / f"{name}.img"
        result.unlink(missing_ok=True)
        # As an archive, so that owners and device nodes stay what they are without being root.
        with subprocess.Popen(["sqfs2tar", system], stdout=subprocess.PIPE) as reader:
            with subprocess.Popen(
                    ["tar2sqfs", "--quiet", "--force", "--compressor", "gzip", result],
                    stdin=subprocess.PIPE) as writer:
                replace_in_archive(reader.stdout, writer.stdin, files)
                writer.stdin.close()
        if reader.returncode != 0 or writer.returncode != 0:
            raise BoardError(f"{system} could not be made anew")
        return result


def replace_in_archive(source, target, files: dict[str, str]):
    """Files that are not there yet are not made."""
    left = dict(files)
    with tarfile.open(fileobj=source, mode="r|") as old, tarfile.open(fileobj=target, mode="w|") as new:
        for member in old:
            content = old.extractfile(member) if member.isreg() else None
            text = left.pop(member.name.removeprefix("./"), None)
            if text is not None:
                member.size = len(text.encode())
                content = io.BytesIO(text.encode())
            new.addfile(member, content)
    if left:
        raise BoardError(f"the system has no {', '.join(left)}")
