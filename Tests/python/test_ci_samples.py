"""The jobs and hooks of samples/ci, run as far as that goes without their hosts."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml
from conftest import BIN, ROOT
from rule_fixtures import flip

CI = ROOT / "samples" / "ci"
SCHEMAS = {"github-actions.yml": "vendor.github-workflows", "gitlab-ci.yml": "vendor.gitlab-ci"}


@pytest.mark.parametrize("name, schema", SCHEMAS.items())
def test_schema(name, schema):
    command = [pathlib.Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", schema, CI / name]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def repository(tmp_path, sample_dataset):
    """A git repository with a dataset in it; returns its folder and a function that runs a shell script there."""
    folder = tmp_path / "repository"
    shutil.copytree(sample_dataset, folder / "labels")
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "PATH": f"{BIN}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home),
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org", "GITHUB_PATH": str(home / "path"),
    }

    def run(script, **more):
        return subprocess.run(
            ["sh", "-e", "-c", script], cwd=folder, env=environment | more, capture_output=True, text=True,
            timeout=120)

    assert run("git init --quiet . && git add . && git commit --quiet -m labels").returncode == 0
    return folder, run


def github_steps():
    """The shell scripts of the job by name, and its variables."""
    job = yaml.safe_load((CI / "github-actions.yml").read_text())
    (verify,) = job["jobs"].values()
    return {step["name"]: step["run"] for step in verify["steps"] if "run" in step}, job["env"]


def damage(folder):
    flip(folder / "labels/labels-00000.h5", 5000)


def tools_stand_in(folder):
    """A repository of the tools as a job would clone it, whose build has nothing left to do."""
    tools = folder.parent / "tools.git"
    (tools / "tools").mkdir(parents=True)
    (tools / ".build").mkdir()
    (tools / ".build/release").symlink_to(BIN)
    build = tools / "tools/build"
    build.write_text("#!/bin/sh\nexit 0\n")
    build.chmod(0o755)
    script = "git init --quiet . && git add --force . && git commit --quiet -m tools"
    return tools, script


def test_github_job(repository):
    folder, run = repository
    steps, variables = github_steps()
    tools, script = tools_stand_in(folder)
    assert run(f"cd {tools} && {script}").returncode == 0
    variables = {name: str(value) for name, value in variables.items()} | {"RELABEL_HDF5": str(tools)}
    built = run(steps["Build the tools"], **variables)
    assert built.returncode == 0, built.stderr
    path = pathlib.Path(run("cat $GITHUB_PATH").stdout.strip())
    assert (path / "relabel-verify").exists()

    sound = run(steps["Verify"], **variables)
    assert sound.returncode == 0 and "::error" not in sound.stdout
    damage(folder)
    broken = run(steps["Verify"], **variables)
    assert broken.returncode == 5 and "::error file=labels/labels-00000.h5" in broken.stdout
    assert json.loads((folder / "labels.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((folder / "labels.json").read_text())["verdict"] == "corrupt"


def test_gitlab_job(repository):
    folder, run = repository
    job = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
    tools, script = tools_stand_in(folder)
    assert run(f"cd {tools} && {script}").returncode == 0
    variables = job["variables"] | {"RELABEL_HDF5": str(tools)}
    lines = "\n".join(job["verify-labels"]["before_script"] + job["verify-labels"]["script"])
    sound = run(lines, **variables)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    damage(folder)
    assert run(lines, **variables).returncode == 5
    assert "<failure" in (folder / "labels.xml").read_text() and (folder / "labels.json").exists()


def install_plain_hook(folder):
    shutil.copy(CI / "pre-commit", folder / ".git/hooks/pre-commit")
    return "true"


def install_pre_commit(folder):
    shutil.copy(CI / "pre-commit-config.yaml", folder / ".pre-commit-config.yaml")
    return "git add .pre-commit-config.yaml && pre-commit install"


@pytest.mark.parametrize("install", [install_plain_hook, install_pre_commit])
def test_hooks(install, repository):
    folder, run = repository
    installed = run(install(folder))
    assert installed.returncode == 0, installed.stderr
    assert run("echo 1 > other.txt && git add . && git commit -m other").returncode == 0
    damage(folder)
    refused = run("git add . && git commit -m damaged")
    assert refused.returncode != 0 and "labels-00000.h5" in refused.stdout + refused.stderr
    assert run("git checkout --quiet HEAD -- . && echo 2 > other.txt && git add . && git commit -m other").returncode == 0
