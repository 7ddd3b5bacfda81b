/** `SLUICE_EMERGENCY_TOKEN`: the way in while GitHub is down and nothing it said is remembered (rule 11). */
import type { Warning } from './deployment.js';

/** The actor of everything that is asked for with it. No GitHub login counts as this one. */
export const EMERGENCY = 'emergency';

export const EMERGENCY_CHARS = 32;

/** Stands on what was asked for with it from the start, so that everyone is told of every use. */
export const emergencyWarnings = (actor: string): Warning[] =>
  actor === EMERGENCY
    ? [
        {
          code: 'EMERGENCY',
          message:
            'Asked for with SLUICE_EMERGENCY_TOKEN while GitHub was down: nobody’s membership was checked',
        },
      ]
    : [];
