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
