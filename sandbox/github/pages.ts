/** GitHub's pages: `per_page`, `page`, and the header `link`. */
import type { Answer } from './answers.js';

export interface PageRequest {
  query: URLSearchParams;
  url: string;
  /** Of the route asked, decoded or not: it comes back in `link`. */
  path: string;
}

const MOST = 100;

export function pageOf(
  query: URLSearchParams,
  standard = 30,
  most = MOST,
): { page: number; perPage: number } {
  const whole = (name: string, otherwise: number): number => {
    const value = Number(query.get(name) ?? otherwise);
    return Number.isInteger(value) && value > 0 ? value : otherwise;
  };
  return { page: whole('page', 1), perPage: Math.min(whole('per_page', standard), most) };
}

/** Header `link` of a page out of `total`; empty where there is one page only. */
export function linkOf(
  asked: PageRequest,
  total: number,
  standard = 30,
  most = MOST,
): Record<string, string> {
  const { page, perPage } = pageOf(asked.query, standard, most);
  const last = Math.max(Math.ceil(total / perPage), 1);
  const to = (number: number, rel: string): string => {
    const query = new URLSearchParams(asked.query);
    query.set('page', String(number));
    return `<${asked.url}${asked.path}?${query.toString()}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [to(page - 1, 'prev')] : []),
    ...(page < last ? [to(page + 1, 'next'), to(last, 'last')] : []),
    ...(page > 1 ? [to(1, 'first')] : []),
  ];
  return links.length ? { link: links.join(', ') } : {};
}

/** One page of a list, each of it shaped by `body`. */
export async function paged<Item>(
  asked: PageRequest,
  items: readonly Item[],
  body: (item: Item) => unknown,
): Promise<Answer> {
  const { page, perPage } = pageOf(asked.query);
  const shown = items.slice((page - 1) * perPage, page * perPage);
  return { status: 200, body: await Promise.all(shown.map(body)), headers: linkOf(asked, items.length) };
}
