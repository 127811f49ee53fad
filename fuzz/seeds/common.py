"""What all makers of seeds share."""

from pathlib import Path

HERE = Path(__file__).parent.parent
SEEDS = HERE / "corpus-seeds"
GOLDEN = HERE.parent / "crates/dicomio/tests/golden"


def keep(target, name, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def patched(data, at, new):
    return data[:at] + new + data[at + len(new):]
