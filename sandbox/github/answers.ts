/** What a route gives back; the server adds the headers that GitHub sends with everything. */
export interface Answer {
  status: number;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as a page instead. */
  text?: string;
  headers?: Record<string, string>;
}

const DOCS = 'https://docs.github.com/rest';

export const failed = (status: number, message: string, docs = DOCS): Answer => ({
  status,
  body: { message, documentation_url: docs, status: String(status) },
});

export const notFound = (docs = DOCS): Answer => failed(404, 'Not Found', docs);

/** One of `errors[]` of a 422. */
export interface FieldError {
  resource: string;
  code: 'missing' | 'missing_field' | 'invalid' | 'already_exists' | 'unprocessable' | 'custom';
  field?: string;
  message?: string;
  value?: string | number | null;
}

/** 422 Validation Failed. */
export const invalid = (...errors: FieldError[]): Answer => ({
  status: 422,
  body: { message: 'Validation Failed', errors, documentation_url: DOCS, status: '422' },
});

/** Ends a route with this answer from however deep inside. */
export class Refused extends Error {
  constructor(readonly answer: Answer) {
    super(`GitHub answers ${answer.status}`);
  }
}
