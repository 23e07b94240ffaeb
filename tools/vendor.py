"""Fetches the browser files that xrm ships, whole and pinned, and records their versions and sums.

    python tools/vendor.py

Needs npm, here only: nothing is fetched when xrm is installed or run. To take a newer version, change PACKAGES, run this, run the suite.
"""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import icons

STATIC = Path(__file__).resolve().parents[1] / "xrm" / "web" / "static"
VENDOR = STATIC / "vendor"
README = """\
# Browser files from elsewhere

Kept whole, as published on npm, and fetched by `tools/vendor.py`; nothing is fetched at run time. A test compares the sums.

{packages}

| file | sha256 |
|---|---|
{sums}

Under the strict Content-Security-Policy htmx wants, in each page's head,
`<meta name="htmx-config" content='{{"includeIndicatorCSS":false}}'>`: it would add an inline style otherwise.
"""


@dataclass(frozen=True)
class Package:
    """One npm package: which of its files are kept, and under which names."""

    name: str
    version: str
    licence: str
    shown_as: str
    files: dict[str, str]


PACKAGES = [
    Package("htmx.org", "4.0.1", "0BSD", "htmx", {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "htmx.LICENSE"}),
    Package("@tabler/icons", "3.51.0", "MIT", "Tabler Icons (the source of `../icons.svg`)", {"LICENSE": "tabler-icons.LICENSE"}),
]


def fetch(package: Package, folder: Path) -> Path:
    """Unpacks the package into the folder."""
    wanted = f"{package.name}@{package.version}"
    said = subprocess.run(["npm", "pack", "--silent", wanted], cwd=folder, check=True, capture_output=True, text=True).stdout
    target = folder / package.name.replace("/", "-")
    with tarfile.open(folder / said.split()[-1]) as archive:
        archive.extractall(target, filter="data")
    return target / "package"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for package in PACKAGES:
            source = fetch(package, Path(scratch))
            for inside, kept in package.files.items():
                shutil.copyfile(source / inside, VENDOR / kept)
            if package.name == "@tabler/icons":
                (STATIC / "icons.svg").write_text(icons.sprite(source))
    recorded = [VENDOR / kept for package in PACKAGES for kept in package.files.values()] + [STATIC / "icons.svg"]
    sums = [f"| `{'../' if path.parent == STATIC else ''}{path.name}` | `{sha256(path)}` |" for path in sorted(recorded)]
    packages = [f"- {package.shown_as}: npm `{package.name}` {package.version}, {package.licence}" for package in PACKAGES]
    (VENDOR / "README.md").write_text(README.format(packages="\n".join(packages), sums="\n".join(sums)))


if __name__ == "__main__":
    main()
