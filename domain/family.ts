const SUFFIX = '-template';

/** The family that is registered from a template's: the suffix off, exactly at the end. */
export const familyOf = (template: string): string =>
  template.endsWith(SUFFIX) && template.length > SUFFIX.length ? template.slice(0, -SUFFIX.length) : template;

/** The template family of a service that names none. */
export const templateOf = (service: string): string => `${service}${SUFFIX}`;
