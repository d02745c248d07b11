"""Copy the versions that requirements.txt locks into the pip list of environment.yml."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.txt").read_text(), flags=re.M))
environment = ROOT / "environment.yml"
environment.write_text(
    re.sub(r"- ([\w.-]+)==.*", lambda pin: f"- {pin[1]}=={locked[pin[1]]}", environment.read_text())
)
