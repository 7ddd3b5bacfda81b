/** Foreign programs inherit nothing: each gets the variables that are named for it. */

/** Those of `names` that are set. */
export const pick = (env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
