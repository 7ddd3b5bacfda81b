import type { ComponentChildren } from 'preact';

export type Tone = 'good' | 'bad' | 'waits' | 'busy' | 'calm';

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

const TONES: Record<string, Tone> = {
  succeeded: 'good',
  promoted: 'good',
  passed: 'good',
  failed: 'bad',
  'rolled-back': 'bad',
  'timed-out': 'bad',
  blocked: 'bad',
  running: 'busy',
  staging: 'busy',
  testing: 'busy',
  production: 'busy',
  queued: 'waits',
  'awaiting-approval': 'waits',
  inconclusive: 'waits',
};

/** A state or outcome by its own word. */
export function Outcome({ of }: { of: string }) {
  return <Badge tone={TONES[of] ?? 'calm'}>{of.replaceAll('-', ' ')}</Badge>;
}
