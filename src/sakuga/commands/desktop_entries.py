"""What a context menu is told of sakuga, for each system: the text of every file, or of the registry.

The menu starts `python -P -m sakuga desktop run FILES`; -P, because Python would otherwise look for modules in the
folder of the pictures.
"""

import plistlib
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

TITLE = "Stylise with sakuga"
_TYPES = "image/*;video/*;inode/directory;"
_WINDOWS_KINDS = ("SystemFileAssociations\\image", "SystemFileAssociations\\video", "Directory")

Files = dict[Path, bytes]


def linux(command: Sequence[str], data: Path, config: Path) -> dict[str, Files]:
    """The files of each file manager, by the name of its program; all must be executable.

    Args:
        command: The words that the menu runs, before the files.
        data: $XDG_DATA_HOME or what stands for it.
        config: $XDG_CONFIG_HOME or what stands for it.
    """
    script = f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'.encode()
    run = " ".join(map(_desktop_word, command))
    menu = f"""\
[Desktop Entry]
Type=Service
MimeType={_TYPES}
Actions=stylise;
X-KDE-ServiceTypes=KonqPopupMenu/Plugin

[Desktop Action stylise]
Name={TITLE}
Icon=applications-graphics
Exec={run} %F
"""
    action = f"""\
[Desktop Entry]
Type=Action
Name={TITLE}
Icon=applications-graphics
Profiles=stylise;

[X-Action-Profile stylise]
MimeTypes={_TYPES}
Exec={run} %F
"""
    # Without the key MimeType, by which it could become what a double click on a photo starts.
    application = f"""\
[Desktop Entry]
Type=Application
Name={TITLE}
Icon=applications-graphics
Exec={run} %F
Categories=Graphics;
"""
    actions = data / "file-manager" / "actions" / "sakuga.desktop"
    return {
        "nautilus": {data / "nautilus" / "scripts" / TITLE: script},
        "nemo": {data / "nemo" / "scripts" / TITLE: script},
        "caja": {config / "caja" / "scripts" / TITLE: script},
        "dolphin": {data / "kio" / "servicemenus" / "sakuga.desktop": menu.encode()},
        "pcmanfm": {actions: action.encode()},
        "pcmanfm-qt": {actions: action.encode()},
        "thunar": {data / "applications" / "sakuga.desktop": application.encode()},
    }


def _desktop_word(word: str) -> str:
    """A word of the key Exec: quoted, and then escaped as every string of such a file is."""
    quoted = re.sub(r'(["`$\\])', r"\\\1", word).replace("%", "%%")
    return f'"{quoted}"'.replace("\\", "\\\\")


def macos(command: Sequence[str], home: Path) -> Files:
    """A Quick Action of Finder: a folder of two property lists."""
    contents = home / "Library" / "Services" / f"{TITLE}.workflow" / "Contents"
    service = {
        "NSMenuItem": {"default": TITLE},
        "NSMessage": "runWorkflowAsService",
        "NSRequiredContext": {"NSApplicationIdentifier": "com.apple.finder"},
        "NSSendFileTypes": ["public.image", "public.movie", "public.folder"],
    }
    texts = {"Container": "List", "Types": ["com.apple.cocoa.string"]}
    action = {
        "ActionBundlePath": "/System/Library/Automator/Run Shell Script.action",
        "ActionName": "Run Shell Script",
        "ActionParameters": {
            "COMMAND_STRING": f'exec {shlex.join(command)} "$@"',
            "CheckedForUserDefaultShell": True,
            "inputMethod": 1,  # as arguments
            "shell": "/bin/sh",
            "source": "",
        },
        "AMAccepts": {**texts, "Optional": True},
        "AMActionVersion": "2.0.3",
        "AMApplication": ["Automator"],
        "AMProvides": texts,
        "BundleIdentifier": "com.apple.RunShellScript",
        "Class Name": "RunShellScriptAction",
    }
    kinds = {
        "serviceApplicationBundleID": "com.apple.finder",
        "serviceInputTypeIdentifier": "com.apple.Automator.fileSystemObject",
        "serviceOutputTypeIdentifier": "com.apple.Automator.nothing",
        "workflowTypeIdentifier": "com.apple.Automator.servicesMenu",
    }
    workflow = {
        "AMApplicationVersion": "2.10",
        "AMDocumentVersion": "2",
        "actions": [{"action": action}],
        "connectors": {},
        "workflowMetaData": kinds,
    }
    return {
        contents / "Info.plist": plistlib.dumps({"NSServices": [service]}),
        contents / "document.wflow": plistlib.dumps(workflow),
    }


def windows(command: Sequence[str]) -> str:
    """The registry's entries of Explorer's menu, as `reg import` takes them; it runs the command for every file."""
    line = " ".join(f'"{word}"' for word in command) + ' "%1"'
    lines = ["Windows Registry Editor Version 5.00"]
    for key in _windows_keys():
        lines += ["", f"[{key}]", f'@="{TITLE}"', "", f"[{key}\\command]", f"@={_registry_string(line)}"]
    return "\r\n".join([*lines, ""])


def windows_removal() -> str:
    """What takes those entries out of the registry again."""
    lines = ["Windows Registry Editor Version 5.00", "", *(f"[-{key}]" for key in _windows_keys())]
    return "\r\n".join([*lines, ""])


def _windows_keys() -> list[str]:
    return [f"HKEY_CURRENT_USER\\Software\\Classes\\{kind}\\shell\\sakuga" for kind in _WINDOWS_KINDS]


def _registry_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
