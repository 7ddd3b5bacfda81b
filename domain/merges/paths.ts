/** Which apps a change touches: `apps.*.paths` held against the names of its files. */
import picomatch from 'picomatch';

/**
 * `dot`: a pattern means hidden files too, as GitHub's own path filters and dorny/paths-filter have it. `s`: a file's
 * name may hold a line break.
 */
const OPTIONS = { dot: true, windows: false, flags: 's' } as const;

/**
 * @param paths app → its patterns; one that fits is enough
 * @returns tells the apps that any of these files belongs to, in the order of `paths`
 */
export function appsTouched(
  paths: Readonly<Record<string, readonly string[]>>,
): (files: Iterable<string>) => Set<string> {
  const apps = Object.entries(paths).map(([app, patterns]) => ({
    app,
    fits: patterns.map((pattern) => picomatch(pattern, OPTIONS)),
  }));
  return (files) => {
    const names = [...files];
    const touched = apps.filter(({ fits }) => names.some((name) => fits.some((isFit) => isFit(name))));
    return new Set(touched.map(({ app }) => app));
  };
}
