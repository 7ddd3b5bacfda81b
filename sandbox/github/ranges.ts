/** Ranges of times as GitHub's filters write them: `>=…`, `a..b`, a day. */

/** A day stands for its beginning, or for its end where it is the upper end. */
export function isWithin(at: string | null, range: string): boolean {
  if (at === null) return false;
  const start = (text: string): number => Date.parse(text);
  const end = (text: string): number => start(text) + (text.includes('T') ? 0 : 86_399_999);
  const when = Date.parse(at);
  const [, sign, date = ''] = /^(>=|<=|>|<)?(.*)$/.exec(range) ?? [];
  if (sign === '>=') return when >= start(date);
  if (sign === '>') return when > end(date);
  if (sign === '<=') return when <= end(date);
  if (sign === '<') return when < start(date);
  const [from = '', to = from] = date.split('..');
  return (from === '*' || when >= start(from)) && (to === '*' || when <= end(to));
}
