/** A workflow as its file says, as far as GitHub looks at it when it is dispatched. */
import { parse } from 'yaml';
import { isRecord } from '../fields.js';

export interface WorkflowInput {
  required: boolean;
  default?: string;
}

export interface WorkflowFile {
  name?: string;
  runName?: string;
  /** Absent: it cannot be dispatched. */
  inputs?: Record<string, WorkflowInput>;
}

function dispatchOf(on: unknown): unknown {
  if (on === 'workflow_dispatch') return {};
  if (Array.isArray(on)) return on.includes('workflow_dispatch') ? {} : undefined;
  return isRecord(on) && 'workflow_dispatch' in on ? (on['workflow_dispatch'] ?? {}) : undefined;
}

const asText = (value: unknown): string | undefined =>
  ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;

/** @throws what YAML cannot read */
export function parseWorkflow(text: string): WorkflowFile {
  const file: unknown = parse(text);
  if (!isRecord(file)) return {};
  const dispatch = dispatchOf(file['on']);
  const declared = isRecord(dispatch) && isRecord(dispatch['inputs']) ? dispatch['inputs'] : {};
  const inputs = Object.entries(declared).map(([name, input]): [string, WorkflowInput] => {
    const { required, default: otherwise } = isRecord(input) ? input : {};
    return [name, { required: required === true, default: asText(otherwise) }];
  });
  return {
    name: asText(file['name']),
    runName: asText(file['run-name']),
    ...(dispatch === undefined ? {} : { inputs: Object.fromEntries(inputs) }),
  };
}

/** `${{ … }}` of `run-name`: inputs and the simplest of `github`; anything else is empty, as at GitHub. */
export function fillIn(
  template: string,
  known: { inputs: Record<string, string>; github: Record<string, string> },
): string {
  return template.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_all, expression: string) => {
    const [, of, name = ''] = /^(inputs|github\.event\.inputs|github)\.([\w-]+)$/.exec(expression) ?? [];
    if (of === undefined) return '';
    return (of === 'github' ? known.github : known.inputs)[name] ?? '';
  });
}
