"""The entries of context menus: installed, run as menus do, removed without a trace; of other systems as text."""

import configparser
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest
from shell import photo, tree

from sakuga.commands import desktop
from sakuga.commands.desktop_entries import TITLE, linux, macos, windows, windows_removal

AWKWARD = '/opt/my "odd" $HOME `x` 100%/it\'s\\python'


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of its own with spaces in its name, on a machine that has every file manager."""
    home = tmp_path / "my home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in linux([], Path(), Path()):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return home


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.skipif(sys.platform != "linux", reason="the files of Linux")
def test_install_twice_and_remove(run, home):
    (home / ".local/share/nautilus/scripts").mkdir(parents=True)
    (home / ".local/share/nautilus/scripts/mine").touch()
    before = files(home)
    status, paths, err = run("desktop", "install")
    assert (status, err, len(paths)) == (0, "", 6)
    installed = files(home)
    assert set(map(str, installed)) == {*paths, *map(str, before)}
    assert run("desktop", "install") == (0, [], "sakuga: it is installed already\n")
    assert files(home) == installed
    assert run("desktop", "remove") == (0, paths, "sakuga: removed\n")
    assert files(home) == before
    folders = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_dir()}
    data = {".local", ".local/share", ".local/share/nautilus", ".local/share/nautilus/scripts"}
    assert folders == data | {".config"}
    assert run("desktop", "remove") == (0, [], "sakuga: it is not installed\n")


@pytest.mark.skipif(sys.platform != "linux", reason="the files of Linux")
def test_a_file_manager_that_is_not_there_gets_nothing(run, home, monkeypatch):
    only = home / "programs"
    only.mkdir()
    monkeypatch.setenv("PATH", str(only))
    status, out, err = run("desktop", "install")
    assert (status, out) == (1, [])
    assert err.startswith("sakuga: there is no file manager that sakuga knows: install one of nautilus, ")
    (only / "dolphin").write_text("#!/bin/sh\n")
    (only / "dolphin").chmod(0o755)
    assert run("desktop", "install")[1] == [str(home / ".local/share/kio/servicemenus/sakuga.desktop")]


@pytest.mark.skipif(sys.platform != "linux", reason="the files of Linux")
def test_a_folder_that_takes_no_files_is_one_sentence_and_the_others_get_none(run, home):
    (home / ".local/share/").mkdir(parents=True)
    (home / ".local/share/kio").write_text("a file is in the way")
    before = files(home)
    status, out, err = run("desktop", "install")
    assert (status, out) == (1, [])
    assert re.fullmatch(r"sakuga: .*sakuga\.desktop cannot be written \(.*\): see who owns .*\n", err)
    assert files(home) == before


@pytest.mark.skipif(sys.platform != "linux", reason="the files of Linux")
def test_a_menu_runs_it(home, here, run):
    """The script as a file manager starts it: in the pictures' folder, names beside it as arguments."""
    assert run("desktop", "install")[0] == 0
    script = home / ".local/share/nautilus/scripts" / TITLE
    pictures = here / "my pictures"
    pictures.mkdir()
    Path(pictures / "sakuga.py").write_text("raise SystemExit('a module of the pictures was run')")
    photo("my pictures/-s.png")
    photo('my pictures/it\'s "mine" $HOME.png')
    names = ["-s.png", 'it\'s "mine" $HOME.png']
    done = subprocess.run([script, *names], cwd=pictures, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in pictures.glob("*.anime.png")) == [
        "-s.anime.png",
        'it\'s "mine" $HOME.anime.png',
    ]


def test_run_shows_what_came_of_it(here, run, monkeypatch):
    shown = []
    monkeypatch.setattr(desktop, "_show", lambda text, failed: shown.append((text, failed)))
    Path("text.png").write_text("no picture")
    assert run("desktop", "run", "text.png") == (1, [], "")
    assert run("desktop", "run") == (1, [], "")
    photo("photo.png")
    assert run("desktop", "run", "photo.png") == (0, [], "")
    assert [failed for _, failed in shown] == [True, True, False]
    assert shown[2][0] == "photo.anime.png"
    assert "text.png" in shown[0][0]
    assert not shown[0][0].startswith("sakuga:")
    assert tree() == ["photo.anime.png", "photo.png", "text.png"]


def unquoted(line):
    """A key Exec as the specification reads it: the string's escapes, then the quotes, then the field codes."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line.replace("\\\\", "\\"))
    return [re.sub(r"\\(.)", r"\1", quoted).replace("%%", "%") if quoted else bare for quoted, bare in words]


def test_words_are_quoted_for_whoever_reads_them():
    command = [AWKWARD, "-m", "sakuga"]
    for entries in linux(command, Path("data"), Path("config")).values():
        for path, text in entries.items():
            if path.suffix == ".desktop":
                reader = configparser.RawConfigParser()
                reader.optionxform = str
                reader.read_string(text.decode())
                lines = [reader[section]["Exec"] for section in reader.sections() if "Exec" in reader[section]]
                assert list(map(unquoted, lines)) == [[*command, "%F"]]
            else:
                assert shlex.split(text.decode().splitlines()[1]) == ["exec", *command, "$@"]


def test_finder():
    entries = macos([AWKWARD, "-m", "sakuga"], Path("home"))
    info, workflow = (plistlib.loads(text) for text in entries.values())
    assert [path.name for path in entries] == ["Info.plist", "document.wflow"]
    assert {path.parents[1].name for path in entries} == {f"{TITLE}.workflow"}
    assert info["NSServices"][0]["NSMenuItem"] == {"default": TITLE}
    (action,) = (one["action"] for one in workflow["actions"])
    parameters = action["ActionParameters"]
    assert shlex.split(parameters["COMMAND_STRING"]) == ["exec", AWKWARD, "-m", "sakuga", "$@"]
    assert parameters["inputMethod"] == 1
    assert workflow["workflowMetaData"]["workflowTypeIdentifier"] == "com.apple.Automator.servicesMenu"


def test_explorer():
    python = str(PureWindowsPath("C:/Program Files/Python/pythonw.exe"))
    text = windows([python, "-m", "sakuga"])
    assert text.startswith("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Software\\Classes\\")
    values = re.findall(r'^@="(.*)"\r$', text, re.MULTILINE)
    unescaped = [re.sub(r"\\(.)", r"\1", value) for value in values]
    assert unescaped == [TITLE, f'"{python}" "-m" "sakuga" "%1"'] * 3
    keys = re.findall(r"^\[([^-].*)\]\r$", text, re.MULTILINE)
    removed = re.findall(r"^\[-(.*)\]\r$", windows_removal(), re.MULTILINE)
    assert len(removed) == 3
    assert all(any(key == one or key.startswith(f"{one}\\") for one in removed) for key in keys)


def test_the_application_is_valid(tmp_path):
    validator = shutil.which("desktop-file-validate")
    if validator is None:
        pytest.skip("there is no desktop-file-validate")
    ((path, text),) = linux([AWKWARD, "-m"], tmp_path, tmp_path)["thunar"].items()
    path.parent.mkdir()
    path.write_bytes(text)
    assert subprocess.run([validator, path], capture_output=True, text=True, check=False).stdout == ""
