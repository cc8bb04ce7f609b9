"""`sakuga --completion SHELL`: a script by which a shell completes verbs, options and styles."""

import re
import shlex
from collections.abc import Mapping

from sakuga.commands.help_text import Run, entries, help_text
from sakuga.errors import UsageError
from sakuga.style.file import EMBEDDED
from sakuga.style.store import folder

SHELLS = ("bash", "zsh", "fish")

BASH = """\
_sakuga() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options= file chosen=
    COMPREPLY=()
    case $before in -s|--style)
        [[ $word == *,* ]] && chosen=${word%,*},
        for file in STYLES; do
            file=${file##*/}; file=${file%.onnx}
            [[ $file != "*" && $file == "${word##*,}"* ]] && COMPREPLY+=("$chosen$file")
        done
        return ;;
    esac
    case ${COMP_WORDS[1]} in
OPTIONS
    esac
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
    elif [[ $COMP_CWORD == 1 ]]; then
        COMPREPLY=($(compgen -W "VERBS" -- "$word"))
    fi
}
complete -o default -F _sakuga sakuga
"""


def completion(shell: str, verbs: Mapping[str, str], run: Run) -> str:
    """Return the script for one of SHELLS; raises UsageError for another.

    Args:
        shell: which.
        verbs: what each is for, by name.
        run: the command: its own help tells the options of each verb, as far as what the verb needs is installed.
    """
    if shell not in SHELLS:
        raise UsageError(f"--completion must be one of {', '.join(SHELLS)}, not {shell}")
    options = {verb: _options(run, verb) for verb in verbs}
    styles = " ".join(f"{shlex.quote(str(home))}/*.onnx" for home in (EMBEDDED, folder()))
    if shell == "fish":
        lines = [
            f"complete -c sakuga -n __fish_use_subcommand -a {verb} -d {shlex.quote(text)}"
            for verb, text in verbs.items()
        ]
        for verb, names in options.items():
            alone = "not __fish_seen_subcommand_from " + " ".join(name for name in verbs if name != "stylize")
            where = shlex.quote(alone if verb == "stylize" else f"__fish_seen_subcommand_from {verb}")
            lines += [f"complete -c sakuga -n {where} -l {name[2:]}" for name in names if name.startswith("--")]
        lines.append(f"complete -c sakuga -s s -l style -x -a '(path change-extension \"\" (path basename {styles}))'")
        return "\n".join(lines) + "\n"
    cases = [f"        {verb}) options={shlex.quote(' '.join(names))} ;;" for verb, names in options.items()]
    cases.append(f"        *) options={shlex.quote(' '.join(options['stylize']))} ;;")
    script = BASH.replace("STYLES", styles).replace("OPTIONS", "\n".join(cases)).replace("VERBS", " ".join(verbs))
    return "autoload -U +X bashcompinit && bashcompinit\n" + script if shell == "zsh" else script


def _options(run: Run, verb: str) -> list[str]:
    """What a verb's help lists."""
    heads = [head for head, _ in entries(help_text(run, verb)) if head.startswith("-")]
    return list(dict.fromkeys(name for head in heads for name in re.findall(r"(?<![\w-])--[a-z][\w-]*", head)))
