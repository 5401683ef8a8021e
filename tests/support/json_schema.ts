/**
 * Checks values against a JSON Schema, as far as the schemas of this project go: a word of a schema that
 * is not known here is a fault, so that nothing passes unchecked.
 *
 * @module
 */

/** A schema as it was parsed. */
export type Schema = Readonly<Record<string, unknown>>;

type Check = (value: unknown, argument: never, schema: Schema) => string | undefined;

const CHECKS: Readonly<Record<string, Check>> = {
  $schema: () => undefined,
  title: () => undefined,
  description: () => undefined,
  const: (value, wanted: unknown) => value === wanted ? undefined : `is not ${wanted}`,
  enum: (value, wanted: unknown[]) =>
    wanted.includes(value) ? undefined : `is ${JSON.stringify(value)}, none of the words allowed`,
  type: (value, wanted: string) => typeOf(value, wanted) ? undefined : `is no ${wanted}`,
  pattern: (value, wanted: string) =>
    new RegExp(wanted, "u").test(value as string) ? undefined : `is not like ${wanted}`,
  minimum: (value, wanted: number) => value as number >= wanted ? undefined : `is below ${wanted}`,
  maximum: (value, wanted: number) => value as number <= wanted ? undefined : `is above ${wanted}`,
  items: (value, wanted: Schema) => firstFault(value as unknown[], () => wanted),
  required: (value, wanted: string[]) => {
    const missing = wanted.find((name) => !Object.hasOwn(value as object, name));
    return missing === undefined ? undefined : `has no ${missing}`;
  },
  properties: (value, wanted: Record<string, Schema>) =>
    firstFault(value as object, (name) => wanted[name]),
  additionalProperties: (value, _wanted: false, { properties }) => {
    const extra = Object.keys(value as object).find((name) => !Object.hasOwn(properties!, name));
    return extra === undefined ? undefined : `has ${extra}, which is not in the schema`;
  },
};

/** What is wrong with `value`; `undefined` when nothing is. */
export function schemaFault(value: unknown, schema: Schema): string | undefined {
  for (const [word, argument] of Object.entries(schema)) {
    if (CHECKS[word] === undefined) throw new Error(`No check for "${word}" of a JSON Schema`);
    const fault = CHECKS[word](value, argument as never, schema);
    if (fault !== undefined) return fault;
  }
}

function firstFault(
  values: object,
  schemaOf: (name: string) => Schema | undefined,
): string | undefined {
  for (const [name, value] of Object.entries(values)) {
    const schema = schemaOf(name);
    const fault = schema === undefined ? undefined : schemaFault(value, schema);
    if (fault !== undefined) return `${name} ${fault}`;
  }
}

function typeOf(value: unknown, wanted: string): boolean {
  switch (wanted) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    default:
      throw new Error(`No check for the type "${wanted}" of a JSON Schema`);
  }
}
