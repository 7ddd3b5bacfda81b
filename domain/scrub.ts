/** Takes secrets out of text that people read: build output, error messages of others (rule 7). */

/** What stands where a secret was. */
export const MASK = '***';

/** Shorter values are not searched for: hiding every `1` or `no` would leave nothing to read. */
const SHORTEST = 4;

/** Bounded repetitions only: build output is foreign, and a pattern must not go quadratic on a long line. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\bgh[a-z]_[A-Za-z0-9]{16,255}/g, MASK],
  [/\bgithub_pat_[A-Za-z0-9_]{16,255}/g, MASK],
  [/\bxox[a-z]-[A-Za-z0-9-]{8,255}/g, MASK],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, MASK],
  [/\beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{1,4000}/g, MASK],
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]{1,1000}@/gi, `$1${MASK}@`],
  [/\b(authorization["']?[ \t]{0,8}[:=][ \t]{0,8}["']?)(?:[a-z]{1,16}[ \t]+)?[^\s"']{1,8000}/gi, `$1${MASK}`],
  [/\b(bearer[ \t]+)[A-Za-z0-9+/=_.~-]{8,8000}/gi, `$1${MASK}`],
  [
    /((?:secret|token|passw(?:or)?d|api_?key|access_?key|private_?key)[a-z0-9_-]{0,64}=)(?:"[^"]{1,8000}"|'[^']{1,8000}'|[^\s"'&]{1,8000})/gi,
    `$1${MASK}`,
  ],
];

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

function urlSpelling(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text; // half a surrogate pair has no URL spelling
  }
}

/** A value also leaks as it stands in a URL, in a Basic header or line by line. */
function spellings(secret: string): string[] {
  const plain = [secret, ...secret.split(/\r?\n/)].map((part) => part.trim());
  return plain
    .filter((part) => part.length >= SHORTEST)
    .flatMap((part) => [part, urlSpelling(part), base64(part)]);
}

/**
 * @param secrets values known to be secret; undefined and short ones are passed over
 * @returns a function that hides them, in plain, URL and base64 spelling, and every well-known shape of a token
 */
export function scrubber(secrets: readonly (string | undefined)[] = []): (text: string) => string {
  const known = [...new Set(secrets.flatMap((secret) => (secret ? spellings(secret) : [])))].sort(
    (a, b) => b.length - a.length,
  );
  const literal = known.length > 0 ? new RegExp(known.map(escape).join('|'), 'g') : undefined;
  return (text) => {
    const hidden = literal ? text.replace(literal, MASK) : text;
    return SHAPES.reduce((rest, [shape, replacement]) => rest.replace(shape, replacement), hidden);
  };
}

/** Hides what looks like a token, where no secret is known by value. */
export const scrub = scrubber();
