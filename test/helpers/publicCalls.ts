import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  API,
  type Checker,
  type Program,
  type Signature,
  SignatureKind,
  SymbolFlags,
  type Type,
} from 'typescript/unstable/sync';
import * as candidates from './candidates.js';

/** Everything public that can be called, and what its types refuse: read from the types, so that nothing new is left out. */

/** A value in place of a right one: of an argument, or of a part of it. */
export interface Substitution {
  /** Number of the argument, then names of options and fields. */
  readonly path: readonly (number | string)[];
  readonly value: unknown;
  /** For messages: `options.level = null`. */
  readonly label: string;
}

/** A place that takes numbers or bigints, for values that only its range refuses. */
export interface NumberPlace {
  readonly path: Substitution['path'];
  /** All of its parts: `options.limits.rank`. */
  readonly label: string;
}

export interface PublicCall {
  /** `loadCodec`, `new HctWriter`, `HctReader.open`, `HctReader#readAll`. */
  readonly name: string;
  readonly refused: readonly Substitution[];
  readonly numbers: readonly NumberPlace[];
  /** What bytes or values pass through that the call gives, if it gives such a thing. */
  readonly flow: Flow | undefined;
}

/** By what a consumer or producer calls. Operators are functions of observables. */
export type Flow = keyof typeof FLOWS | 'operator';

const FLOWS = {
  stage: ['readable', 'writable'],
  readable: ['getReader'],
  writable: ['getWriter'],
  source: ['stream'],
  sink: ['write', 'close', 'abort'],
  observable: ['subscribe'],
  generator: ['__@asyncIterator'],
} as const;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { exports: entries } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, { types?: string }>;
};
const ENTRIES = Object.values(entries).flatMap(
  ({ types }) => types?.replace(/^\.\/dist\/(.*)\.d\.ts$/, '$1.ts') ?? [],
);

const VALUES: ReadonlyMap<string, unknown> = new Map(Object.entries(candidates));

/** Options are rarely within options of options. */
const MAX_DEPTH = 4;

/**
 * @param objects interfaces of objects that calls return, and the files that declare them: their methods are public, too
 */
export function publicCalls(objects: Readonly<Record<string, string>>): PublicCall[] {
  return callsOf(objects, true);
}

/** The calls that give something that bytes or values pass through. What they refuse is not looked for, which takes seconds. */
export function publicFlows(objects: Readonly<Record<string, string>>): Pick<PublicCall, 'name' | 'flow'>[] {
  return callsOf(objects, false).filter(({ flow }) => flow !== undefined);
}

const CANDIDATES = 'test/helpers/candidates.ts';

function callsOf(objects: Readonly<Record<string, string>>, varied: boolean): PublicCall[] {
  // Not the whole repository: reading that takes most of the time.
  const files = [...ENTRIES, ...Object.values(objects), CANDIDATES, 'bulk/peers.d.ts'];
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { typeRoots: [join(ROOT, 'node_modules/@types')] },
    files: files.map((file) => join(ROOT, file)),
    include: [],
  };
  const folder = mkdtempSync(join(tmpdir(), 'holostream-types-'));
  const api = new API({ cwd: ROOT });
  try {
    const openProject = join(folder, 'tsconfig.json');
    writeFileSync(openProject, JSON.stringify(config));
    const snapshot = api.updateSnapshot({ openProject });
    const [project] = snapshot.getProjects();
    return new Calls(project!.program, project!.checker, varied).all(objects);
  } finally {
    api.close();
    rmSync(folder, { recursive: true });
  }
}

type ExportedSymbol = ReturnType<Checker['getAliasedSymbol']>;

class Calls {
  readonly #program: Program;
  readonly #checker: Checker;
  readonly #varied: boolean;
  readonly #candidates: readonly { readonly name: string; readonly value: unknown; readonly type: Type }[];
  readonly #found = new Map<string, PublicCall>();
  /** What does not fit each type, by their ids: options have the same types again and again, and every question takes time. */
  readonly #unfit = new Map<Type['id'], ReadonlySet<string>>();

