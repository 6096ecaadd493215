"""Makes a component of a connector's code: ``valetkey connector build`` runs it as ``python -m valetkey_guest.build``
in the connector's folder with ``--wit FOLDER`` (the contract) and ``--out FILE``, and puts the manifest in
afterwards."""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

_ENTRY = """\
import connector  # registers the functions of the tools
from valetkey_guest.component import Tools
"""


def main() -> int:
    """Runs the command; answers its exit code."""
    parser = argparse.ArgumentParser(prog="python -m valetkey_guest.build")
    parser.add_argument("--wit", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    if not Path("connector.py").is_file():
        print("there is no connector.py, which holds the functions of the connector's tools", file=sys.stderr)
        return 1
    package = Path(__file__).parent
    with tempfile.TemporaryDirectory(prefix="valetkey-guest-") as folder:
        Path(folder, "valetkey_entry.py").write_text(_ENTRY)
        command = [str(Path(sys.executable).parent / "componentize-py"), "--quiet"]
        command += ["--wit-path", arguments.wit, "--world", "connector", "componentize", "valetkey_entry"]
        for path in (folder, ".", package.parent, sysconfig.get_path("purelib")):
            command += ["--python-path", str(path)]
        command += ["--stub-wasi", "--output", arguments.out]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
