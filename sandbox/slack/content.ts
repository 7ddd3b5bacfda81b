/** What a message may hold, and Slack's words where it may not. */
import type { Content } from './state.js';

export type Fields = Record<string, unknown>;

export const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const LONGEST_TEXT = 40_000;
const LONGEST_SECTION = 3_000;
const LONGEST_HEADER = 150;
const MOST_BLOCKS = 50;
const MOST_FIELDS = 10;

/** Lists and objects come as JSON in a form. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

const lengthOf = (value: unknown): number =>
  isRecord(value) && typeof value['text'] === 'string' ? [...value['text']].length : 0;

function isBlock(block: unknown): boolean {
  if (!isRecord(block) || typeof block['type'] !== 'string') return false;
  const { type, text, fields, elements } = block;
  if (type === 'header') return lengthOf(text) > 0 && lengthOf(text) <= LONGEST_HEADER;
  if (type === 'context' || type === 'actions') return Array.isArray(elements) && elements.length > 0;
  if (type !== 'section') return true;
  const hasFields = Array.isArray(fields) && fields.length > 0 && fields.length <= MOST_FIELDS;
  return (lengthOf(text) > 0 || (text === undefined && hasFields)) && lengthOf(text) <= LONGEST_SECTION;
}

/** @returns Slack's error where it is none */
export function contentOf(fields: Fields): Content | string {
  const [blocks, attachments, metadata] = ['blocks', 'attachments', 'metadata'].map((key) =>
    parsed(fields[key]),
  );
  const text = typeof fields['text'] === 'string' ? fields['text'] : '';
  if (blocks !== undefined) {
    if (!Array.isArray(blocks)) return 'invalid_blocks_format';
    if (blocks.length > MOST_BLOCKS || !blocks.every(isBlock)) return 'invalid_blocks';
  }
  if (attachments !== undefined && !Array.isArray(attachments)) return 'invalid_attachments';
  if (metadata !== undefined && !isRecord(metadata)) return 'invalid_metadata_format';
  if (metadata && (typeof metadata['event_type'] !== 'string' || !isRecord(metadata['event_payload'])))
    return 'invalid_metadata_schema';
  const hasMore = [blocks, attachments].some((one) => Array.isArray(one) && one.length > 0);
  if (text.trim() === '' && !hasMore) return 'no_text';
  return {
    // Slack cuts what is longer.
    text: [...text].slice(0, LONGEST_TEXT).join(''),
    ...(Array.isArray(blocks) ? { blocks: blocks as unknown[] } : {}),
    ...(Array.isArray(attachments) ? { attachments: attachments as unknown[] } : {}),
    ...(metadata === undefined ? {} : { metadata }),
  };
}
