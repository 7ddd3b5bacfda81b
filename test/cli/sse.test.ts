import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serverEvents } from '../../cli/sse.js';

async function read(chunks: Uint8Array[]) {
  async function* body() {
    yield* chunks;
  }
  const events = [];
  for await (const event of serverEvents(body())) events.push(event);
  return events;
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe('serverEvents', () => {
  it('reads names, several lines of data, and passes over comments and other fields', async () => {
    const text = 'retry: 1000\n\n: hello\n\nevent: a\ndata: 1\ndata: 2\nid: 7\n\ndata:3\n\nevent: never\n';
    expect(await read([bytes(text)])).toEqual([
      { event: 'a', data: '1\n2' },
      { event: 'message', data: '3' },
    ]);
  });

  it('reads the same however it is cut, whatever ends its lines', async () => {
    const payloads = fc.array(
      fc.string().map((text) => JSON.stringify({ text, umlaut: 'ü→' })),
      { maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(payloads, fc.constantFrom('\n', '\r\n'), fc.nat(7), async (data, newline, step) => {
        const text = data.map((one) => `event: d${newline}data: ${one}${newline}${newline}`).join('');
        const whole = bytes(text);
        const size = step + 1;
        const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
          whole.slice(index * size, (index + 1) * size),
        );
        expect(await read(chunks)).toEqual(data.map((one) => ({ event: 'd', data: one })));
      }),
    );
  });
});
