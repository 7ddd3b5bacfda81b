/** What an action needs to be asked for, in a form that one dialog can show. */
import type { Me } from '../model/types.js';

export type Values = Record<string, string | boolean>;

export type Field =
  /** In plain words. Required: always, or once the named flag is set. */
  | { kind: 'reason'; required: boolean | string; label?: string }
  | { kind: 'flag'; name: string; label: string; hint: string }
  | { kind: 'text'; name: string; label: string; hint: string; value?: string; required: boolean }
  | {
      kind: 'choice';
      name: string;
      label: string;
      options: { value: string; label: string; hint?: string }[];
    }
  /** One of the releases that `GET /api/targets` offers. */
  | { kind: 'target'; app: string; environment: string };

export interface Action {
  title: string;
  /** What it does, in a sentence or two. */
  intro: string;
  /** On the button that does it. */
  button: string;
  danger?: boolean;
  /** Why it cannot be done: the dialog says that, and does nothing. */
  refused?: string;
  fields: Field[];
  /** The body for `POST /api/plans`; undefined while too little is chosen. Absent: it changes nothing that could be planned. */
  plan?: (values: Values) => object | undefined;
  request: (values: Values) => { method: 'POST' | 'PUT' | 'DELETE'; path: string; body: object };
  /** Said when it was taken. */
  done: string;
  /** Where to go then, from what was answered. */
  goTo?: (answer: unknown) => string | undefined;
}

/** What stands in a value, without what was left empty. */
export const given = (values: Values, names: readonly string[]): Record<string, string | boolean> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = values[name];
      const text = typeof value === 'string' ? value.trim() : value;
      return text ? [[name, text]] : [];
    }),
  );

export const isFilled = (field: Field, values: Values): boolean => {
  if (field.kind === 'reason') {
    const needed =
      field.required === true || (typeof field.required === 'string' && values[field.required] === true);
    return !needed || String(values['reason'] ?? '').trim() !== '';
  }
  if (field.kind === 'text') return !field.required || String(values[field.name] ?? '').trim() !== '';
  if (field.kind === 'choice') return values[field.name] !== undefined;
  if (field.kind === 'target') return values['tag'] !== undefined;
  return true;
};

/** Why this person may not act; undefined: they may. */
export function refusal(me: Me | undefined): string | undefined {
  if (me?.maintainer) return undefined;
  return me?.login
    ? `${me.login} is not in the maintainers’ team: only its members may do this. Its owners can add you`
    : 'Sign in as a maintainer to do this';
}
