/** What a workflow that tests staging is given, and how its run is known again. */

export interface InputValues {
  app: string;
  release: string;
  /** Unique to this attempt. */
  marker: string;
  /** Of the app's staging; absent where none is configured. */
  stagingUrl?: string;
}

export type FilledInputs =
  | {
      inputs: Record<string, string>;
      /** One of them carries the marker: a `run-name` can show it. */
      carriesMarker: boolean;
    }
  | {
      /** What is wrong with the configuration, and what can stand there. */
      problem: string;
    };

/** JSON and GitHub's own expressions have braces too: only a name alone between them is ours. */
export const PLACEHOLDER = /\{([a-z][a-z.]*)\}/g;
export const PLACEHOLDERS: readonly string[] = ['{staging.url}', '{release}', '{marker}', '{app}'];

/** @param configured `tests.github.inputs`; nothing else is sent, GitHub refuses inputs that are not declared */
export function fillInputs(
  configured: Readonly<Record<string, string>>,
  { app, release, marker, stagingUrl }: InputValues,
): FilledInputs {
  const values = new Map([
    ['staging.url', stagingUrl],
    ['release', release],
    ['marker', marker],
    ['app', app],
  ]);
  const problems: string[] = [];
  const fill = (input: string, text: string): string =>
    text.replace(PLACEHOLDER, (placeholder, name: string) => {
      const value = values.get(name);
      if (value === undefined)
        problems.push(problemOf(placeholder, { app, input, isKnown: values.has(name) }));
      return value ?? placeholder;
    });
  const inputs = Object.fromEntries(
    Object.entries(configured).map(([input, text]) => [input, fill(input, text)]),
  );
  if (problems[0] !== undefined) return { problem: problems[0] };
  return { inputs, carriesMarker: Object.values(configured).some((text) => text.includes('{marker}')) };
}

function problemOf(
  placeholder: string,
  { app, input, isKnown }: { app: string; input: string; isKnown: boolean },
): string {
  const where = `apps.${app}.tests.github.inputs.${input}`;
  return isKnown
    ? `${where} asks for ${placeholder}: set apps.${app}.environments.staging.url`
    : `${where} asks for ${placeholder}, which Sluice does not know: ${PLACEHOLDERS.join(', ')} are filled in`;
}

/** Characters that a marker is made of: another one, or nothing, stands before and after it. */
const PART = '[A-Za-z0-9_.-]';
const ANY = new RegExp(`(?<!${PART})sluice-${PART}+`);

/** The marker of one attempt of a promotion's tests. @param promotion its id */
export const testsMarker = (promotion: string, attempt: number): string => `sluice-${promotion}-${attempt}`;

/** Whether a text shows any attempt's marker: the run is that attempt's. */
export const isMarked = (text: string | null | undefined): boolean => ANY.test(text ?? '');

/** Whether a text shows this marker, and not one that only begins or ends like it. */
export function showsMarker(text: string | null | undefined, marker: string): boolean {
  if (!text || marker === '') return false;
  const isPart = (character = ' '): boolean => new RegExp(PART).test(character);
  for (let at = text.indexOf(marker); at >= 0; at = text.indexOf(marker, at + 1)) {
    if (!isPart(text[at - 1]) && !isPart(text[at + marker.length])) return true;
  }
  return false;
}
