"""`sakuga --completion SHELL`: a script by which a shell completes verbs, options, their values, and styles."""

import re
import shlex
from collections.abc import Mapping, Sequence

from sakuga.commands.help_text import Run, entries, help_text
from sakuga.commands.prepare import STEPS
from sakuga.errors import UsageError
from sakuga.style.file import EMBEDDED
from sakuga.style.store import folder
from sakuga.systems import SYSTEMS

SHELLS = ("bash", "zsh", "fish")

BASH = """\
_sakuga() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options= values= file chosen=
    COMPREPLY=()
    case ${COMP_WORDS[1]}:$before in OF_STYLES)
        [[ $word == *,* ]] && chosen=${word%,*},
        for file in STYLES; do
            file=${file##*/}; file=${file%.onnx}
            [[ $file != "*" && $file == "${word##*,}"* ]] && COMPREPLY+=("$chosen$file")
        done
        return ;;
VALUES
    esac
    case ${COMP_WORDS[1]} in
OPTIONS
    esac
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
    elif [[ $values ]]; then
        COMPREPLY=($(compgen -W "$values" -- "$word"))
    elif [[ $COMP_CWORD == 1 ]]; then
        COMPREPLY=($(compgen -W "VERBS help" -- "$word"))
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
    heads = {verb: [head for head, _ in entries(help_text(run, verb))] for verb in verbs}
    options = {verb: _options(lines) for verb, lines in heads.items()}
    values = {verb: _values(verb, lines) for verb, lines in heads.items()}
    values["train"]["train"], values["prepare"]["prepare"] = list(SYSTEMS), list(STEPS)
    values["help"] = {"help": list(verbs)}
    of_styles = [
        verb for verb, lines in heads.items() if any(re.match(r"(?!-).*\b(NAME|STYLE)\b", one) for one in lines)
    ]
    styles = " ".join(f"{shlex.quote(str(home))}/*.onnx" for home in (EMBEDDED, folder()))
    if shell == "fish":
        return _fish(verbs, options, values, of_styles, styles)
    cases = [
        f"        {'*' if verb == 'stylize' else verb}:{before}) values={shlex.quote(' '.join(names))} ;;"
        for verb, one in sorted(values.items(), key=lambda one: one[0] == "stylize")
        for before, names in one.items()
    ]
    listed = [f"        {verb}) options={shlex.quote(' '.join(names))} ;;" for verb, names in options.items()]
    listed.append(f"        *) options={shlex.quote(' '.join(options['stylize']))} ;;")
    script = BASH.replace("OF_STYLES", "|".join(["*:-s", "*:--style", *(f"{verb}:{verb}" for verb in of_styles)]))
    script = script.replace("STYLES", styles).replace("VALUES", "\n".join(cases))
    script = script.replace("OPTIONS", "\n".join(listed)).replace("VERBS", " ".join(verbs))
    return "autoload -U +X bashcompinit && bashcompinit\n" + script if shell == "zsh" else script


def _options(heads: Sequence[str]) -> list[str]:
    """The long options that a verb's help lists."""
    found = [re.findall(r"(?<![\w-])--[a-z][\w-]*", head) for head in heads if head.startswith("-")]
    return list(dict.fromkeys(name for names in found for name in names))


def _values(verb: str, heads: Sequence[str]) -> dict[str, list[str]]:
    """What there is to choose from after each option that has choices, and after the verb itself."""
    chosen: dict[str, list[str]] = {}
    for head in heads:
        names = [name for group in re.findall(r"\{(.*?)\}", head) for name in group.split(",") if name != "None"]
        if names:
            chosen |= dict.fromkeys(_options([head]) if head.startswith("-") else [verb], names)
    return chosen


def _fish(
    verbs: Mapping[str, str],
    options: Mapping[str, Sequence[str]],
    values: Mapping[str, Mapping[str, Sequence[str]]],
    of_styles: Sequence[str],
    styles: str,
) -> str:
    names_of_styles = f"'(path change-extension \"\" (path basename {styles}))'"
    lines = [
        f"complete -c sakuga -n __fish_use_subcommand -a {verb} -d {shlex.quote(text)}"
        for verb, text in {**verbs, "help": "List the options of a verb."}.items()
    ]
    others = " ".join(name for name in [*verbs, "help"] if name != "stylize")
    for verb, chosen in values.items():
        alone = f"not __fish_seen_subcommand_from {others}"
        where = shlex.quote(alone if verb == "stylize" else f"__fish_seen_subcommand_from {verb}")
        for name in options.get(verb, ()):
            given = f" -x -a {shlex.quote(' '.join(chosen[name]))}" if name in chosen else ""
            lines.append(f"complete -c sakuga -n {where} -l {name[2:]}{given}")
        if verb in chosen:
            lines.append(f"complete -c sakuga -n {where} -f -a {shlex.quote(' '.join(chosen[verb]))}")
        if verb in of_styles:
            lines.append(f"complete -c sakuga -n {where} -a {names_of_styles}")
    lines.append(f"complete -c sakuga -s s -l style -x -a {names_of_styles}")
    return "\n".join(lines) + "\n"
