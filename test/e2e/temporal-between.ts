/** Between Sluice and its Temporal: calls go through, and the answers of some are lost after they were carried out. */
import { once } from 'node:events';
import { connect, createServer } from 'node:http2';
import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface TemporalBetween {
  /** For `TEMPORAL_ADDRESS`. */
  address: string;
  /**
   * The answer of the next call of this method is not given: it was carried out, and whoever asked hears nothing.
   * @param method `SignalWithStartWorkflowExecution`
   * @param about stands in the request: an id
   * @returns resolves once such an answer was held
   */
  hold(method: string, about?: string): Promise<void>;
  close(): Promise<void>;
}

interface Held {
  method: string;
  about: string;
  struck(): void;
}

/** @param address of the real one, `host:port` */
export async function temporalBetween(address: string): Promise<TemporalBetween> {
  const upstream = new Upstream(`http://${address}`);
  const held: Held[] = [];
  const sessions = new Set<Http2Session>();
  const server: Http2Server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined).on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => pass({ stream, headers, upstream, held }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: (method, about = '') =>
      new Promise((struck) => {
        held.push({ method, about, struck });
      }),
    async close() {
      for (const session of sessions) session.destroy();
      upstream.close();
      await new Promise((done) => server.close(done));
    },
  };
}

/** One connection, made anew where it broke. */
class Upstream {
  #session: ReturnType<typeof connect> | undefined;

  constructor(private readonly url: string) {}

  get session(): ReturnType<typeof connect> {
    if (!this.#session || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(this.url, { settings: { maxConcurrentStreams: 1_000 } });
      this.#session.on('error', () => undefined);
    }
    return this.#session;
  }

  close(): void {
    this.#session?.destroy();
  }
}

interface Passing {
  stream: ServerHttp2Stream;
  headers: IncomingHttpHeaders;
  upstream: Upstream;
  held: Held[];
}

function pass({ stream, headers, upstream, held }: Passing): void {
  const request = upstream.session.request(headers);
  const sent: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => sent.push(chunk));
  stream.pipe(request);
  for (const one of [stream, request]) one.on('error', () => undefined);
  stream.on('close', () => void request.close());
  const takeHold = (): Held | undefined => {
    const body = Buffer.concat(sent);
    const at = held.findIndex(
      ({ method, about }) => headers[':path']?.endsWith(`/${method}`) && body.includes(about),
    );
    return at < 0 ? undefined : held.splice(at, 1)[0];
  };
  let trailers: IncomingHttpHeaders = {};
  request.on('trailers', (given) => (trailers = given));
  request.on('response', (answer) => {
    const hold = takeHold();
    if (hold) return hold.struck();
    if (stream.destroyed) return;
    const { [':status']: status, ...rest } = answer;
    // Trailers-only: all that there is stands in the headers.
    const isAll = rest['grpc-status'] !== undefined;
    stream.respond(
      { ':status': status ?? 200, ...rest },
      isAll ? { endStream: true } : { waitForTrailers: true },
    );
    if (isAll) return;
    stream.on('wantTrailers', () => {
      const given = Object.entries(trailers).filter(([name]) => !name.startsWith(':'));
      stream.sendTrailers(Object.fromEntries(given));
    });
    request.pipe(stream);
  });
  request.on('close', () => {
    if (!stream.headersSent && !stream.destroyed && request.rstCode !== 0) stream.close(request.rstCode);
  });
}
