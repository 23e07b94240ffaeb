"""JavaScript run by the Node that comes with the browser tests' driver: nothing more has to be installed."""

import json
import subprocess
from pathlib import Path
from typing import Any

from playwright._impl._driver import compute_driver_executable


def run_node(script: Path, given: object) -> Any:
    """Runs a script with JSON on its standard input, and reads JSON from its output."""
    node = compute_driver_executable()[0]
    done = subprocess.run([node, str(script)], input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
