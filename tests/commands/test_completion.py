"""What a shell completes, asked of the shell itself."""

import shutil
import subprocess

import pytest

ASK = '_ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sakuga; echo "${COMPREPLY[@]}"; }\n'


@pytest.fixture
def ask(run):
    """Return a function that completes the last of the words."""
    status, lines, err = run("--completion", "bash")
    assert (status, err) == (0, "")
    script = "\n".join(lines)

    def ask(*words: str) -> list[str]:
        code = f'{script}\n{ASK}_ask "$@"'
        done = subprocess.run(
            ["bash", "-c", code, "bash", "sakuga", *words], capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    return ask


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash(ask, style_folder):
    assert ask("sty") == ["stylize", "styles"]
    assert ask("photo.jpg", "--keep") == ask("stylize", "--keep") == ["--keep-color"]
    assert ask("pipe", "--pix") == ["--pix-fmt"]
    assert ask("photo.jpg", "-s", "n") == ["neg"]
    assert ask("photo.jpg", "-s", "mine.onnx,n") == ["mine.onnx,neg"]
    assert ask("photo.jpg", "-s", "") == ["neg", "soft"]
    assert ask("info", "s") == ask("evaluate", "s") == ["soft"]
    assert ask("help", "desk") == ["desktop"]
    assert ask("desktop", "") == ["install", "remove"]
    assert ask("pipe", "--pix-fmt", "") == ["rgb24", "yuv420p"]
    assert ask("photo.jpg", "--audio", "c") == ask("stylize", "--audio", "c") == ["copy"]
    assert ask("train", "cyc") == ["cyclegan"]
    assert ask("photo.jpg", "other") == []  # then the shell's own: files


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(run, shell):
    status, lines, _ = run("--completion", shell)
    script = "\n".join(lines)
    assert status == 0
    assert "keep-color" in script
    assert "webcam" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n", "/dev/stdin"], input=script, text=True, check=True)


def test_another_shell(run):
    assert run("--completion", "tcsh") == (2, [], "sakuga: --completion must be one of bash, zsh, fish, not tcsh\n")
