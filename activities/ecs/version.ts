/** Asks a version endpoint which release answers. */
const TIMEOUT_MS = 3_000;
/** A version is some bytes; the rest of a longer answer is not read. */
const LARGEST = 64 * 1024;
const MOST_REDIRECTS = 3;

/** `release`: what it reports; `unknown`: a 200 without one; `none`: no answer, or not 200. */
export type VersionAnswer =
  { kind: 'release'; release: string } | { kind: 'unknown'; words: string } | { kind: 'none'; words: string };

/** Never throws, except the signal's reason. */
export async function askVersion(url: string, signal: AbortSignal): Promise<VersionAnswer> {
  try {
    const both = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    return await ask(new URL(url), both, MOST_REDIRECTS);
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'none', words: networkWords(error) };
  }
}

async function ask(url: URL, signal: AbortSignal, redirects: number): Promise<VersionAnswer> {
  const response = await fetch(url, {
    signal,
    redirect: 'manual',
    headers: { accept: 'application/json', 'cache-control': 'no-cache' },
  });
  if (response.status === 200) return parse(await bounded(response));
  await response.body?.cancel();
  const location = response.headers.get('location');
  if (response.status >= 300 && response.status < 400 && location) {
    const next = new URL(location, url);
    // What another host says is not what this service runs.
    if (next.hostname !== url.hostname || redirects === 0) {
      return { kind: 'none', words: `it redirects (${response.status}) to ${next.host}` };
    }
    return await ask(next, signal, redirects - 1);
  }
  return { kind: 'none', words: `it answers ${response.status}` };
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > LARGEST) break;
    chunks.push(chunk);
  }
  return size > LARGEST ? '' : Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): VersionAnswer {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null && 'release' in json) {
      const { release } = json;
      if (typeof release === 'string' && release !== '') return { kind: 'release', release };
    }
    return { kind: 'unknown', words: 'it answers 200 without a release' };
  } catch {
    return { kind: 'unknown', words: 'it answers 200 without JSON' };
  }
}

function networkWords(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `no answer within ${TIMEOUT_MS / 1000} s`;
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  return code ? `it cannot be reached (${code})` : 'it cannot be reached';
}
