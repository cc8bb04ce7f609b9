"""Two real processes of one training, as torchrun starts them."""

import os
import subprocess
import sys
from pathlib import Path


def launch(script: Path, text: str) -> str:
    """Run the program `text`, written to `script`, in two processes; what both print. They must end well."""
    script.write_text(text)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", str(script)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
