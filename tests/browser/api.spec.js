// docs/api.md and the types of the API name the same calls and options.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from '@playwright/test';

const read = (/** @type {string} */ path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const types = read('www/api/types.d.ts').replace(/\/\*[^]*?\*\/|\/\/.*/g, '');
const docs = read('docs/api.md');

/** From the brace at `open` to the one that closes it, without either. */
function block(/** @type {string} */ text, /** @type {number} */ open) {
  for (let at = open, depth = 0; at < text.length; at++) {
    if (text[at] === '{') depth++;
    if (text[at] === '}' && --depth === 0) return text.slice(open + 1, at);
  }
  throw new Error('a brace is not closed');
}

/** The members of an interface's or object type's body as they are written. */
function members(/** @type {string} */ body) {
  const found = [''];
  let depth = 0;
  for (const character of body) {
    if ('{(['.includes(character)) depth++;
    if ('})]'.includes(character)) depth--;
    if (character === ';' && depth === 0) found.push('');
    else found[found.length - 1] += character;
  }
  return found.map((member) => member.trim()).filter(Boolean);
}

/** The members of an interface by name. */
function interfaceOf(/** @type {string} */ name) {
  const at = types.search(new RegExp(`interface ${name}\\b`));
  assert.ok(at >= 0, `types.d.ts has no interface ${name}`);
  return new Map(members(block(types, types.indexOf('{', at))).map((member) => [/^\w+/.exec(member)?.[0] ?? member, member]));
}

/** The names of the options of a call: the members of the object that it takes. */
function options(/** @type {string} */ declaration) {
  const inline = /^\w+\([^{]*\b(?:o|about)\??: \{/.exec(declaration);
  if (inline) return members(block(declaration, inline[0].length - 1)).map((member) => /^\w+/.exec(member)?.[0]);
  const named = /\bo\??: (\w+)/.exec(declaration);
  return named ? [...interfaceOf(named[1]).keys()] : [];
}

const ticked = (/** @type {string} */ text) => [...text.matchAll(/`(\w+)`/g)].map(([, name]) => name);

/** The rows of a table of calls: names of calls, and of the options of each. */
function table(/** @type {number} */ which) {
  const text = docs.split('| call | options | gives |\n')[which].split('\n\n')[0];
  return new Map(text.split('\n').slice(1).map((row) => {
    const [, call, named] = row.split(/(?<!\\)\|/);
    return [/`(\w+)/.exec(call)?.[1] ?? row, ticked(named.replace(/those of `\w+`/, ''))];
  }));
}

for (const [place, name] of /** @type {[number, string][]} */ ([[1, 'Pollen'], [2, 'Training']])) {
  test(`the calls of ${name} and their options`, () => {
    const declared = interfaceOf(name), documented = table(place);
    const calls = [...declared].filter(([, member]) => /^\w+\(/.test(member));
    assert.ok(calls.length > 4);
    assert.deepEqual([...documented.keys()].sort(), calls.map(([call]) => call).sort());
    for (const [call, declaration] of calls) {
      if (name === 'Training' && call === 'sample') continue; // those of generate
      assert.deepEqual(documented.get(call)?.sort(), options(declaration).sort(), call);
    }
    for (const [property, member] of declared) {
      if (!/^\w+\(/.test(member)) assert.ok(ticked(docs).includes(property), `docs/api.md does not name ${property}`);
    }
  });
}

test('the fields of a recipe', () => {
  const sentence = /A `recipe` may have ([^]*?)\.\n/.exec(docs)?.[1] ?? '';
  assert.deepEqual(ticked(sentence).sort(), [...interfaceOf('Recipe').keys()].sort());
});
