import type { Command } from 'commander';
import { print } from '../terminal.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A command as shells complete it. */
interface Completed {
  readonly name: string;
  readonly about: string;
  readonly options: readonly {
    readonly flag: string;
    readonly about: string;
    readonly takesValue: boolean;
  }[];
}

/** Writes a script that completes commands, options and files in a shell, made from the commands themselves. */
export function completion(shell: Shell, program: Command): void {
  // What commands of commands have is completed for all of them.
  const commands = program.commands.map(
    (command): Completed => ({
      name: command.name(),
      about: command.description(),
      options: [command, ...command.commands]
        .flatMap(({ options }) => options)
        .filter(({ long, hidden }) => long !== undefined && long !== null && !hidden)
        .map(({ long, description, required, optional }) => ({
          ...{ flag: long!, about: description, takesValue: required || optional },
        })),
    }),
  );
  print(SCRIPTS[shell](commands));
}

const SCRIPTS: Readonly<Record<Shell, (commands: readonly Completed[]) => string[]>> = {
  bash: (commands) => [
    '_holostream() {',
    `  local current="$2" words=""`,
    `  case "\${COMP_WORDS[1]}" in`,
    ...commands.map(({ name, options }) => `    ${name}) words="${flags(options)}" ;;`),
    `    *) words="${commands.map(({ name }) => name).join(' ')} --help --version" ;;`,
    '  esac',
    '  if [[ $COMP_CWORD -eq 1 || $current == -* ]]; then',
    '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  fi',
    '}',
    'complete -o default -o bashdefault -F _holostream holostream',
  ],
  zsh: (commands) => [
    '#compdef holostream',
    '_holostream() {',
    '  local -a commands',
    `  commands=(${commands.map(({ name, about }) => quoted(`${name}:${about}`)).join(' ')})`,
    '  if (( CURRENT == 2 )); then',
    "    _describe 'command' commands",
    '    return',
    '  fi',
    '  local command="$words[2]"',
    '  shift words',
    '  (( CURRENT-- ))',
    '  case "$command" in',
    ...commands.map(
      ({ name, options }) => `    ${name}) _arguments ${options.map(zshOption).join(' ')} '*:file:_files' ;;`,
    ),
    '  esac',
    '}',
    'compdef _holostream holostream',
  ],
  fish: (commands) => [
    ...commands.map(
      ({ name, about }) =>
        `complete -c holostream -n __fish_use_subcommand -f -a ${name} -d ${quoted(about)}`,
    ),
    ...commands.flatMap(({ name, options }) =>
      options.map(
        ({ flag, about, takesValue }) =>
          `complete -c holostream -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}${takesValue ? ' -r' : ''} -d ${quoted(about)}`,
      ),
    ),
  ],
};

function flags(options: Completed['options']): string {
  return [...options.map(({ flag }) => flag), '--help'].join(' ');
}

function zshOption({ flag, about, takesValue }: Completed['options'][number]): string {
  const text = about.replace(/[[\]:\\]/g, '\\$&');
  return quoted(`${flag}[${text}]${takesValue ? ':value:_files' : ''}`);
}

/** A word of a shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}
