/**
 * The variables of the environment, as far as those who started the process speak through them.
 *
 * @module
 */

/** The environment; tests hand over one of their own. */
export interface Environment {
  /** The value of a variable. */
  get(name: string): string | undefined;
  /** Removes a variable, so that it reaches no child and is not obeyed twice. */
  delete(name: string): void;
}

/** A whole number without sign; `undefined` for an absent variable and for everything else. */
export function readNumber(environment: Environment, name: string): number | undefined {
  const text = environment.get(name);
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}
