/** The text of `sluice.yaml` as a value, and where in the text each key stands. */
import { isAlias, isCollection, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { Path } from './problems.js';

export interface Source {
  value: unknown;
  /** Line of the deepest part of `path` that stands in the text; counted from 1. */
  lineOf(path: Path): number;
}

export interface SyntaxProblem {
  line: number;
  message: string;
}

/** YAML 1.2, merge keys (`<<`) understood. Anchors and aliases are limited by the parser. */
export function readSource(text: string): Source | SyntaxProblem[] {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    stringKeys: true,
  });
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) {
    return wrong.map(({ pos, code, message }) => ({
      line: lines.linePos(pos[0]).line,
      message: code === 'MULTIPLE_DOCS' ? 'expected one document, got a second one' : plain(message),
    }));
  }
  try {
    const value: unknown = document.toJS();
    return { value, lineOf: (path) => lines.linePos(offsetOf(document, path)).line };
  } catch (error) {
    // An alias without its anchor, or too many of them.
    return [{ line: 1, message: plain(error instanceof Error ? error.message : String(error)) }];
  }
}

const plain = (message: string): string => message.replaceAll(/\s+/g, ' ').trim();

function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (!isCollection(node)) break;
    const item = isMap(node)
      ? node.items.find((pair) => keyOf(pair) === String(part))
      : isSeq(node) && typeof part === 'number'
        ? node.items[part]
        : undefined;
    // What stands nowhere, a missing key or one that came by a merge, is reported where its map begins.
    if (item === undefined) break;
    offset = startOf(isPair(item) ? item.key : item) || offset;
    node = isPair(item) ? item.value : item;
  }
  return offset;
}

const keyOf = (pair: Pair): string | undefined => (isScalar(pair.key) ? String(pair.key.value) : undefined);

const startOf = (node: unknown): number => (node as Node | null | undefined)?.range?.[0] ?? 0;
