import { Argument } from "commander";
import type { Command } from "commander";

import type { Register } from "../command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** `completion SHELL`: a script that teaches the shell our commands and options. */
export const registerCompletion: Register = (program, leaf) => {
  leaf(
    program,
    "completion",
    {
      summary: "Print a completion script for a shell",
      examples: [
        "source <(astromeshctl completion bash)",
        "astromeshctl completion zsh > ~/.zfunc/_astromeshctl",
        "astromeshctl completion fish > ~/.config/fish/completions/astromeshctl.fish",
      ],
    },
    (session, [shell]) => {
      const words = collect(program);
      session.io.out(shell === "fish" ? fish(words) : shell === "zsh" ? zsh(words) : bash(words));
      return Promise.resolve();
    },
  ).addArgument(new Argument("<shell>", "the shell").choices(SHELLS));
};

/** What may follow each path of commands. */
interface Words {
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly string[];
}

function collect(command: Command, path = ""): readonly Words[] {
  const own: Words = {
    path,
    commands: command.commands.map((child) => ({ name: child.name(), summary: child.description() })),
    options: ["--help", ...command.options.map((option) => option.long ?? option.flags)],
  };
  return [own, ...command.commands.flatMap((child) => collect(child, `${path} ${child.name()}`.trim()))];
}

/** A shell function that finds the deepest path of commands among the words typed so far. */
function bash(words: readonly Words[]): string {
  const cases = words.map(
    ({ path, commands, options }) =>
      `    ${JSON.stringify(path)}) echo ${JSON.stringify([...commands.map(({ name }) => name), ...options].join(" "))} ;;`,
  );
  return `# bash completion of astromeshctl
_astromeshctl_words() {
  case "$1" in
${cases.join("\n")}
  esac
}
_astromeshctl() {
  local path="" word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    [[ $word == -* ]] && continue
    if [[ -n $(_astromeshctl_words "\${path:+$path }$word") ]]; then path="\${path:+$path }$word"; fi
  done
  COMPREPLY=($(compgen -W "$(_astromeshctl_words "$path")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _astromeshctl astromeshctl
`;
}

function zsh(words: readonly Words[]): string {
  return `#compdef astromeshctl
autoload -U +X bashcompinit && bashcompinit
${bash(words)}`;
}

function fish(words: readonly Words[]): string {
  const lines = words.flatMap(({ path, commands, options }) => {
    const parts = path === "" ? [] : path.split(" ");
    const seen =
      parts.length === 0
        ? "__fish_use_subcommand"
        : parts.map((part) => `__fish_seen_subcommand_from ${part}`).join("; and ");
    const children = commands.map(({ name }) => name).join(" ");
    const condition =
      parts.length > 0 && children !== "" ? `${seen}; and not __fish_seen_subcommand_from ${children}` : seen;
    return [
      ...commands.map(
        ({ name, summary }) =>
          `complete -c astromeshctl -f -n ${quote(condition)} -a ${quote(name)} -d ${quote(summary)}`,
      ),
      ...options.map((option) => `complete -c astromeshctl -n ${quote(seen)} -l ${quote(option.replace(/^--/, ""))}`),
    ];
  });
  return `# fish completion of astromeshctl\n${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}
