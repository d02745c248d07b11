"""The set-up holds together: three lists of dependencies agree, Binder can read them, and make finds a Python."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ["3.11", "3.12", "3.13"]


def declared() -> tuple[list[Requirement], list[Requirement]]:
    """The ranges of pyproject.toml: what the course needs, and what its tests need on top."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    return [Requirement(line) for line in project["dependencies"]], [Requirement(line) for line in extras]


def locked() -> list[tuple[Requirement, int]]:
    """The pins of requirements.txt, each with the number of its hashes."""
    text = (ROOT / "requirements.txt").read_text()
    entries = re.sub(r"^ *#.*\n", "", text, flags=re.M).replace("\\\n", " ").splitlines()
    return [(Requirement(entry.split("--hash")[0]), entry.count("--hash=sha256:")) for entry in entries]


def version(requirement: Requirement) -> str:
    """The version of an exact pin; anything else is no pin."""
    (specifier,) = requirement.specifier
    assert specifier.operator == "==" and "*" not in specifier.version, f"{requirement} is not one exact version"
    return specifier.version


def locked_versions() -> dict[str, str]:
    return {canonicalize_name(pin.name): version(pin) for pin, _ in locked()}


# --- pyproject.toml, requirements.txt, environment.yml ---


def test_every_dependency_is_locked_within_its_range():
    core, extras = declared()
    versions = locked_versions()
    for wanted in core + extras:
        name = canonicalize_name(wanted.name)
        assert name in versions, f"{name} is not locked: run `make lock`"
        assert versions[name] in wanted.specifier, f"{wanted} is locked as {versions[name]}: run `make lock`"


def test_one_version_of_each_package_for_all_pythons_and_every_one_hashed():
    names = [canonicalize_name(pin.name) for pin, _ in locked()]
    assert sorted(names) == sorted(set(names))
    assert [str(pin) for pin, hashes in locked() if hashes == 0] == []


def test_direct_dependencies_are_locked_on_every_python():
    core, extras = declared()
    direct = {canonicalize_name(wanted.name) for wanted in core + extras}
    for pin, _ in locked():
        if canonicalize_name(pin.name) in direct and pin.marker:
            for v in PYTHONS:
                assert pin.marker.evaluate({"python_version": v, "python_full_version": f"{v}.0"}), f"{pin} on {v}"


def test_compiled_packages_are_hashed_for_every_platform():
    """A wheel a Python and platform, and the source: a lock made for this machine alone would have few."""
    hashes = {canonicalize_name(pin.name): count for pin, count in locked()}
    assert hashes["numpy"] > 3 * 5 and hashes["matplotlib"] > 3 * 5


def test_environment_is_the_core_at_the_locked_versions():
    *conda, pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert conda == ["python=3.12", "pip"]
    pins = {canonicalize_name(pin.name): version(pin) for pin in map(Requirement, pip["pip"])}
    versions = locked_versions()
    core, _ = declared()
    names = [canonicalize_name(wanted.name) for wanted in core]
    assert pins == {name: versions[name] for name in names}, "run `make lock`"


@pytest.mark.parametrize("name", ["requirements.txt", "environment.yml", "tests/colab-requirements.txt"])
def test_no_index_address_or_machine_path(name):
    """Who installs chooses from where; a path would hold on one machine only."""
    lines = (ROOT / name).read_text().splitlines()
    unwanted = re.compile(r"\w+://|--(?!hash=sha256:)|^\s*-[a-z]\b|@ |(^|\s)/\w")
    assert [line for line in lines if unwanted.search(line)] == []


def test_colab_has_what_the_core_asks_for():
    """JupyterLab apart: Colab is its own notebook interface."""
    lines = (ROOT / "tests/colab-requirements.txt").read_text().splitlines()
    colab = {r.name: version(r) for r in (Requirement(line) for line in lines if line and not line.startswith("#"))}
    for wanted in declared()[0]:
        if wanted.name != "jupyterlab":
            assert colab[wanted.name] in wanted.specifier, wanted


# --- Binder ---


def test_repo2docker_accepts_the_repository(tmp_path):
    """Binder's own reading of what git would hand it; without building, so without Docker."""
    files = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(files, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():  # a file just deleted is still listed
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)

    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert '--file "environment.yml"' in said, "environment.yml is not what Binder would build from"
    assert "conda environment for python=3.12\n" in said, "Binder would not take Python 3.12"


# --- tools/make_venv.sh, which `make lab` and `make test` begin with ---


@pytest.fixture
def set_up(tmp_path):
    """Run `make .venv/.installed` where PATH holds nothing but the given stand-ins for Python."""
    (tmp_path / "bin").mkdir()
    for name in ("Makefile", "requirements.txt", "tools"):
        (tmp_path / name).symlink_to(ROOT / name)

    def run(stand_ins: dict[str, str], **variables: str) -> subprocess.CompletedProcess:
        for name, body in stand_ins.items():
            script = tmp_path / "bin" / name
            script.write_text(f"#!/bin/sh\n{body}\n")
            script.chmod(0o755)
        environment = {key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ}
        environment |= {"PATH": str(tmp_path / "bin"), **variables}
        make = [shutil.which("make"), "--silent", ".venv/.installed"]
        return subprocess.run(make, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)

    return run


# A Python as the script sees one: it prints its version, then has venv and ensurepip or fails.
COMPLETE, NO_VENV = "echo {0}", "echo {0}; exit 1"


def complaint(done: subprocess.CompletedProcess) -> str:
    """The one line that says what is wrong; make adds its own."""
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    return line


def test_an_old_python_gets_one_line_naming_the_supported_ones(set_up):
    line = complaint(set_up({"python3": COMPLETE.format("3.9")}))
    assert "3.11, 3.12 or 3.13" in line and "python3 is 3.9" in line


def test_no_python_at_all_gets_that_line_too(set_up):
    assert "3.11, 3.12 or 3.13" in complaint(set_up({}))


def test_a_python_without_ensurepip_gets_the_remedy(set_up):
    assert "sudo apt install python3.12-venv" in complaint(set_up({"python3": NO_VENV.format("3.12")}))


def test_a_python_that_only_seems_to_be_there_is_passed_over(set_up):
    """As pyenv's shims do; and one without ensurepip is no reason to stop looking."""
    chosen = 'case "$1" in -c) echo 3.13;; --version) echo Python 3.13.0;; *) echo "chosen: $*"; exit 3;; esac'
    done = set_up({"python3.12": "exit 127", "python3.13": NO_VENV.format("3.13"), "python3": chosen})
    assert "chosen: -m venv --clear .venv" in done.stdout


def test_the_python_one_names_is_taken_or_refused_never_replaced(set_up):
    line = complaint(set_up({"python3.12": COMPLETE.format("3.12"), "mine": COMPLETE.format("3.10")}, PYTHON="mine"))
    assert "mine is 3.10" in line
