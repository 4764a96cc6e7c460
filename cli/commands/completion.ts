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
  /** Commands of it, which have the options then. */
  readonly commands: readonly Completed[];
}

/**
 * Writes a script that completes commands, options and files in a shell, made from the commands themselves: behind
 * `holostream`, and behind `npx holostream`.
 */
export function completion(shell: Shell, program: Command): void {
  print(SCRIPTS[shell](program.commands.map(completed)));
}

function completed(command: Command): Completed {
  return {
    name: command.name(),
    about: command.description(),
    commands: command.commands.map(completed),
    options: command.options
      .filter(({ long, hidden }) => long !== undefined && long !== null && !hidden)
      .map(({ long, description, required, optional }) => ({
        ...{ flag: long!, about: description, takesValue: required || optional },
      })),
  };
}

const SCRIPTS: Readonly<Record<Shell, (commands: readonly Completed[]) => string[]>> = {
  bash: (commands) => [
    '_holostream() {',
    '  local current="$2" words="" command="" sub="" at=1',
    // Behind npx, all words are one place on.
    `  [[ "\${COMP_WORDS[0]}" == npx ]] && at=2`,
    '  local wanted=$at',
    // Of words before the one that is being typed.
    `  (( COMP_CWORD > at )) && command="\${COMP_WORDS[at]}"`,
    `  (( COMP_CWORD > at + 1 )) && sub="\${COMP_WORDS[at+1]}"`,
    '  case "$command" in',
    ...commands.flatMap(({ name, options, commands: parts }) =>
      parts.length === 0
        ? [`    ${name}) words="${flags(options)}" ;;`]
        : [
            `    ${name})`,
            '      wanted=$((at+1))',
            '      case "$sub" in',
            ...parts.map((part) => `        ${part.name}) words="${flags(part.options)}" ;;`),
            `        *) words="${names(parts)} --help" ;;`,
            '      esac ;;',
          ],
    ),
    `    *) words="${names(commands)} --help --version" ;;`,
    '  esac',
    '  if [[ $COMP_CWORD -le $wanted || $current == -* ]]; then',
    '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  fi',
    '}',
    'complete -o default -o bashdefault -F _holostream holostream',
    `_holostream_npx() { [[ "\${COMP_WORDS[1]}" == holostream && $COMP_CWORD -gt 1 ]] && _holostream "$@"; }`,
    // Not in place of one that is there.
    'complete -p npx >/dev/null 2>&1 || complete -o default -o bashdefault -F _holostream_npx npx',
  ],
  zsh: (commands) => [
    '#compdef holostream',
    '_holostream() {',
    '  local -a commands',
    '  local command',
    ...zshCommands(commands, 'command'),
    '}',
    'compdef _holostream holostream',
    '_holostream_npx() {',
    '  if [[ "$words[2]" == holostream ]] && (( CURRENT > 2 )); then',
    '    shift words',
    '    (( CURRENT-- ))',
    '    _holostream',
    '  else',
    '    _files',
    '  fi',
    '}',
    '(( $+_comps[npx] )) || compdef _holostream_npx npx',
  ],
  fish: (commands) => [
    ...commands.flatMap((command) => [
      `complete -c holostream -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.about)}`,
      ...fishOptions(command, `__fish_seen_subcommand_from ${command.name}`),
    ]),
    // Its completions behind `npx holostream`, which fish takes for words of npx.
    'complete -c npx -n \'string match -q "npx holostream *" -- (commandline -cp)\' -f -a \'(complete -C (string replace -r "^npx +" "" -- (commandline -cp)))\'',
  ],
};

/** The first word is one of these commands; the rest are its own. */
function zshCommands(commands: readonly Completed[], what: string): string[] {
  return [
    `  commands=(${commands.map(({ name, about }) => quoted(`${name}:${about}`)).join(' ')})`,
    '  if (( CURRENT == 2 )); then',
    `    _describe '${what}' commands`,
    '    return',
    '  fi',
    '  command="$words[2]"',
    '  shift words',
    '  (( CURRENT-- ))',
    '  case "$command" in',
    ...commands.flatMap(({ name, options, commands: parts }) =>
      parts.length === 0
        ? [`    ${name}) _arguments ${options.map(zshOption).join(' ')} '*:file:_files' ;;`]
        : [`    ${name})`, ...zshCommands(parts, `${name} command`), '    ;;'],
    ),
    '  esac',
  ];
}

function fishOptions({ options, commands: parts }: Completed, condition: string): string[] {
  const known = parts.map(({ name }) => name).join(' ');
  return [
    ...options.map(
      ({ flag, about, takesValue }) =>
        `complete -c holostream -n '${condition}' -l ${flag.slice(2)}${takesValue ? ' -r' : ''} -d ${quoted(about)}`,
    ),
    ...parts.flatMap((part) => [
      `complete -c holostream -n '${condition}; and not __fish_seen_subcommand_from ${known}' -f -a ${part.name} -d ${quoted(part.about)}`,
      ...fishOptions(part, `${condition}; and __fish_seen_subcommand_from ${part.name}`),
    ]),
  ];
}

function names(commands: readonly Completed[]): string {
  return commands.map(({ name }) => name).join(' ');
}

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
