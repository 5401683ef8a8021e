/**
 * Expressions of main.cf made at random from their grammar, and spoilt at random.
 *
 * @module
 */

import { CASE_VALUES } from "./config_expansion_cases.ts";
import type { Random } from "./random.ts";

const NAMES = [...Object.keys(CASE_VALUES), "missing", "x9_"];
const TEXTS = [
  "x",
  "",
  " ",
  "no",
  "a.b",
  "3.10",
  "3.9",
  "007",
  "7",
  "$$",
  "(x)",
  "{x}",
  "é",
  "-",
  "\t",
];
const ODD = ["", "", "-", ".", ":x", "?x", "}", ")", "{", "é", " ", "/", "=", "#"];
const OPERATORS = ["==", "!=", "<", "<=", ">=", ">"];
const LEVELS = ["3", "3.9", "3.10", "3.10.2", "$v39", "${v310}", "0"];
const BLANKS = ["", "", "", " ", "  ", "\t"];
const SPOILERS = "${}():?=<>!$ {}x1.".split("");

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random(from.length)];
}

/** Text with expressions in it, up to `depth` inside each other. */
export function randomExpression(random: Random, depth = 3): string {
  let text = "";
  for (let pieces = 1 + random(3); pieces > 0; pieces--) {
    text += depth > 0 && random(4) > 0 ? expression(random, depth) : pick(random, TEXTS);
  }
  return text;
}

function expression(random: Random, depth: number): string {
  const inner = () => randomExpression(random, depth - 1);
  const blank = () => pick(random, BLANKS);
  const braced = () => `${blank()}{${inner()}}${blank()}`;
  const name = pick(random, NAMES);
  const [open, close] = random(5) === 0 ? ["$(", ")"] : ["${", "}"];
  const subject = random(3) === 0 ? comparison(random, depth) : `${blank()}${name}${blank()}`;
  switch (random(9)) {
    case 0:
      return `$${name}${pick(random, ODD)}`;
    case 1:
      return `${open}${subject}${close}`;
    case 2:
      return `${open}${subject}?${inner()}${close}`;
    case 3:
      return `${open}${subject}:${inner()}${close}`;
    case 4:
      return `${open}${subject}:${braced()}${close}`;
    case 5:
      return `${open}${subject}?${braced()}${close}`;
    case 6:
      return `${open}${subject}?${braced()}:${inner()}${close}`;
    default:
      return `${open}${subject}?${braced()}:${braced()}${close}`;
  }
}

function comparison(random: Random, depth: number): string {
  const blank = () => pick(random, ["", " ", "  "]);
  const byLevel = random(3) === 0;
  const operand = () => byLevel ? pick(random, LEVELS) : randomExpression(random, depth - 1);
  const operator = pick(random, OPERATORS) + (byLevel ? "level" : "");
  return `${blank()}{${operand()}}${blank()}${operator}${blank()}{${operand()}}${blank()}`;
}

/** `text` with one to three characters taken out, put in or doubled. */
export function spoil(random: Random, text: string): string {
  let chars = [...text];
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(chars.length + 1);
    switch (random(3)) {
      case 0:
        chars = chars.toSpliced(at, 1);
        break;
      case 1:
        chars = chars.toSpliced(at, 0, pick(random, SPOILERS));
        break;
      default:
        chars = chars.toSpliced(at, 0, ...chars.slice(at, at + 1 + random(4)));
    }
  }
  return chars.join("");
}