  constructor(program: Program, checker: Checker, varied: boolean) {
    this.#program = program;
    this.#checker = checker;
    this.#varied = varied;
    this.#candidates = this.#exportsOf(CANDIDATES).map((symbol) => ({
      name: symbol.name,
      value: VALUES.get(symbol.name),
      type: checker.getTypeOfSymbol(symbol)!,
    }));
  }

  all(objects: Readonly<Record<string, string>>): PublicCall[] {
    for (const entry of ENTRIES) {
      for (const exported of this.#exportsOf(entry)) this.#addExport(exported);
    }
    for (const [name, file] of Object.entries(objects)) {
      const declared = this.#exportsOf(file).find((symbol) => symbol.name === name)!;
      this.#addMethods(name, this.#checker.getDeclaredTypeOfSymbol(declared));
    }
    return [...this.#found.values()];
  }

  #exportsOf(file: string): readonly ExportedSymbol[] {
    const module = this.#checker.getSymbolAtLocation(this.#program.getSourceFile(join(ROOT, file))!);
    // A script exports nothing.
    if (module === undefined) return [];
    return this.#checker
      .getExportsOfModule(module)
      .map((symbol) =>
        (symbol.flags & SymbolFlags.Alias) !== 0 ? this.#checker.getAliasedSymbol(symbol) : symbol,
      );
  }

  #addExport(symbol: ExportedSymbol): void {
    if (symbol.valueDeclaration === undefined) return;
    const { name } = symbol;
    const type = this.#checker.getTypeOfSymbol(symbol)!;
    this.#add(name, this.#checker.getSignaturesOfType(type, SignatureKind.Call));
    this.#add(`new ${name}`, this.#checker.getSignaturesOfType(type, SignatureKind.Construct));
    if ((symbol.flags & SymbolFlags.Class) === 0) return;
    for (const member of this.#checker.getPropertiesOfType(type)) {
      const memberType = this.#checker.getTypeOfSymbol(member)!;
      const signatures = this.#checker.getSignaturesOfType(memberType, SignatureKind.Call);
      if (isOurs(member) && !isPrivate(member)) this.#add(`${name}.${member.name}`, signatures);
    }
    this.#addMethods(name, this.#checker.getDeclaredTypeOfSymbol(symbol));
  }

  #addMethods(name: string, type: Type): void {
    for (const member of this.#checker.getPropertiesOfType(type)) {
      if (!isOurs(member) || isPrivate(member)) continue;
      const method = this.#checker.getNonNullableType(this.#checker.getTypeOfSymbol(member)!)!;
      this.#add(`${name}#${member.name}`, this.#checker.getSignaturesOfType(method, SignatureKind.Call));
    }
  }

  #add(name: string, signatures: readonly Signature[]): void {
    const overloads = signatures
      .filter((signature) => !isHidden(signature))
      .map((one) => this.#callOf(name, one));
    for (const [i, call] of overloads.entries()) {
      // What one overload refuses may be right for another.
      const refused = call.refused.filter(
        ({ path, value }) =>
          path.length > 1 || overloads.every((other) => other.refused.some(sameAs(path, value))),
      );
      // An overload has a number of its own.
      this.#found.set(i === 0 ? name : `${name} (${i + 1})`, { ...call, refused });
    }
  }

  #callOf(name: string, signature: Signature): PublicCall {
    const flow = this.#flowOf(this.#checker.getReturnTypeOfSignature(signature)!);
    const call = { name, flow, refused: [] as Substitution[], numbers: [] as NumberPlace[] };
    const parameters = this.#varied ? signature.getParameters() : [];
    for (const [place, parameter] of parameters.entries()) {
      const type = this.#constraintOf(this.#checker.getTypeOfSymbol(parameter)!);
      const label = parameter.name.startsWith('__') ? 'options' : parameter.name;
      this.#vary(call, [place], label, type, isOptionalParameter(parameter));
    }
    return call;
  }

  #flowOf(type: Type): Flow | undefined {
    // Names of symbols have a number behind them.
    const names = new Set(
      this.#checker.getPropertiesOfType(type).map(({ name }) => name.replace(/^(__@\w+)@\d+$/, '$1')),
    );
    if (names.has('then') && type.isTypeReference()) {
      return this.#flowOf(this.#checker.getTypeArguments(type)[0]!);
    }
    const [called] = this.#checker.getSignaturesOfType(type, SignatureKind.Call);
    if (called !== undefined) {
      const given = this.#flowOf(this.#checker.getReturnTypeOfSignature(called)!);
      return given === 'observable' ? 'operator' : undefined;
    }
    return (Object.keys(FLOWS) as (keyof typeof FLOWS)[]).find((flow) =>
      FLOWS[flow].every((name) => names.has(name)),
    );
  }

  /** Notes what this type refuses, and what the types of its options do. */
  #vary(
    call: { readonly refused: Substitution[]; readonly numbers: NumberPlace[] },
    path: Substitution['path'],
    label: string,
    type: Type,
    optional: boolean,
  ): void {
    for (const { name, value } of this.#candidates) {
      if (name === 'missing' && optional) continue;
      // What a function takes and returns cannot be seen before it is called.
      if (name === 'callback' && this.#isFunction(type)) continue;
      const one = { path, value, label: `${label} = ${name}` };
      // Several members of a union may have the same property.
      const known = call.refused.some((other) => other.label === one.label);
      if (!known && this.#unfitFor(type).has(name)) call.refused.push(one);
    }
    const takes = (candidate: string) => !call.refused.some((one) => one.label === `${label} = ${candidate}`);
    if (!takes('symbol') && (takes('number') || takes('big'))) {
      call.numbers.push({ path, label });
    }
    if (path.length >= MAX_DEPTH) return;
    for (const part of this.#recordsIn(type)) {
      for (const property of this.#checker.getPropertiesOfType(part)) {
        const inner = this.#constraintOf(this.#checker.getTypeOfSymbol(property)!);
        const innerOptional = (property.flags & SymbolFlags.Optional) !== 0;
        this.#vary(call, [...path, property.name], `${label}.${property.name}`, inner, innerOptional);
      }
    }
  }

  /** The names of the candidates that this type refuses. */
  #unfitFor(type: Type): ReadonlySet<string> {
    let unfit = this.#unfit.get(type.id);
    if (unfit === undefined) {
      const refused = this.#candidates.filter((one) => !this.#checker.isTypeAssignableTo(one.type, type));
      unfit = new Set(refused.map(({ name }) => name));
      this.#unfit.set(type.id, unfit);
    }
    return unfit;
  }

  #isFunction(type: Type): boolean {
    const parts = type.isUnionType() ? type.getTypes()! : [type];
    return parts.some((part) => this.#checker.getSignaturesOfType(part, SignatureKind.Call).length > 0);
  }

  /** The members of a type that are plain data of ours: no arrays, no objects with methods, no classes of the engine. */
  #recordsIn(type: Type): Type[] {
    const parts = type.isUnionType() ? type.getTypes()! : [type];
    return parts.filter((part) => {
      if (!part.isObjectType() && !part.isIntersectionType()) return false;
      if (this.#checker.isArrayLikeType(part)) return false;
      const properties = this.#checker.getPropertiesOfType(part);
      const called = this.#checker.getSignaturesOfType(part, SignatureKind.Call).length > 0;
      const hasMethods = properties.some(({ flags }) => (flags & SymbolFlags.Method) !== 0);
      return properties.length > 0 && !called && !hasMethods && properties.every(isOurs);
    });
  }

  #constraintOf(type: Type): Type {
    return type.isTypeParameter() ? (this.#checker.getBaseConstraintOfType(type) ?? type) : type;
  }
}

function sameAs(path: Substitution['path'], value: unknown) {
  return (other: Substitution) => other.value === value && other.path.join() === path.join();
}

interface Declared {
  readonly declarations: readonly { readonly path: string }[];
}

function isPrivate({ name }: { readonly name: string }): boolean {
  return /^(#|__)/.test(name);
}

/** Declared in a file of the package. */
function isOurs({ declarations }: Declared): boolean {
  return declarations.some(({ path }) => path.startsWith(ROOT) && !path.includes('node_modules'));
}

function isHidden({ declaration }: Signature): boolean {
  const node = declaration?.resolve() as
    | { readonly modifiers?: Iterable<{ getText?(): string }> }
    | undefined;
  const words = [...(node?.modifiers ?? [])].map((modifier) => modifier.getText?.());
  return words.includes('private') || words.includes('protected');
}

function isOptionalParameter({ valueDeclaration }: { readonly valueDeclaration: unknown }): boolean {
  const handle = valueDeclaration as { resolve(): unknown } | undefined;
  const node = handle?.resolve() as { questionToken?: unknown; initializer?: unknown } | undefined;
  return node?.questionToken !== undefined || node?.initializer !== undefined;
}
